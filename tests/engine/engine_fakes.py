"""Fakes for the engine's loops: a clock by hand, a GitHub that answers what it is told, a durable engine that only writes down."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from bot.core.transition import PhaseCall
from bot.ports import PortError


@dataclass
class HandClock:
    """Time that moves when the test says so."""

    at: float = 1_795_000_000.0

    def now(self) -> float:
        return self.at

    def stamp(self) -> str:
        return datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class FakeGitHub:
    """`roles` by login; `trouble` is raised by the next calls, one each."""

    roles: dict[str, str] = field(default_factory=lambda: {"maria": "write", "eve": "read"})
    trouble: list[PortError] = field(default_factory=list)
    reactions: list[tuple[str, int | None, str]] = field(default_factory=list)
    made_labels: list[str] = field(default_factory=list)

    def _fail(self) -> None:
        if self.trouble:
            raise self.trouble.pop(0)

    async def permission(self, installation_id: int, repo: str, login: str) -> str:
        self._fail()
        return self.roles.get(login, "none")

    async def react(self, installation_id: int, repo: str, *, comment_id: int | None, issue: int, content: str) -> None:
        self._fail()
        self.reactions.append((repo, comment_id, content))

    async def ensure_label(self, installation_id: int, repo: str, name: str, color: str, description: str) -> None:
        self._fail()
        self.made_labels.append(name)


@dataclass
class FakeDurable:
    """Writes down what was enqueued and cancelled; `broken` raises at the next enqueue."""

    calls: list[PhaseCall] = field(default_factory=list)
    cancelled: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    broken: list[Exception] = field(default_factory=list)

    def enqueue(self, conn: sa.Connection, call: PhaseCall) -> None:
        if self.broken:
            raise self.broken.pop(0)
        self.calls.append(call)

    async def cancel(self, run_id: str, *, keep: tuple[str, ...] = ()) -> None:
        self.cancelled.append((run_id, keep))


class PlainSteps:
    """Steps that run at once and are kept, as the journal keeps them."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.mine = True

    async def once(self, name: str, work: Callable[[], Awaitable[Any]]) -> Any:
        if name not in self.kept:
            self.kept[name] = await work()
        return self.kept[name]

    async def still_mine(self) -> bool:
        return self.mine
