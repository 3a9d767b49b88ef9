"""The publisher's loop: every issue whose rows are ahead of what GitHub shows, one at a time an issue, last state wins."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import sqlalchemy as sa

from bot.ports import Clock, PortError, Transient
from bot.store import tables

log = logging.getLogger("journeyman.publish")


@dataclass(frozen=True, slots=True)
class Due:
    """An issue that has to be published, and the version of its rows that this publication will cover."""

    repo_id: int
    issue: int
    installation_id: int
    repo: str
    wanted: int
    notice: str
    look: bool


Publish = Callable[[Due], Awaitable[float | None]]
"""Make GitHub equal for one issue; returns when to come again (seconds since the epoch), or None when all is equal."""


class PublishingLoop:
    """Wakes on `poke()` or once a second; different issues go side by side."""

    def __init__(self, database: sa.Engine, publish: Publish, *, clock: Clock, at_once: int = 8) -> None:
        self._database, self._publish, self._clock = database, publish, clock
        self._woken = asyncio.Event()
        self._not_before: dict[tuple[int, int], tuple[int | None, float]] = {}
        self._busy: set[tuple[int, int]] = set()
        self._slots = asyncio.Semaphore(at_once)

    def poke(self) -> None:
        """Something changed: look again at once."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                for due in await asyncio.to_thread(self._waiting):
                    key = (due.repo_id, due.issue)
                    if key not in self._busy and self._ready(due):
                        self._busy.add(key)
                        group.create_task(self._one(due))
                self._woken.clear()
                try:
                    async with asyncio.timeout(self._pause()):  # wait_for of Python 3.11 may swallow a cancellation
                        await self._woken.wait()
                except TimeoutError:
                    continue

    def _ready(self, due: Due) -> bool:
        """A change since the last look may be an urgent one, so it is looked at again before its time; a failure waits its time out."""
        wanted, at = self._not_before.get((due.repo_id, due.issue), (0, 0.0))
        return at <= self._clock.now() or (wanted is not None and due.wanted > wanted)

    def _pause(self) -> float:
        soonest = min((at for _, at in self._not_before.values()), default=self._clock.now() + 1.0)
        return min(max(soonest - self._clock.now(), 0.05), 1.0)

    async def _one(self, due: Due) -> None:
        key = (due.repo_id, due.issue)
        self._not_before.pop(key, None)
        try:
            async with self._slots:
                again = await self._publish(due)
            if again is None:
                await asyncio.to_thread(self._done, due)
            else:
                self._not_before[key] = (due.wanted, again)
        except Transient as problem:
            self._not_before[key] = (None, problem.retry_at or self._clock.now() + 5.0)
            log.warning("publishing %s#%s waits: %s", due.repo, due.issue, problem)
        except PortError as problem:
            log.error("publishing %s#%s failed: %s", due.repo, due.issue, problem)
            await asyncio.to_thread(self._done, due)
        except Exception:
            log.exception("publishing %s#%s met a bug", due.repo, due.issue)
            self._not_before[key] = (None, self._clock.now() + 30.0)
        finally:
            self._busy.discard(key)
            self._woken.set()

    def _waiting(self) -> list[Due]:
        c = tables.publication.c
        with self._database.connect() as conn:
            rows = conn.execute(sa.select(tables.publication).where(c.wanted > c.done).limit(500)).all()
        return [Due(r.repo_id, r.issue, r.installation_id, r.repo, r.wanted, r.notice, r.look) for r in rows]

    def _done(self, due: Due) -> None:
        c = tables.publication.c
        where_all = (c.repo_id == due.repo_id) & (c.issue == due.issue)
        where = where_all & (c.done < due.wanted)
        with self._database.begin() as conn:
            conn.execute(sa.update(tables.publication).where(where).values(done=due.wanted))
            conn.execute(sa.update(tables.publication).where(where_all, c.wanted == due.wanted).values(look=False))
