"""A conversation as one vendor can be given it: what another vendor's model said becomes plain text."""

import json
from collections.abc import Callable, Iterable

from bot.core.conversation import AssistantTurn, Json, ResultsTurn, Turn, UserTurn


def own_turns(turns: Iterable[Turn], vendor: str, say: Callable[[str], Json]) -> list[Turn]:
    """The same turns with every foreign AssistantTurn as text in this vendor's shape (`say`), and its results as user text.

    Signatures, encrypted reasoning and call ids mean nothing to the other vendor, and it refuses results of calls it never made.
    """
    out: list[Turn] = []
    foreign: dict[str, str] = {}
    for turn in turns:
        match turn:
            case AssistantTurn(vendor=author, raw=raw) if author != vendor:
                said, foreign = _spoken(raw)
                out.append(AssistantTurn(vendor, (say(said),)))
            case AssistantTurn():
                foreign = {}
                out.append(turn)
            case ResultsTurn(results) if any(result.call_id in foreign for result in results):
                parts = [f"Result of {foreign.get(r.call_id, 'the call')}:\n{r.content}" for r in results]
                out.append(UserTurn("\n\n".join(parts)))
            case _:
                out.append(turn)
    return out


def _spoken(raw: Iterable[Json]) -> tuple[str, dict[str, str]]:
    """The visible text of either vendor's blocks, with the calls as `id -> name(input)`."""
    parts: list[str] = []
    calls: dict[str, str] = {}
    for block in raw:
        match block:
            case {"type": "text", "text": str(text)}:
                parts.append(text)
            case {"type": "message", "content": list(content)}:
                parts += [part["text"] for part in content if part.get("type") == "output_text"]
            case {"type": "tool_use", "id": str(key), "name": str(name), "input": arguments}:
                calls[key] = f"{name}({json.dumps(arguments, ensure_ascii=False)})"
            case {"type": "function_call", "call_id": str(key), "name": str(name), "arguments": str(arguments)}:
                calls[key] = f"{name}({arguments})"
    parts += [f"Calls {call}." for call in calls.values()]
    return "\n\n".join(part for part in parts if part) or "(nothing)", calls
