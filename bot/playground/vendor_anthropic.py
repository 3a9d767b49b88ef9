"""The scripted vendor as Anthropic: the rules of `POST /v1/messages` and the events of its stream."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from bot.core.conversation import Json
from bot.playground.vendor_cache import PrefixCache, Prompt, tokens
from bot.playground.vendor_faults import Invalid, fields, keys_within, schema_problem
from bot.playground.vendor_replies import Answer, Call, FaultKind, Result, header

MODELS = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-fable-5-2")

_TOP = fields(
    "max_tokens messages model cache_control container diagnostics inference_geo metadata output_config "
    "service_tier speed stop_sequences stream system thinking tool_choice tools"
)
_BLOCKS = {
    "text": frozenset({"type", "text", "cache_control", "citations"}),
    "thinking": frozenset({"type", "thinking", "signature"}),
    "redacted_thinking": frozenset({"type", "data"}),
    "tool_use": frozenset({"type", "id", "name", "input", "cache_control", "caller", "toolset_name"}),
    "tool_result": frozenset({"type", "tool_use_id", "content", "is_error", "cache_control", "toolset_name"}),
}
_TOOL = fields(
    "name description input_schema strict cache_control type defer_loading eager_input_streaming input_examples "
    "allowed_callers"
)
_EFFORTS = frozenset({"low", "medium", "high", "xhigh", "max"})
ODD_BLOCK: Json = {"type": "hologram", "id": "holo_1", "layers": [1, None, {"deep": True}]}
"""A block of a type that no client knows yet."""


def check(body: Json) -> None:
    """Raise Invalid for the first thing that the vendor would refuse."""
    extra = keys_within(body, _TOP, "")
    if extra in ("temperature", "top_p", "top_k"):
        raise Invalid(f"`{extra}` is not supported on this model.")
    if extra:
        raise Invalid(f"{extra}: Extra inputs are not permitted")
    for name in ("model", "max_tokens", "messages"):
        if name not in body:
            raise Invalid(f"{name}: Field required")
    if body["model"] not in MODELS:
        raise Invalid(f"model: {body['model']}", status=404, kind="not_found_error")
    if not isinstance(body["max_tokens"], int) or not 1 <= body["max_tokens"] <= 128_000:
        raise Invalid("max_tokens: must be between 1 and 128000")
    _check_output(body.get("output_config") or {})
    for index, tool in enumerate(body.get("tools") or []):
        _check_tool(tool, f"tools.{index}")
    for index, block in enumerate(_system(body)):
        _check_block(block, f"system.{index}")
    _check_messages(body["messages"])
    marks = sum("cache_control" in block for block in _prefix(body))
    if marks > 4:
        raise Invalid(f"A maximum of 4 blocks with cache_control may be provided. Found {marks}.")


def _check_output(config: Json) -> None:
    extra = keys_within(config, frozenset({"effort", "format"}), "output_config")
    if extra:
        raise Invalid(f"{extra}: Extra inputs are not permitted")
    if config.get("effort") is not None and config["effort"] not in _EFFORTS:
        raise Invalid("output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'")
    shape = config.get("format")
    if shape is None:
        return
    extra = keys_within(shape, frozenset({"type", "schema"}), "output_config.format")
    if extra or shape.get("type") != "json_schema":
        raise Invalid(f"{extra or 'output_config.format.type'}: Extra inputs are not permitted")
    problem = schema_problem(shape.get("schema"))
    if problem:
        raise Invalid(f"output_config.format.schema: {problem}")


def _check_tool(tool: Json, where: str) -> None:
    extra = keys_within(tool, _TOOL, where)
    if extra:
        raise Invalid(f"{extra}: Extra inputs are not permitted")
    for name in ("name", "input_schema"):
        if name not in tool:
            raise Invalid(f"{where}.{name}: Field required")
    problem = schema_problem(tool["input_schema"]) if tool.get("strict") else None
    if problem:
        raise Invalid(f"{where}.input_schema: {problem}")


def _check_block(block: Any, where: str) -> None:
    if block == ODD_BLOCK:
        return
    kind = block.get("type") if isinstance(block, dict) else None
    if kind not in _BLOCKS:
        raise Invalid(f"{where}: Input tag '{kind}' found using 'type' does not match any of the expected tags")
    extra = keys_within(block, _BLOCKS[kind], where)
    if extra:
        raise Invalid(f"{extra}: Extra inputs are not permitted")
    if kind == "text" and not block["text"].strip():
        raise Invalid(f"{where}: text content blocks must contain non-whitespace text")
    if kind == "thinking" and block["signature"] != sign(block["thinking"]):
        raise Invalid(f"{where}: Invalid `signature` in `thinking` block")
    if kind == "tool_use" and not isinstance(block["input"], dict):
        raise Invalid(f"{where}.input: Input should be a valid dictionary")


def _check_messages(messages: Any) -> None:
    if not isinstance(messages, list) or not messages:
        raise Invalid("messages: at least one message is required")
    for index, message in enumerate(messages):
        extra = keys_within(message, frozenset({"role", "content"}), f"messages.{index}")
        if extra:
            raise Invalid(f"{extra}: Extra inputs are not permitted")
        if message.get("role") not in ("user", "assistant", "system"):
            raise Invalid(
                f'messages: Unexpected role "{message.get("role")}". Allowed roles are "user", "assistant" or "system".'
            )
        for at, block in enumerate(_content(message)):
            _check_block(block, f"messages.{index}.content.{at}")
    if messages[0]["role"] != "user":
        raise Invalid('messages: first message must use the "user" role')
    if messages[-1]["role"] == "assistant":
        raise Invalid(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
    _check_pairs(messages)


def _check_pairs(messages: list[Json]) -> None:
    """Every tool_use is answered in the next message, and every tool_result answers one."""
    open_ids: set[str] = set()
    for index, message in enumerate(messages):
        blocks = _content(message)
        given = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        for key in given:
            if key not in open_ids:
                raise Invalid(
                    f"messages.{index}.content.0: unexpected `tool_use_id` found in `tool_result` blocks: {key}. Each `tool_result` "
                    "block must have a corresponding `tool_use` block in the previous message."
                )
        missing = sorted(open_ids - set(given))
        if missing:
            raise Invalid(
                f"messages.{index - 1}: `tool_use` ids were found without `tool_result` blocks immediately after: {', '.join(missing)}. "
                "Each `tool_use` block must have a corresponding `tool_result` block in the next message."
            )
        uses = message["role"] == "assistant"
        open_ids = {block["id"] for block in blocks if block["type"] == "tool_use"} if uses else set()


def _content(message: Json) -> list[Json]:
    content = message.get("content")
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content or [])


def _system(body: Json) -> list[Json]:
    system = body.get("system") or []
    return [{"type": "text", "text": system}] if isinstance(system, str) else list(system)


def _prefix(body: Json) -> list[Json]:
    """Everything that the cache matches on, in the vendor's order: tools, system, messages."""
    messages = [{**block, "role": message["role"]} for message in body["messages"] for block in _content(message)]
    return [*(body.get("tools") or []), *_system(body), *messages]


def measure(body: Json, cache: PrefixCache) -> Prompt:
    """Bill a prompt; only prefixes that end at a `cache_control` are written."""
    blocks = _prefix(body)
    marks = [index for index, block in enumerate(blocks) if "cache_control" in block]
    bare = [{key: value for key, value in block.items() if key != "cache_control"} for block in blocks]
    return cache.measure(f"anthropic/{body['model']}", bare, marks)


def as_call(body: Json, number: int) -> Call:
    """A checked request as a policy sees it."""
    system = "\n".join(block["text"] for block in _system(body))
    blocks = [block for message in body["messages"] if message["role"] == "user" for block in _content(message)]
    config = body.get("output_config") or {}
    role, step, version = header(system)
    return Call(
        vendor="anthropic",
        model=body["model"],
        role=role,
        step=step,
        version=version,
        system=system,
        users=tuple(block["text"] for block in blocks if block["type"] == "text"),
        results=tuple(_result(block) for block in blocks if block["type"] == "tool_result"),
        tools=tuple(tool["name"] for tool in body.get("tools") or []),
        schema=(config.get("format") or {}).get("schema"),
        turn=1 + sum(message["role"] == "assistant" for message in body["messages"]),
        number=number,
        effort=config.get("effort") or "",
        max_tokens=body["max_tokens"],
    )


def _result(block: Json) -> Result:
    content = block.get("content") or ""
    text = content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)
    return Result(block["tool_use_id"], text, bool(block.get("is_error")))


def sign(thinking: str) -> str:
    """A signature that only the same thinking has."""
    return "sig_" + hashlib.sha256(thinking.encode()).hexdigest()


def blocks_of(answer: Answer, number: int, fault: FaultKind | None) -> list[Json]:
    """The whole content of the answer."""
    blocks: list[Json] = [ODD_BLOCK] if fault == "unknown_block" else []
    if answer.thinking:
        blocks.append({"type": "thinking", "thinking": answer.thinking, "signature": sign(answer.thinking)})
    words = answer.words
    if fault in ("bad_json", "length") and not answer.calls:
        words = words[: len(words) // 2]
    if words:
        blocks.append({"type": "text", "text": words, "citations": None})
    for index, (name, value) in enumerate(answer.calls):
        key = f"toolu_{number:06d}{index:02d}"
        blocks.append({"type": "tool_use", "id": key, "name": name, "input": value, "caller": {"type": "direct"}})
    return blocks


_STOPS = {"length": "max_tokens", "refusal": "refusal", "window": "model_context_window_exceeded"}


def finished(body: Json, answer: Answer, prompt: Prompt, number: int, fault: FaultKind | None) -> Json:
    """The finished message, as a call without streaming gets it."""
    blocks = [] if fault == "refusal" else blocks_of(answer, number, fault)
    thought = tokens(answer.thinking)
    usage = {
        "input_tokens": prompt.fresh,
        "cache_creation_input_tokens": prompt.written,
        "cache_read_input_tokens": prompt.read,
        "cache_creation": {"ephemeral_5m_input_tokens": prompt.written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": max(
            1, tokens(answer.words) + sum(tokens(json.dumps(value)) for _, value in answer.calls) + thought
        ),
        "output_tokens_details": {"thinking_tokens": thought},
        "service_tier": "standard",
    }
    stop = _STOPS.get(fault or "", "tool_use" if answer.calls else "end_turn")
    details = {"type": "refusal", "category": "cyber", "explanation": "This request can't be helped with."}
    return {
        "id": f"msg_{number:06d}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": blocks,
        "stop_reason": stop,
        "stop_sequence": None,
        "stop_details": details if fault == "refusal" else None,
        "usage": usage,
    }


def events(whole: Json) -> Iterator[tuple[str, Json]]:
    """A message as the events of its stream."""
    usage = {**whole["usage"], "output_tokens": 1}
    opening = {**whole, "content": [], "stop_reason": None, "stop_details": None, "usage": usage}
    yield "message_start", {"message": opening}
    yield "ping", {}
    for index, block in enumerate(whole["content"]):
        empty, deltas = _pieces(block)
        yield "content_block_start", {"index": index, "content_block": empty}
        for delta in deltas:
            yield "content_block_delta", {"index": index, "delta": delta}
        yield "content_block_stop", {"index": index}
    ending = {key: whole[key] for key in ("stop_reason", "stop_sequence", "stop_details")}
    counts = {key: value for key, value in whole["usage"].items() if key not in ("cache_creation", "service_tier")}
    yield "message_delta", {"delta": ending, "usage": counts}
    yield "message_stop", {}


def _pieces(block: Json) -> tuple[Json, list[Json]]:
    match block:
        case {"type": "text", "text": text}:
            return {**block, "text": ""}, [{"type": "text_delta", "text": piece} for piece in _split(text)]
        case {"type": "thinking", "thinking": thinking, "signature": signature}:
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in _split(thinking)]
            return {**block, "thinking": "", "signature": ""}, [
                *deltas,
                {"type": "signature_delta", "signature": signature},
            ]
        case {"type": "tool_use", "input": value}:
            text = json.dumps(value, ensure_ascii=False) if value else ""
            pieces = ["", *_split(text)]
            return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    return block, []


def error_event(fault: FaultKind, number: int) -> Json:
    """The event that ends a stream which broke inside the vendor."""
    return {"error": {"type": "overloaded_error", "message": "Overloaded"}}


def _split(text: str, size: int = 48) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]
