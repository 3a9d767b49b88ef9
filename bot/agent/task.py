"""One worker's task: what stays the same while it runs."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.agent.budget import Limits
from bot.agent.tools import ask, bash, edit, report
from bot.agent.tools.schema import problem
from bot.agent.transcript import Transcript
from bot.core.budget import Charge
from bot.core.conversation import ModelAnswer, ModelRequest, ToolCall
from bot.ports import Cancelled, Checkout, Ledger, Model, Sandbox, SandboxRun

TOOLS = {spec.name: spec for spec in (bash.SPEC, edit.SPEC, report.SPEC, ask.SPEC)}


@dataclass(frozen=True, slots=True)
class Task:
    """What stays the same while one worker works. `key` names the task in the ledger; `request` is a call without turns and tools.

    `on_turn` runs between turns, when no tool is running: the place for a checkpoint and a heartbeat. `steer` gives what people said
    after the first n messages. `still_mine` is asked before each call and each tool. `answers` settle this task's questions, in order.
    """

    run_id: str
    key: str
    request: ModelRequest
    model: Model
    sandbox: Sandbox
    checkout: Checkout
    ledger: Ledger
    limits: Limits
    on_turn: Callable[[Transcript], Awaitable[None]]
    steer: Callable[[int], Sequence[str]]
    still_mine: Callable[[], Awaitable[bool]]
    answers: tuple[str, ...] = ()

    async def own(self) -> None:
        if not await self.still_mine():
            raise Cancelled("the task is no longer ours")

    async def status(self) -> str:
        ended = await self.sandbox.run(SandboxRun(self.checkout, ("git", "status", "--short"), output_limit=8_000))
        return ended.output.decode(errors="replace").strip() or "(clean)"

    async def run_tool(self, call: ToolCall, left: float) -> tuple[str, bool]:
        if call.name == edit.SPEC.name:
            return await edit.run(call.input, sandbox=self.sandbox, checkout=self.checkout)
        seconds = min(float(self.limits.command_seconds), left)
        return await bash.run(
            call.input,
            sandbox=self.sandbox,
            checkout=self.checkout,
            seconds=seconds,
            memory_mb=self.limits.memory_mb,
            processes=self.limits.processes,
        )

    def key_of(self, number: int) -> str:
        return f"{self.key}/turn/{number}"

    def settle(self, number: int, answer: ModelAnswer) -> None:
        role, request_id = self.request.role, answer.request_id
        self.ledger.settle(
            Charge(self.run_id, self.key_of(number), role, answer.model, answer.usage, answer.micros, request_id)
        )


def wrong(call: ToolCall) -> str:
    """Why a call can't be run, as a sentence; empty for a good one."""
    return problem(TOOLS[call.name].schema, call.input) if call.name in TOOLS else f"There is no tool `{call.name}`."
