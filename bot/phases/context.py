"""What every phase is given: the ports that wiring hands in, and what the operator decided."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import TypeAdapter

from bot.core.repo_config import Ceilings
from bot.core.run import Run
from bot.core.transition import PhaseCall
from bot.phases.holding import HELD, Held, held
from bot.ports import (
    Blobs,
    Cancelled,
    Clock,
    Effects,
    Gate,
    Git,
    GitHub,
    Journal,
    Ledger,
    Model,
    RunRows,
    Sandbox,
    Steps,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Roles:
    """Which model does what: role -> (`vendor/model`, effort)."""

    table: tuple[tuple[str, str, str], ...]

    def model(self, role: str) -> tuple[str, str]:
        """The model and the effort of a role."""
        return next((model, effort) for name, model, effort in self.table if name == role)


@dataclass(frozen=True, slots=True)
class Context:
    """One per engine process."""

    github: GitHub
    git: Git
    sandbox: Sandbox
    models: Model
    roles: Roles
    blobs: Blobs
    ledger: Ledger
    effects: Effects
    gate: Gate
    rows: RunRows
    journals: Callable[[str, str], Journal]
    clock: Clock
    ceilings: Ceilings
    app_slug: str
    app_id: int


@dataclass(frozen=True, slots=True)
class PhaseRun:
    """One execution of one phase: its call, its durable steps, and the run as it stood when it began."""

    ctx: Context
    call: PhaseCall
    steps: Steps
    run: Run

    async def step(self, name: str, kind: type[T], work: Callable[[], Awaitable[T]]) -> T:
        """A durable step whose result is data: kept as JSON, so that a row can be read by the next version.

        Raises Held where `work` failed in a way that a person or time can mend: that too is data, and is the same after a replay.
        """
        adapter: TypeAdapter[T] = TypeAdapter(kind)

        async def body() -> list[str]:
            try:
                return ["done", adapter.dump_json(await work()).decode()]
            except Cancelled:
                raise
            except Exception as problem:
                return ["held", HELD.dump_json(held(problem, self.run, self.ctx.clock.now())).decode()]

        how, doc = await self.steps.once(name, body)
        if how == "held":
            raise Held(HELD.validate_json(doc))
        return adapter.validate_json(doc)

    async def read_token(self) -> str:
        """A git token that can read this one repository."""
        return await self.ctx.github.token(self.run.installation_id, self.run.repo.id, write=False)
