"""The Anthropic adapter: the Messages API, streamed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bot.core.budget import Usage
from bot.core.conversation import AssistantTurn, Json, ModelRequest, ResultsTurn, Stop, ToolCall, UserTurn
from bot.models.errors import ANTHROPIC, Failure
from bot.models.streaming import Reading, StreamError, StreamingModel, json_object, seconds
from bot.models.strict import strict
from bot.models.turns import own_turns

if TYPE_CHECKING:
    from anthropic import APIError, AsyncAnthropic

BASE_URL = "https://api.anthropic.com"

STOPS: Mapping[str, Stop] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "tool_use": "tool",
    "max_tokens": "length",
    "refusal": "refusal",
    "model_context_window_exceeded": "context",
    "pause_turn": "other",
}
"""Every stop reason of the SDK; a stream without one was cut, an unknown one is `other`."""

_CACHED: Json = {"type": "ephemeral"}


class AnthropicModel(StreamingModel):
    """`ports.Model` for `anthropic/…` models."""

    vendor = ANTHROPIC

    def make_client(self) -> "AsyncAnthropic":
        """A client that reads no profile, retries nothing and has its own timeouts."""
        import anthropic
        import httpx2

        return anthropic.AsyncAnthropic(
            api_key=self.api_key.reveal(),
            base_url=self.base_url,
            max_retries=0,
            timeout=httpx2.Timeout(self.silence, connect=self.connect),
        )

    async def close_client(self, client: Any) -> None:
        """Close its connections."""
        await client.close()

    async def read(self, client: Any, request: ModelRequest) -> Reading:
        """Send once and read the stream to its end. Raises StreamError."""
        import anthropic
        import httpx2

        message = _Message()
        try:
            async with await client.messages.create(**body(request)) as stream:
                message.request_id = stream.response.headers.get("request-id", "")
                async for event in stream:
                    # Unknown blocks are kept as they came; the SDK would warn that they fit none of its types.
                    message.take(event.to_dict(mode="json", warnings=False))
        except anthropic.APIError as error:
            raise StreamError(_failure(error), message.usage()) from error
        except (httpx2.TransportError, httpx2.StreamError) as error:
            lost = Failure(0, message=f"the stream broke off: {error}", request_id=message.request_id)
            raise StreamError(lost, message.usage()) from error
        return message.reading()


def _failure(error: "APIError") -> Failure:
    import anthropic

    if not isinstance(error, anthropic.APIStatusError):
        return Failure(0, message=str(error))
    return Failure(
        error.status_code,
        kind=error.type or "",
        code=error.error_code or "",
        message=error.api_message or str(error),
        request_id=error.request_id or "",
        retry_after=seconds(error.response.headers.get("retry-after")) if error.status_code != 200 else None,
    )


def body(request: ModelRequest) -> Json:
    """The arguments of `messages.create` for a request: the same prefix gives the same bytes, so that the cache holds."""
    config: Json = {"effort": request.effort}
    if request.schema is not None:
        config["format"] = {"type": "json_schema", "schema": strict(request.schema)}
    out: Json = {
        "model": request.model.partition("/")[2],
        "max_tokens": request.max_tokens,
        "system": [{"type": "text", "text": request.system, "cache_control": _CACHED}],
        "messages": _messages(request),
        "output_config": config,
        "stream": True,
    }
    if request.tools:
        out["tools"] = [
            {"name": t.name, "description": t.description, "input_schema": strict(t.schema), "strict": True}
            for t in request.tools
        ]
    return out


def _messages(request: ModelRequest) -> list[Json]:
    messages: list[Json] = []
    for turn in own_turns(request.turns, ANTHROPIC.name, lambda said: {"type": "text", "text": said}):
        match turn:
            case AssistantTurn(raw=raw):
                # A model may say nothing between two thoughts; the vendor refuses its own empty block when it is sent back.
                role, blocks = "assistant", [b for b in raw if b.get("type") != "text" or b.get("text", "").strip()]
            case UserTurn(text):
                role, blocks = "user", [{"type": "text", "text": text}]
            case ResultsTurn(results):
                role = "user"
                blocks = [
                    {"type": "tool_result", "tool_use_id": r.call_id, "content": r.content, "is_error": r.is_error}
                    for r in results
                ]
        if not blocks:
            continue
        if messages and messages[-1]["role"] == role == "user":
            messages[-1]["content"] += blocks
        else:
            messages.append({"role": role, "content": blocks})
    # The last point is where the next call will read from; the one before is what this call reads.
    for message in [m for m in messages if m["role"] == "user"][-2:]:
        message["content"][-1] = {**message["content"][-1], "cache_control": _CACHED}
    return messages


class _Message:
    """A message put together from its events, block by block, nothing dropped."""

    def __init__(self) -> None:
        self.request_id = ""
        self._blocks: dict[int, Json] = {}
        self._pieces: dict[int, list[str]] = {}
        self._whole: set[int] = set()
        self._stop: str | None = None
        self._refusal = ""
        self._usage: Json = {}

    def take(self, event: Json) -> None:
        """One event of the stream."""
        match event:
            case {"type": "message_start", "message": message}:
                self._count(message.get("usage"))
            case {"type": "content_block_start", "index": int(index), "content_block": block}:
                self._blocks[index] = dict(block)
            case {"type": "content_block_delta", "index": int(index), "delta": delta} if index in self._blocks:
                self._grow(index, delta)
            case {"type": "content_block_stop", "index": int(index)} if index in self._blocks:
                self._whole.add(index)
                if index in self._pieces:
                    self._blocks[index]["input"] = json_object("".join(self._pieces[index]) or "{}")
            case {"type": "message_delta", "delta": delta}:
                self._stop = delta.get("stop_reason") or self._stop
                details = delta.get("stop_details") or {}
                self._refusal = ": ".join(str(details[k]) for k in ("category", "explanation") if details.get(k))
                self._count(event.get("usage"))

    def usage(self) -> Usage:
        """Tokens reported so far; the vendor's `input_tokens` leaves out what the cache took part in."""
        details = self._usage.get("output_tokens_details") or {}
        return Usage(
            input=self._usage.get("input_tokens", 0),
            cache_read=self._usage.get("cache_read_input_tokens", 0),
            cache_write=self._usage.get("cache_creation_input_tokens", 0),
            output=self._usage.get("output_tokens", 0),
            reasoning=details.get("thinking_tokens", 0),
        )

    def reading(self) -> Reading:
        """What the stream amounts to, now that it ended."""
        raw = [self._blocks[index] for index in sorted(self._whole)]
        stop: Stop = "cut" if self._stop is None else STOPS.get(self._stop, "other")
        detail = (
            self._refusal if stop == "refusal" else ("" if stop in ("end", "tool") else f"stop_reason {self._stop}")
        )
        uses = [block for block in raw if block.get("type") == "tool_use"]
        calls = tuple(ToolCall(u["id"], u["name"], u["input"]) for u in uses if isinstance(u.get("input"), dict))
        if stop == "tool" and (not uses or len(calls) < len(uses)):
            stop, detail, calls = "other", "a tool call without an object for input", ()
        seen = [self._blocks[index] for index in sorted(self._blocks)]
        text = "".join(block.get("text") or "" for block in seen if block.get("type") == "text")
        return Reading(stop, text, text, calls, raw, self.usage(), self.request_id, detail)

    def _grow(self, index: int, delta: Json) -> None:
        block = self._blocks[index]
        match delta:
            case {"type": "text_delta", "text": str(text)}:
                block["text"] = block.get("text", "") + text
            case {"type": "thinking_delta", "thinking": str(text)}:
                block["thinking"] = block.get("thinking", "") + text
            case {"type": "signature_delta", "signature": str(signature)}:
                block["signature"] = block.get("signature", "") + signature
            case {"type": "input_json_delta", "partial_json": str(piece)}:
                self._pieces.setdefault(index, []).append(piece)
            case {"type": "citations_delta", "citation": citation}:
                block["citations"] = [*(block.get("citations") or []), citation]

    def _count(self, usage: Json | None) -> None:
        # The counts are cumulative, and a later event repeats only some of them.
        self._usage |= {key: value for key, value in (usage or {}).items() if value is not None}
