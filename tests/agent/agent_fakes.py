"""A vendor, a sandbox, a journal and a ledger in memory, for stories about the worker's loop."""

import copy
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.agent.budget import Limits
from bot.agent.task import Task
from bot.core.budget import Charge, Usage
from bot.core.conversation import AssistantTurn, ModelAnswer, ModelRequest, ResultsTurn, ToolCall, ToolResult, UserTurn
from bot.ports import BudgetExhausted, Checkout, SandboxResult, SandboxRun

CHECKOUT = Checkout(
    "k", "acme/shop", "0" * 40, *(Path("/nowhere") / name for name in ("base", "upper", "scratch", "home", "objects"))
)
REPORT = {"status": "done", "decisions": [], "deviations": [], "blockers": [], "follow_ups": []}
QUESTION = {"question": "Which port?", "options": ["80", "8080"], "recommendation": "8080"}


class FakeClock:
    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    def stamp(self) -> str:
        return "2026-11-24T09:00:00Z"


class MemoryJournal:
    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def entries(self) -> list[dict[str, Any]]:
        return copy.deepcopy(self.rows)

    def append(self, entry: dict[str, Any]) -> None:
        self.rows.append(copy.deepcopy(entry))

    def kinds(self) -> list[str]:
        return [row["kind"] for row in self.rows]


@dataclass
class MemoryLedger:
    cap: int = 10**12
    reserved: dict[str, int] = field(default_factory=dict)
    settled: dict[str, Charge] = field(default_factory=dict)
    released: list[str] = field(default_factory=list)

    def reserve(self, run_id: str, key: str, micros: int) -> None:
        if sum(charge.micros for charge in self.settled.values()) + micros > self.cap:
            raise BudgetExhausted("The run's $5.00 are used.", axis="dollars")
        self.reserved[key] = micros

    def settle(self, charge: Charge) -> None:
        self.reserved.pop(charge.key, None)
        self.settled[charge.key] = charge

    def release(self, run_id: str, key: str) -> None:
        self.reserved.pop(key, None)
        self.released.append(key)


class FakeVendor:
    """Answers by `script`, in the order of its finished calls; an exception in the script is raised."""

    def __init__(self, *script: ModelAnswer | Exception, worst: int = 10) -> None:
        self.script = list(script)
        self.worst = worst
        self.requests: list[ModelRequest] = []

    async def complete(self, request: ModelRequest) -> ModelAnswer:
        step = self.script[len(self.requests)]
        self.requests.append(request)
        if isinstance(step, Exception):
            raise step
        return step

    def worst_case(self, request: ModelRequest) -> int:
        return self.worst


class FakeSandbox:
    level = "L0 fake"

    def __init__(self, answer: Callable[[SandboxRun], SandboxResult] | None = None) -> None:
        self.answer = answer or (lambda run: SandboxResult(0, f"ran {run.argv[-1]}".encode(), 0.1))
        self.commands: list[str] = []
        self.runs: list[SandboxRun] = []

    async def run(self, command: SandboxRun) -> SandboxResult:
        if command.argv[0] == "git":
            return SandboxResult(0, b" M app.py\n", 0.01)
        self.commands.append(command.argv[-1])
        self.runs.append(command)
        return self.answer(command)


def bash_call(command: str, id: str | None = None) -> ToolCall:
    return ToolCall(id or f"call-{command}", "bash", {"command": command, "timeout": 60})


def answer(
    *calls: ToolCall,
    stop: Any = None,
    text: str = "",
    micros: int = 10,
    usage: Usage | None = None,
    detail: str = "",
) -> ModelAnswer:
    stop = stop or ("tool" if calls else "end")
    raw = tuple({"type": "tool_use", "id": c.id, "name": c.name, "input": c.input} for c in calls) or (
        {"type": "text", "text": text},
    )
    return ModelAnswer(
        stop, text, calls, AssistantTurn("fake", raw), usage or Usage(), micros, "fake/model", "req", detail=detail
    )


def report(**changes: Any) -> ModelAnswer:
    return answer(ToolCall("report-1", "report", {**REPORT, **changes}))


async def _yes() -> bool:
    return True


async def _nothing(_state: Any) -> None:
    return None


def task(
    model: Any,
    *,
    sandbox: Any = None,
    ledger: Any = None,
    limits: Limits | None = None,
    on_turn: Callable[[Any], Awaitable[None]] = _nothing,
    steer: Callable[[int], Sequence[str]] = lambda seen: [],
    still_mine: Callable[[], Awaitable[bool]] = _yes,
    answers: tuple[str, ...] = (),
) -> Task:
    return Task(
        run_id="acme/shop-1-r1",
        key="line/1/task/1",
        request=ModelRequest("work", "fake/model", "journeyman:work/task@1", ()),
        model=model,
        sandbox=sandbox or FakeSandbox(),
        checkout=CHECKOUT,
        ledger=ledger or MemoryLedger(),
        limits=limits or Limits(),
        on_turn=on_turn,
        steer=steer,
        still_mine=still_mine,
        answers=answers,
    )


def shown(request: ModelRequest) -> list[str | tuple[str, ...] | list[ToolResult]]:
    """A request's turns, short: texts of ours, names of calls, results."""
    out: list[Any] = []
    for turn in request.turns:
        match turn:
            case UserTurn(text):
                out.append(text)
            case AssistantTurn(_, raw):
                out.append(tuple(block.get("id", block.get("text")) for block in raw))
            case ResultsTurn(results):
                out.append([result.content for result in results])
    return out
