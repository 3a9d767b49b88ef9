"""The contract with the durable engine, on the real one: one transaction, one execution, fenced and cancellable."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
import sqlalchemy as sa
from dbos import DBOS

from bot.core.run import Phase
from bot.core.transition import PhaseCall
from bot.engine.durable import VERSION, Durable
from bot.ports import Steps

RUN = "acme/shop-42-r1"
Body = Callable[[PhaseCall, Steps], Awaitable[None]]


def call(phase: Phase = "draft", key: str = "1", epoch: int = 1) -> PhaseCall:
    return PhaseCall(phase, RUN, epoch, f"{RUN}/{phase}/{key}", 3, "t1")


@asynccontextmanager
async def engine(
    database: sa.Engine, body: Body, wanted: Callable[[PhaseCall], bool] = lambda _: True
) -> AsyncIterator:
    """A running engine whose draft and work phases are `body`."""
    durable = Durable(database, executor_id="engine", poll=0.02)
    durable.bind({"draft": body, "work": body}, wanted)
    await durable.start({"control": 8, "work": 2})
    try:
        yield durable
    finally:
        await asyncio.to_thread(lambda: DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=0))


async def until(what: Callable[[], bool], seconds: float = 8.0) -> None:
    async with asyncio.timeout(seconds):
        while not what():
            await asyncio.sleep(0.01)


def workflows(database: sa.Engine) -> dict[str, tuple[str, str]]:
    query = "select workflow_uuid, status, application_version from workflow_status"
    with database.connect() as conn:
        return {row[0]: (row[1], row[2]) for row in conn.execute(sa.text(query))}


async def test_a_phase_that_is_enqueued_twice_runs_once_with_its_call(database: sa.Engine):
    seen: list[PhaseCall] = []

    async def body(given: PhaseCall, steps: Steps) -> None:
        seen.append(given)

    async with engine(database, body) as durable:
        for _ in range(2):
            with database.begin() as conn:
                durable.enqueue(conn, call())
        await until(lambda: workflows(database).get(call().workflow_id) == ("SUCCESS", VERSION))
    assert seen == [call()]
    assert VERSION == "wf-1", "another one strands every phase that is under way"


async def test_a_rolled_back_transaction_starts_nothing_and_an_unknown_phase_is_refused(database: sa.Engine):
    async def body(given: PhaseCall, steps: Steps) -> None:
        raise AssertionError("it must not run")

    async with engine(database, body) as durable:
        with suppress(ZeroDivisionError), database.begin() as conn:
            durable.enqueue(conn, call())
            raise ZeroDivisionError
        with pytest.raises(ValueError, match="phase inspect is not bound"), database.begin() as conn:
            durable.enqueue(conn, call("inspect"))
        assert workflows(database) == {}


def test_nothing_is_enqueued_before_the_start(database: sa.Engine):
    with pytest.raises(ValueError, match="not bound"), database.begin() as conn:
        Durable(database, executor_id="engine").enqueue(conn, call())


async def test_cancel_interrupts_the_steps_of_a_run_but_not_what_it_is_told_to_keep(database: sa.Engine):
    # given two phases of a run and one of another, each in the middle of a step
    started: list[str] = []
    interrupted: list[str] = []
    go = asyncio.Event()

    async def body(given: PhaseCall, steps: Steps) -> None:
        async def long() -> int:
            started.append(given.workflow_id)
            try:
                await go.wait()
            except asyncio.CancelledError:
                interrupted.append(given.workflow_id)
                raise
            return 1

        await steps.once("long", long)

    other = PhaseCall("draft", "acme/shop-42-r10", 1, "acme/shop-42-r10/draft/1")
    async with engine(database, body) as durable:
        with database.begin() as conn:
            for one in (call(key="1"), call(key="2"), other):
                durable.enqueue(conn, one)
        await until(lambda: len(started) == 3)
        # when the run is cancelled, but for the second
        await durable.cancel(RUN, keep=(call(key="2").workflow_id,))
        # then only the first is interrupted, within five seconds
        await until(lambda: bool(interrupted), seconds=5.0)
        await asyncio.sleep(0.2)
        assert interrupted == [call(key="1").workflow_id]
        go.set()
        await until(lambda: sum(it[0] == "SUCCESS" for it in workflows(database).values()) == 2)


async def test_a_phase_is_not_ours_any_more_once_its_run_moved_on(database: sa.Engine):
    moved = asyncio.Event()
    answers: list[bool] = []

    async def body(given: PhaseCall, steps: Steps) -> None:
        async def ask() -> bool:
            return await steps.still_mine()

        answers.append(await steps.once("before", ask))
        moved.set()
        answers.append(await steps.once("after", ask))

    async with engine(database, body, wanted=lambda _: not moved.is_set()) as durable:
        with database.begin() as conn:
            durable.enqueue(conn, call())
        await until(lambda: len(answers) == 2)
    assert answers == [True, False]
