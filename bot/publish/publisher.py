"""One publisher an issue makes GitHub equal to the view: only differences, some seconds apart, the last state wins."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from bot.core.projection import Projection
from bot.core.run import Run
from bot.core.view import View
from bot.ports import Clock, Effects, GitHub
from bot.publish.effects import KeyLocks
from bot.publish.gate import Gate
from bot.publish.sync import Doors, ProjectionRows, StillMine, Sync


async def _always() -> bool:
    return True


class Publisher:
    """`interval` are the seconds between two publications of an issue; `quiet` between two in which nothing urgent changed, doubling
    up to `quietest`: GitHub's budget of content writes is shared by every run of an installation."""

    def __init__(
        self,
        github: GitHub,
        effects: Effects,
        *,
        rows: ProjectionRows,
        gate: Gate,
        clock: Clock,
        app_id: int,
        interval: float = 10.0,
        quiet: float = 300.0,
        quietest: float = 1800.0,
        lock: Callable[[str], AbstractAsyncContextManager[None]] | None = None,
    ) -> None:
        self._doors = Doors(github, effects, rows, gate, app_id)
        self._clock = clock
        self._interval = interval
        self._quiet = quiet
        self._quietest = quietest
        self._lock = lock or KeyLocks()
        self._ensured: set[tuple[int, str]] = set()

    async def publish(
        self, run: Run, view: View, *, look: bool = False, still_mine: StillMine = _always
    ) -> float | None:
        """Publish what differs, or give the time (seconds since the epoch) at which it is due; None when all is equal.

        `look` reads GitHub first, where somebody may have changed what we published or put a command label on again. Raises what
        the ports raise; what was done by then is kept, and publishing again does the rest.
        """
        async with self._lock(f"publish/{run.repo.id}#{run.issue}"):
            seen = await asyncio.to_thread(self._doors.rows.load, run.repo.id, run.issue)
            if seen.run_id != run.id:
                seen = _next_run(seen, run)
            sync = Sync(self._doors, run, seen, still_mine=still_mine, ensured=self._ensured)
            if look and seen.status.id:
                await sync.look(view)
            await sync.reactions(view.reactions)
            if not sync.differs(view):
                return None
            due = self._due(sync, view)
            if due > self._clock.now():
                return due
            await self._equalise(sync, view)
            return None

    async def publish_notice(self, place: Run, text: str) -> None:
        """One status comment on an issue that has no run: what was refused, and what to do. Command labels go, to be put on again."""
        async with self._lock(f"publish/{place.repo.id}#{place.issue}"):
            seen = await asyncio.to_thread(self._doors.rows.load, place.repo.id, place.issue)
            sync = Sync(self._doors, place, seen, still_mine=_always, ensured=self._ensured)
            await sync.comment("status", text)
            await sync.drop_commands()

    def _due(self, sync: Sync, view: View) -> float:
        seen = sync.seen
        if not seen.status.id or (view.attention and sync.mention_due(view)):
            return 0.0
        if seen.urgent != view.urgent or not seen.status.hash or not seen.label:
            return seen.published_at + self._interval
        return seen.published_at + max(self._interval, min(self._quiet * 2**seen.calm, self._quietest))

    async def _equalise(self, sync: Sync, view: View) -> None:
        calm = sync.seen.calm + 1 if sync.seen.urgent == view.urgent else 0
        await sync.comment("status", view.status)
        if view.spec is not None:
            await sync.comment("spec", view.spec)
        await sync.attention(view.attention)
        await sync.label(view)
        for pull in view.pulls:
            await sync.pull(pull)
        for check in view.checks:
            await sync.check(check)
        await sync.keep(urgent=view.urgent, calm=calm, published_at=self._clock.now())


def _next_run(seen: Projection, run: Run) -> Projection:
    """A new run on the issue takes over its comments; labels are read anew."""
    return replace(seen, run_id=run.id, label="", pulls={}, checks={}, reactions=(), urgent="", calm=0)
