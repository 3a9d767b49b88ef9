"""The loops beside the phases: publishing, receipts, tidying."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import sqlalchemy as sa

from bot.engine import receipts
from bot.engine.publishing import Due, PublishingLoop
from bot.engine.receipts import ReceiptsLoop
from bot.engine.tidying import TidyingLoop
from bot.ports import Permanent, Transient
from bot.store import runs, tables
from tests.engine.engine_fakes import FakeGitHub, HandClock

pytestmark = pytest.mark.fast


@asynccontextmanager
async def running(loop: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(loop.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(what: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not what():
            await asyncio.sleep(0.005)


def want(database: sa.Engine, issue: int) -> None:
    with database.begin() as conn:
        runs.want_published(conn, 7, issue, installation_id=1, repo="acme/shop")


def open_issues(database: sa.Engine) -> list[int]:
    c = tables.publication.c
    with database.connect() as conn:
        return list(conn.execute(sa.select(c.issue).where(c.wanted > c.done).order_by(c.issue)).scalars())


class Press:
    """Publishes by writing down; `trouble` is raised first, `again` given back."""

    def __init__(self) -> None:
        self.dues: list[Due] = []
        self.trouble: list[Exception] = []
        self.again: list[float | None] = []
        self.gate: asyncio.Event | None = None
        self.at_once: set[int] = set()
        self.overlaps: list[int] = []
        self.most = 0

    async def __call__(self, due: Due) -> float | None:
        self.dues.append(due)
        if due.issue in self.at_once:
            self.overlaps.append(due.issue)
        self.at_once.add(due.issue)
        self.most = max(self.most, len(self.at_once))
        try:
            if self.gate:
                await self.gate.wait()
            if self.trouble:
                raise self.trouble.pop(0)
            return self.again.pop(0) if self.again else None
        finally:
            self.at_once.discard(due.issue)


async def test_what_is_wanted_is_published_once(database: sa.Engine):
    press = Press()
    want(database, 42)
    async with running(PublishingLoop(database, press, clock=HandClock())):
        await until(lambda: not open_issues(database))
        await asyncio.sleep(0.05)
    assert [(due.issue, due.wanted) for due in press.dues] == [(42, 1)]


async def test_a_change_during_a_publication_is_published_after_it(database: sa.Engine):
    # given a publication that is going on
    press = Press()
    press.gate = asyncio.Event()
    want(database, 42)
    loop = PublishingLoop(database, press, clock=HandClock())
    async with running(loop):
        await until(lambda: bool(press.dues))
        # when the run changes meanwhile
        want(database, 42)
        loop.poke()
        await asyncio.sleep(0.05)
        press.gate.set()
        await until(lambda: not open_issues(database))
    # then one more follows, never beside the first
    assert [due.wanted for due in press.dues] == [1, 2]
    assert press.overlaps == []


async def test_different_issues_go_side_by_side(database: sa.Engine):
    press = Press()
    press.gate = asyncio.Event()
    for issue in (41, 42, 43):
        want(database, issue)
    async with running(PublishingLoop(database, press, clock=HandClock())):
        await until(lambda: press.most == 3)
        press.gate.set()
        await until(lambda: not open_issues(database))


async def test_a_failure_waits_its_time_out_even_when_something_changes(database: sa.Engine):
    # given a GitHub that asks us to come again in a minute
    press, clock = Press(), HandClock()
    press.trouble.append(Transient("secondary limit", retry_at=clock.now() + 60))
    want(database, 42)
    loop = PublishingLoop(database, press, clock=clock)
    async with running(loop):
        await until(lambda: len(press.dues) == 1 and not press.at_once)
        # when something changes before
        clock.at += 59
        want(database, 42)
        loop.poke()
        await asyncio.sleep(0.1)
        assert len(press.dues) == 1
        # then it is published after that minute
        clock.at += 2
        loop.poke()
        await until(lambda: not open_issues(database))


async def test_an_edit_that_is_due_later_is_looked_at_again_at_once_when_something_changes(database: sa.Engine):
    press, clock = Press(), HandClock()
    press.again.append(clock.now() + 300)
    want(database, 42)
    loop = PublishingLoop(database, press, clock=clock)
    async with running(loop):
        await until(lambda: len(press.dues) == 1 and not press.at_once)
        want(database, 42)
        loop.poke()
        await until(lambda: not open_issues(database))
    assert [due.wanted for due in press.dues] == [1, 2]


async def test_what_can_never_be_published_is_given_up(database: sa.Engine):
    press = Press()
    press.trouble.append(Permanent("404"))
    want(database, 42)
    async with running(PublishingLoop(database, press, clock=HandClock())):
        await until(lambda: not open_issues(database))


async def test_a_bug_in_one_publication_stops_no_other_and_is_tried_again(database: sa.Engine):
    press, clock = Press(), HandClock()
    press.trouble.append(RuntimeError("a bug"))
    want(database, 41)
    loop = PublishingLoop(database, press, clock=clock)
    async with running(loop):
        await until(lambda: len(press.dues) == 1 and not press.at_once)
        want(database, 42)
        loop.poke()
        await until(lambda: open_issues(database) == [41])
        clock.at += 31
        loop.poke()
        await until(lambda: not open_issues(database))


@pytest.mark.parametrize("ticks", range(6))
async def test_a_loop_that_is_woken_and_cancelled_at_once_ends(database: sa.Engine, ticks: int):
    loop = ReceiptsLoop(database, FakeGitHub(), clock=HandClock())  # ty: ignore[invalid-argument-type]
    task = asyncio.create_task(loop.run())
    await asyncio.sleep(0.05)
    loop.poke()
    for _ in range(ticks):
        await asyncio.sleep(0)
    task.cancel()
    assert await asyncio.wait([task], timeout=1.0) == ({task}, set())


# ---- receipts ------------------------------------------------------------------------------------------------------


def owe(database: sa.Engine, *keys: str) -> None:
    with database.begin() as conn:
        for key in keys:
            receipts.owe(
                conn, key, installation_id=1, repo="acme/shop", issue=42, comment_id=hash(key) % 1000, content="eyes"
            )


def owed(database: sa.Engine) -> int:
    with database.connect() as conn:
        return conn.execute(sa.select(sa.func.count()).where(tables.receipt.c.done.is_(False))).scalar_one()


async def test_each_receipt_is_given_once(database: sa.Engine):
    github = FakeGitHub()
    owe(database, "g1/eyes", "g2/eyes")
    owe(database, "g1/eyes")
    async with running(ReceiptsLoop(database, github, clock=HandClock())):  # ty: ignore[invalid-argument-type]
        await until(lambda: not owed(database))
    assert len(github.reactions) == 2


async def test_many_receipts_do_not_wait_for_each_other(database: sa.Engine):
    github = FakeGitHub()
    owe(database, *(f"g{n}/eyes" for n in range(65)))
    async with running(ReceiptsLoop(database, github, clock=HandClock())):  # ty: ignore[invalid-argument-type]
        await until(lambda: not owed(database), seconds=4.0)
    assert len(github.reactions) == 65


async def test_a_receipt_that_can_not_be_given_now_is_given_later(database: sa.Engine):
    github = FakeGitHub(trouble=[Transient("502")])
    owe(database, "g1/eyes")
    loop = ReceiptsLoop(database, github, clock=HandClock())  # ty: ignore[invalid-argument-type]
    async with running(loop):
        await until(lambda: not github.trouble)
        await asyncio.sleep(0.02)
        assert owed(database) == 1
        loop.poke()
        await until(lambda: not owed(database))


async def test_receipts_wait_out_a_limit_even_when_more_are_owed(database: sa.Engine):
    clock = HandClock()
    github = FakeGitHub(trouble=[Transient("secondary limit", retry_at=clock.now() + 60)])
    owe(database, "g1/eyes")
    loop = ReceiptsLoop(database, github, clock=clock)  # ty: ignore[invalid-argument-type]
    async with running(loop):
        await until(lambda: not github.trouble)
        owe(database, "g2/eyes")
        loop.poke()
        await asyncio.sleep(0.1)
        assert owed(database) == 2
        clock.at += 61
        loop.poke()
        await until(lambda: not owed(database))


async def test_a_receipt_for_what_is_gone_is_let_go(database: sa.Engine):
    github = FakeGitHub(trouble=[Permanent("404")])
    owe(database, "g1/eyes")
    async with running(ReceiptsLoop(database, github, clock=HandClock())):  # ty: ignore[invalid-argument-type]
        await until(lambda: not owed(database))
    assert github.reactions == []


# ---- tidying -------------------------------------------------------------------------------------------------------


async def test_tidying_sweeps_at_the_start_and_outlives_a_sweep_that_fails():
    swept: list[int] = []

    async def sweep() -> None:
        swept.append(1)
        if len(swept) == 1:
            raise Transient("a checkout could not be removed")

    loop = TidyingLoop(sweep)
    async with running(loop):
        await until(lambda: len(swept) == 1)
        loop.poke()
        await until(lambda: len(swept) == 2)
