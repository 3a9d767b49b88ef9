"""A task's journal: the shapes of its entries, and the conversation that they add up to.

Live and after a crash the same `_apply` runs, so a resumed task stands exactly where its last durable entry left it.

| entry | written | means |
|---|---|---|
| `resumed` | on entry, where there are others already | time since the entry before does not count |
| `sent` | before a call | the call may have reached the vendor |
| `answer` | after it | what came back, whether its turn is kept, and what we say to it |
| `tool started` | before a tool | it may have had its effect |
| `tool result` | after it | the one answer to that call |
| `steer` | between turns | words of a person |
| `hand-off` | before the last call of a full context | the model was asked for a note |
| `reset` | after it | the conversation starts again from the brief and the note |
"""

from dataclasses import asdict

from bot.agent.budget import tokens
from bot.core.budget import Usage
from bot.core.conversation import AssistantTurn, Json, ModelAnswer, ResultsTurn, ToolCall, ToolResult, Turn, UserTurn
from bot.ports import Clock, Journal


class Transcript:
    """The conversation so far, and what is owed in it."""

    def __init__(self, brief: str, journal: Journal, clock: Clock) -> None:
        self._brief, self._journal, self._clock = brief, journal, clock
        self.turns: list[Turn] = [UserTurn(brief)]
        self.answered = 0
        """Model calls whose answer is stored."""
        self.micros = 0
        self.resets = 0
        self.bad = 0
        """Answers in a row that could not be used."""
        self.steered = 0
        self.cuts = 0
        """Answers in a row that were cut off, since this execution began."""
        self.asked = 0
        """Questions that were answered."""
        self.handing_off = False
        self.note: str | None = None
        """The hand-off note, once it was written."""
        self.last: ModelAnswer | None = None
        """The last answer, until the conversation starts again."""
        self.calls: tuple[ToolCall, ...] = ()
        self.results: dict[str, ToolResult] = {}
        self.started: set[str] = set()
        self._context = self._counted = 0
        self._seen = 0.0
        self._active = 0.0
        entries = journal.entries()
        for entry in entries:
            self._apply(entry)
        if entries:
            self.record("resumed")

    def record(self, kind: str, **fields: object) -> None:
        """Make an entry durable, then part of the conversation."""
        entry: Json = {"kind": kind, "at": self._clock.now(), **fields}
        self._journal.append(entry)
        self._apply(entry)

    def record_answer(self, answer: ModelAnswer, *, keep: bool, bad: bool, say: str) -> None:
        """Store what came back; `keep` its turn in the conversation, `bad` counts towards giving up, `say` is our reply to it."""
        self.record("answer", n=self.answered + 1, answer=asdict(answer), keep=keep, bad=bad, say=say)

    def record_result(self, call: ToolCall, content: str, *, is_error: bool) -> None:
        """Store the one answer to a call."""
        self.record("tool result", call=call.id, content=content, is_error=is_error)

    def pending(self) -> ToolCall | None:
        """The first call of the last turn that has no result."""
        return next((call for call in self.calls if call.id not in self.results), None)

    def context(self) -> int:
        """Tokens that the next call will send: what the vendor counted last, plus an upper estimate of what was added since."""
        return self._context + tokens(self.turns[self._counted :])

    def active(self) -> float:
        """Seconds worked, pauses between executions left out."""
        return self._active + (self._clock.now() - self._seen if self._seen else 0.0)

    def _apply(self, entry: Json) -> None:
        at = float(entry["at"])
        if self._seen and entry["kind"] != "resumed":
            self._active += max(0.0, at - self._seen)
        self._seen = at
        match entry["kind"]:
            case "answer":
                self._apply_answer(entry)
            case "tool started":
                self.started.add(entry["call"])
            case "tool result":
                self._apply_result(ToolResult(entry["call"], entry["content"], entry["is_error"]))
            case "steer":
                self.steered += len(entry["texts"])
                self.turns.append(UserTurn("\n\n".join(entry["texts"])))
            case "hand-off":
                self.handing_off = True
                self.turns.append(UserTurn(entry["text"]))
            case "reset":
                self._apply_reset(entry["note"])
            case "resumed":
                self.cuts = 0
            case _:
                pass  # `sent` carries only its time

    def _apply_answer(self, entry: Json) -> None:
        answer = answer_from(entry["answer"])
        self.last = answer
        self.answered += 1
        self.micros += answer.micros
        self.cuts = self.cuts + 1 if answer.stop == "cut" else 0
        if answer.stop != "cut":
            self.bad = self.bad + 1 if entry["bad"] else 0
        if self.handing_off:
            self.note = answer.text
        if entry["keep"]:
            usage = answer.usage
            self._context = usage.input + usage.cache_read + usage.cache_write + usage.output
            self.turns.append(answer.turn)
            self._counted = len(self.turns)
            self.calls, self.results, self.started = answer.calls, {}, set()
        if entry["say"]:
            self.turns.append(UserTurn(entry["say"]))

    def _apply_result(self, result: ToolResult) -> None:
        self.results[result.call_id] = result
        self.asked += sum(call.id == result.call_id and call.name == "ask" for call in self.calls)
        if self.pending() is None:
            self.turns.append(ResultsTurn(tuple(self.results[call.id] for call in self.calls)))
            self.calls = ()

    def _apply_reset(self, note: str) -> None:
        self.turns = [UserTurn(self._brief), UserTurn(note)]
        self.resets += 1
        self.handing_off, self.note, self.last = False, None, None
        self.calls, self.results, self.started = (), {}, set()
        self._context = self._counted = 0
        self.bad = 0


def answer_from(stored: Json) -> ModelAnswer:
    """The answer that `record_answer` stored."""
    turn = AssistantTurn(stored["turn"]["vendor"], tuple(stored["turn"]["raw"]))
    calls = tuple(ToolCall(call["id"], call["name"], call["input"]) for call in stored["calls"])
    fields: Json = {**stored, "turn": turn, "calls": calls, "usage": Usage(**stored["usage"])}
    return ModelAnswer(**fields)
