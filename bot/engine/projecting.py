"""Publish one issue: the newest run's view, or the plain notice of an issue that has none."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import sqlalchemy as sa

from bot.core.events import RepoRef
from bot.core.ids import run_id
from bot.core.run import TERMINAL, Run, Stopped
from bot.core.view import Progress, Snapshot, View, notice, view
from bot.engine.publishing import Due
from bot.ports import Clock, GitHub, PortError, RunRows
from bot.store import runs, tables

log = logging.getLogger("journeyman.publish")


class Publishing(Protocol):
    """What makes GitHub equal to a view."""

    async def publish(self, run: Run, view: View, *, look: bool = False) -> float | None:
        """When it is due again (seconds since the epoch), None when all is equal."""
        ...

    async def publish_notice(self, place: Run, text: str) -> None:
        """One status comment where there is no run."""
        ...


@dataclass(frozen=True, slots=True)
class Projecting:
    """`cap` gives a run's limit in micros, for the status comment."""

    database: sa.Engine
    rows: RunRows
    publisher: Publishing
    github: GitHub
    clock: Clock
    cap: Callable[[str], int]
    app_slug: str

    async def __call__(self, due: Due) -> float | None:
        """See `PublishingLoop`."""
        run, progress = await asyncio.to_thread(self._read, due)
        if run is None:
            await self.publisher.publish_notice(_place(due), notice(due.notice, repo=due.repo, issue=due.issue))
            return None
        spend = await asyncio.to_thread(self.rows.spend, run.id)
        cap = await asyncio.to_thread(self.cap, run.id)
        shown = view(Snapshot(run, spend, progress, cap, self.clock.stamp(), self.app_slug))
        again = await self.publisher.publish(run, shown, look=due.look)
        if again is None:
            await asyncio.to_thread(self._published, run)
            if isinstance(run.state, TERMINAL):
                await self._revoke(run)
        return again

    def _read(self, due: Due) -> tuple[Run | None, tuple[Progress, ...]]:
        with self.database.connect() as conn:
            run = runs.newest(conn, due.repo_id, due.issue)
            if run is None:
                return None, ()
            c = tables.progress.c
            found = conn.execute(sa.select(c.line, c.task, c.turn, c.doing).where(c.run_id == run.id)).all()
        return run, tuple(Progress(it.line, it.task, it.turn, it.doing) for it in found if "~" not in it.task)

    def _published(self, run: Run) -> None:
        """A bare approval means the newest revision published before the comment: so the time is kept."""
        newest = run.revision
        if newest is None or newest.published_at:
            return
        published, now = newest.sha256, self.clock.stamp()

        def stamp(current: Run) -> Run:
            stamped = tuple(
                replace(it, published_at=now) if it.sha256 == published and not it.published_at else it
                for it in current.revisions
            )
            return replace(current, revisions=stamped)

        self.rows.note(run.id, run.epoch, stamp)

    async def _revoke(self, run: Run) -> None:
        """The last run that used a repository's tokens has ended: they end too."""
        if await asyncio.to_thread(self._still_used, run):
            return
        try:
            await self.github.revoke(run.installation_id, run.repo.id)
        except PortError as problem:
            log.info("tokens of %s end by themselves: %s", run.repo.full_name, problem)

    def _still_used(self, run: Run) -> bool:
        with self.database.connect() as conn:
            return runs.any_active(conn, run.repo.id)


def _place(due: Due) -> Run:
    """An issue without a run, as far as publishing a notice needs one."""
    return Run(
        id=run_id(due.repo, due.issue, 0),
        repo=RepoRef(due.repo_id, due.repo, "", private=False),
        installation_id=due.installation_id,
        issue=due.issue,
        issue_title="",
        issue_author="",
        number=0,
        mode="full",
        requester="",
        state=Stopped(),
        created_at="",
    )
