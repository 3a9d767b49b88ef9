"""Reactions that are owed: given after the commit that they confirm, again after a crash (GitHub counts the same one once)."""

import asyncio
import logging

import sqlalchemy as sa

from bot.ports import Clock, GitHub, Permanent, PortError, Transient
from bot.store import tables
from bot.store.runs import upsert

log = logging.getLogger("journeyman.receipts")


def owe(
    conn: sa.Connection, key: str, *, installation_id: int, repo: str, issue: int, comment_id: int | None, content: str
) -> None:
    """Write a reaction down in the decision's own transaction."""
    row = {
        "key": key,
        "installation_id": installation_id,
        "repo": repo,
        "issue": issue,
        "comment_id": comment_id,
        "content": content,
        "done": False,
    }
    conn.execute(upsert(conn, tables.receipt).values(**row).on_conflict_do_nothing(index_elements=["key"]))


class ReceiptsLoop:
    """Wakes on `poke()`; without one it looks every 5 s."""

    def __init__(self, database: sa.Engine, github: GitHub, *, clock: Clock) -> None:
        self._database, self._github, self._clock = database, github, clock
        self._woken = asyncio.Event()
        self._not_before = 0.0

    def poke(self) -> None:
        """A reaction was written down."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._woken.clear()
            rows = await asyncio.to_thread(self._open) if self._not_before <= self._clock.now() else []
            if rows and all(await asyncio.gather(*(self._give(row) for row in rows))):
                continue
            try:
                async with asyncio.timeout(5.0):  # wait_for of Python 3.11 may swallow a cancellation
                    await self._woken.wait()
            except TimeoutError:
                continue

    def _open(self) -> list[sa.Row]:
        c = tables.receipt.c
        with self._database.connect() as conn:
            return list(conn.execute(sa.select(tables.receipt).where(c.done.is_(False)).limit(20)).all())

    async def _give(self, row: sa.Row) -> bool:
        try:
            await self._github.react(
                row.installation_id, row.repo, comment_id=row.comment_id, issue=row.issue, content=row.content
            )
        except Permanent as problem:
            log.info("no %s reaction on %s#%s: %s", row.content, row.repo, row.issue, problem)
        except PortError as problem:
            log.warning("the %s reaction on %s#%s waits: %s", row.content, row.repo, row.issue, problem)
            if isinstance(problem, Transient) and problem.retry_at is not None:
                self._not_before = problem.retry_at  # a limit that is asked again before its time grows
            return False
        await asyncio.to_thread(self._done, row.key)
        return True

    def _done(self, key: str) -> None:
        with self._database.begin() as conn:
            conn.execute(sa.update(tables.receipt).where(tables.receipt.c.key == key).values(done=True))
