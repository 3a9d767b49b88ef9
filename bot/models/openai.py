"""The OpenAI adapter: the Responses API, streamed and stateless."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bot.core.budget import Usage
from bot.core.conversation import AssistantTurn, Json, ModelRequest, ResultsTurn, Stop, ToolCall, UserTurn
from bot.core.ids import sha256
from bot.models.errors import OPENAI, Failure
from bot.models.streaming import Reading, StreamError, StreamingModel, json_object, seconds
from bot.models.strict import strict
from bot.models.turns import own_turns

if TYPE_CHECKING:
    from openai import APIError, AsyncOpenAI

BASE_URL = "https://api.openai.com/v1"

INCOMPLETE: Mapping[str, Stop] = {"max_output_tokens": "length", "content_filter": "refusal"}
"""Reasons of an incomplete response; any other is `other`."""


class OpenAIModel(StreamingModel):
    """`ports.Model` for `openai/…` models."""

    vendor = OPENAI

    def make_client(self) -> "AsyncOpenAI":
        """A client that retries nothing and has its own timeouts."""
        import httpx2
        import openai

        return openai.AsyncOpenAI(
            api_key=self.api_key.reveal(),
            base_url=self.base_url,
            max_retries=0,
            timeout=httpx2.Timeout(self.silence, connect=self.connect),
        )

    async def close_client(self, client: Any) -> None:
        """Close its connections."""
        await client.close()

    async def read(self, client: Any, request: ModelRequest) -> Reading:
        """Send once and read the events to their end. Raises StreamError.

        The SDK's own stream helper raises the same RuntimeError for a cut, a failed response and an error event.
        """
        import httpx2
        import openai

        response = _Response()
        try:
            async with await client.responses.create(**body(request)) as stream:
                response.request_id = stream.response.headers.get("x-request-id", "")
                async for event in stream:
                    response.take(event.to_dict(mode="json", warnings=False))
        except openai.APIError as error:
            raise StreamError(_failure(error, response.request_id)) from error
        except (httpx2.TransportError, httpx2.StreamError) as error:
            raise StreamError(
                Failure(0, message=f"the stream broke off: {error}", request_id=response.request_id)
            ) from error
        return response.reading()


def _failure(error: "APIError", request_id: str) -> Failure:
    import openai

    if isinstance(error, openai.APIConnectionError):
        return Failure(0, message=str(error), request_id=request_id)
    status, headers = 200, {}
    if isinstance(error, openai.APIStatusError):
        status, headers, request_id = error.status_code, error.response.headers, error.request_id or request_id
    return Failure(
        status, error.type or "", error.code or "", error.message, request_id, seconds(headers.get("retry-after"))
    )


def body(request: ModelRequest) -> Json:
    """The arguments of `responses.create` for a request; nothing is stored at the vendor, so reasoning comes back encrypted."""
    out: Json = {
        "model": request.model.partition("/")[2],
        "instructions": request.system,
        "input": _items(request),
        "max_output_tokens": max(16, request.max_tokens),
        "reasoning": {"effort": request.effort},
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": sha256(f"{request.role}\n{request.system}"),
        "stream": True,
    }
    if request.tools:
        out["tools"] = [
            {
                "type": "function",
                "name": t.name,
                "description": t.description,
                "parameters": strict(t.schema),
                "strict": True,
            }
            for t in request.tools
        ]
    if request.schema is not None:
        shape = {"type": "json_schema", "name": request.schema_name, "schema": strict(request.schema), "strict": True}
        out["text"] = {"format": shape}
    return out


def _items(request: ModelRequest) -> list[Json]:
    items: list[Json] = []
    for turn in own_turns(request.turns, OPENAI.name, lambda said: {"role": "assistant", "content": said}):
        match turn:
            case AssistantTurn(raw=raw):
                items += raw
            case UserTurn(text):
                items.append({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]})
            case ResultsTurn(results):
                # The wire has no error flag, so the text has to say it.
                items += [
                    {
                        "type": "function_call_output",
                        "call_id": r.call_id,
                        "output": f"error: {r.content}" if r.is_error else r.content,
                    }
                    for r in results
                ]
    return items


class _Response:
    """A response read from its events; the last one repeats everything, and a stream without it was cut."""

    def __init__(self) -> None:
        self.request_id = ""
        self._items: dict[int, Json] = {}
        self._deltas: list[str] = []
        self._ended: Json | None = None

    def take(self, event: Json) -> None:
        """One event of the stream. Raises StreamError for one that says the response failed."""
        match event:
            case {"type": "response.output_text.delta", "delta": str(delta)}:
                self._deltas.append(delta)
            case {"type": "response.output_item.done", "output_index": int(index), "item": item}:
                self._items[index] = item
            case {"type": "response.completed" | "response.incomplete", "response": response}:
                self._ended = response
            case {"type": "response.failed", "response": response}:
                raise self._failed(response.get("error") or {}, _usage(response.get("usage")))
            case {"type": "error"}:
                raise self._failed(event, Usage())

    def reading(self) -> Reading:
        """What the stream amounts to, now that it ended."""
        done = [self._items[index] for index in sorted(self._items)]
        if self._ended is None:
            return Reading(
                "cut", "".join(self._deltas), raw=done, request_id=self.request_id, detail="the stream ended early"
            )
        raw = self._ended.get("output") or done
        text, final, refused = _texts(raw)
        reading = Reading("end", text, final, (), raw, _usage(self._ended.get("usage")), self.request_id)
        if self._ended.get("status") != "completed":
            reason = str((self._ended.get("incomplete_details") or {}).get("reason"))
            reading.stop, reading.detail = INCOMPLETE.get(reason, "other"), f"incomplete: {reason}"
        elif refused:
            reading.stop, reading.detail = "refusal", refused
        else:
            _add_calls(reading)
        return reading

    def _failed(self, error: Json, usage: Usage) -> StreamError:
        said = str(error.get("message") or "the response failed")
        return StreamError(Failure(200, "", str(error.get("code") or "server_error"), said, self.request_id), usage)


def _add_calls(reading: Reading) -> None:
    items = [item for item in reading.raw if item.get("type") == "function_call"]
    inputs = [json_object(item.get("arguments") or "{}") for item in items]
    if any(value is None for value in inputs):
        reading.stop, reading.detail = "other", "a tool call without an object for input"
    elif items:
        reading.stop = "tool"
        reading.calls = tuple(
            ToolCall(i["call_id"], i["name"], v) for i, v in zip(items, inputs, strict=True) if v is not None
        )


def _texts(raw: list[Json]) -> tuple[str, str, str]:
    """All visible text, the final answer alone (commentary comes in messages of its own), and a refusal's words."""
    all_text: list[str] = []
    final: list[str] = []
    refused = ""
    for item in raw:
        if item.get("type") != "message":
            continue
        for part in item.get("content") or []:
            match part:
                case {"type": "output_text", "text": str(text)}:
                    all_text.append(text)
                    if item.get("phase") != "commentary":
                        final.append(text)
                case {"type": "refusal", "refusal": str(words)}:
                    refused = words or "refused"
    return "\n\n".join(all_text), "".join(final), refused


def _usage(usage: Json | None) -> Usage:
    """The vendor's `input_tokens` includes what was read from or written to the cache: take both out."""
    if not usage:
        return Usage()
    details = usage.get("input_tokens_details") or {}
    read, written = details.get("cached_tokens") or 0, details.get("cache_write_tokens") or 0
    return Usage(
        input=max(0, usage["input_tokens"] - read - written),
        cache_read=read,
        cache_write=written,
        output=usage["output_tokens"],
        reasoning=(usage.get("output_tokens_details") or {}).get("reasoning_tokens") or 0,
    )
