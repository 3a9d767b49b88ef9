"""The scripted vendor's two sides as data: a call as a policy sees it, and what the policy answers; and scripts, the usual policy."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bot.core.conversation import Json

_HEADER = re.compile(r"journeyman:(?P<role>[\w-]+)/(?P<step>[\w.-]+)@(?P<version>\S+)")


@dataclass(frozen=True, slots=True)
class Result:
    """A tool result that the caller sent back."""

    call_id: str
    content: str
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One model call, the same for both vendors. `turn` counts from 1 inside the conversation, `number` over all calls."""

    vendor: str
    model: str
    role: str
    step: str
    version: str
    system: str
    users: tuple[str, ...]
    results: tuple[Result, ...]
    tools: tuple[str, ...]
    schema: Json | None
    turn: int
    number: int
    effort: str = ""
    max_tokens: int = 0

    @property
    def name(self) -> str:
        """`role/step`, as scripts name it."""
        return f"{self.role}/{self.step}"


def header(system: str) -> tuple[str, str, str]:
    """Role, step and version from the first line of a system prompt, empty where it has none."""
    found = _HEADER.match(system)
    return (found["role"], found["step"], found["version"]) if found else ("", "", "")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says: text, or one JSON object, or calls of tools (name, input), with thinking before it.

    Text beside an object is commentary: OpenAI sends it as a message of its own, Anthropic leaves it out.
    """

    text: str = ""
    calls: tuple[tuple[str, Json], ...] = ()
    json: Json | None = None
    thinking: str = ""

    @property
    def words(self) -> str:
        """The visible text: the JSON where there is one."""
        return self.text if self.json is None else json.dumps(self.json, ensure_ascii=False)


FaultKind = Literal[
    "rate_limit",
    "overloaded",
    "server_error",
    "quota",
    "unauthorized",
    "forbidden",
    "context",
    "error_event",
    "failed",
    "cut",
    "drop",
    "length",
    "refusal",
    "window",
    "bad_json",
    "unknown_block",
    "slow",
]
HTTP_FAULTS = frozenset({"rate_limit", "overloaded", "server_error", "quota", "unauthorized", "forbidden", "context"})


@dataclass(frozen=True, slots=True)
class Fault:
    """A misbehaviour. `then` is the answer that is spoiled (cut, dropped, stopped at the length) or comes late or after an oddity.

    `retry_after` is the header's value in seconds, `seconds` how long a slow answer thinks after its stream opened.
    """

    kind: FaultKind
    then: "str | Json | Answer" = "This is where the answer would have been."
    retry_after: float | None = None
    seconds: float = 0.0


Reply = str | Json | Answer | Fault
Policy = Callable[[Call], Reply]


def tools(*calls: tuple[str, Json], text: str = "", thinking: str = "") -> Answer:
    """An answer that calls tools, in order."""
    return Answer(text=text, calls=calls, thinking=thinking)


def as_answer(reply: "str | Json | Answer") -> Answer:
    """The short forms of an answer as an Answer."""
    if isinstance(reply, str):
        return Answer(text=reply)
    return Answer(json=reply) if isinstance(reply, dict) else reply


class Unscripted(Exception):
    """A call that the script has nothing for: the vendor answers 400 with these words, so that it can't go unnoticed."""


class Script:
    """A policy from `role/step` to replies.

    `on` gives the reply of each *turn* of a conversation, so a replay after a crash hears the same; `sequence` gives the reply of each
    *call* of the step. The last reply repeats. A reply may be a function of the call. `fault` comes before either, `times` times.
    """

    def __init__(self) -> None:
        self._by_turn: dict[str, tuple[Reply | Policy, ...]] = {}
        self._by_call: dict[str, tuple[Reply | Policy, ...]] = {}
        self._seen: dict[str, int] = {}
        self._faults: dict[str, list[Fault]] = {}

    def on(self, name: str, *replies: Reply | Policy) -> "Script":
        """Reply by turn; `*` stands for every step without its own."""
        self._by_turn[name] = replies
        return self

    def sequence(self, name: str, *replies: Reply | Policy) -> "Script":
        """Reply by call."""
        self._by_call[name] = replies
        return self

    def fault(self, name: str, fault: Fault, *, times: int = 1) -> "Script":
        """Misbehave before the real reply; several faults come in the order they were added."""
        self._faults.setdefault(name, []).extend([fault] * times)
        return self

    def __call__(self, call: Call) -> Reply:
        """The reply to one call. Raises Unscripted."""
        for name in (call.name, "*"):
            if self._faults.get(name):
                return self._faults[name].pop(0)
        for name in (call.name, "*"):
            if name in self._by_call:
                seen = self._seen[name] = self._seen.get(name, 0) + 1
                return _said(self._by_call[name], seen, call)
            if name in self._by_turn:
                return _said(self._by_turn[name], call.turn, call)
        raise Unscripted(f"no reply is scripted for {call.name!r}, turn {call.turn}")


def _said(replies: tuple[Reply | Policy, ...], nth: int, call: Call) -> Reply:
    reply = replies[min(nth, len(replies)) - 1]
    if isinstance(reply, str | dict | Answer | Fault):
        return reply
    return reply(call)
