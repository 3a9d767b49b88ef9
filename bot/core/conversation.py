"""A model call as data, the same for every vendor: what is sent and what comes back."""

from dataclasses import dataclass
from typing import Any, Literal

from bot.core.budget import Usage

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A strict tool: JSON schema for its input (all properties required, additionalProperties false)."""

    name: str
    description: str
    schema: Json


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the model asked for; `input` is parsed JSON. Only present when the stop said so."""

    id: str
    name: str
    input: Json


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The one answer to a ToolCall, in the same turn."""

    call_id: str
    content: str
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class UserTurn:
    """Text from us."""

    text: str


@dataclass(frozen=True, slots=True)
class AssistantTurn:
    """A model's turn, echoed verbatim: `raw` are that vendor's own blocks or output items, `vendor` says whose."""

    vendor: str
    raw: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class ResultsTurn:
    """Results of all tool calls of the turn before, one each."""

    results: tuple[ToolResult, ...]


Turn = UserTurn | AssistantTurn | ResultsTurn


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One stateless call. `model` is `vendor/name`; `system` starts with `journeyman:<role>/<step>@<version>`.

    `schema` asks for one JSON object of that shape (structured output) and goes with no tools.
    """

    role: str
    model: str
    system: str
    turns: tuple[Turn, ...]
    tools: tuple[ToolSpec, ...] = ()
    schema: Json | None = None
    schema_name: str = "answer"
    effort: str = "medium"
    max_tokens: int = 16_000
    timeout: float = 600.0


Stop = Literal["end", "tool", "length", "refusal", "cut", "context", "other"]


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What came back. `calls` is empty unless `stop == "tool"`; `parsed` is set for a schema request that ended well."""

    stop: Stop
    text: str
    calls: tuple[ToolCall, ...]
    turn: AssistantTurn
    usage: Usage
    micros: int
    model: str
    request_id: str
    parsed: Json | None = None
    detail: str = ""
    """Why a stop is `other` or `refusal`, in the vendor's words, for the log only."""
