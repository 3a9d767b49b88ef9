"""A phase moves its run at the epoch it was started for, and whatever goes wrong in it becomes a state."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from bot.core.checkouts import task_key
from bot.core.evidence import Evidence
from bot.core.results import Result, Verified
from bot.core.run import Failed, Line, Paused, Run, TaskState
from bot.core.transition import PhaseCall
from bot.engine.phasing import Phasing
from bot.engine.rows import SqlRunRows
from bot.phases.context import PhaseRun
from bot.ports import Cancelled, Transient
from bot.store import runs
from tests.core.samples import plan, run, spec, task
from tests.engine.engine_fakes import FakeDurable, HandClock, PlainSteps

pytestmark = pytest.mark.fast
LINE = Line(1, "x", "agent/42-log", "working", tasks=(TaskState("t1", "x", "working"),))
RUN = replace(run(spec(), plan((task("t1", "shop/**"),))), epoch=4, phase="verify", lines=(LINE,))
CALL = PhaseCall("verify", RUN.id, 4, f"{RUN.id}/line/1/verify/abc", line=1)


@dataclass
class Bench:
    database: sa.Engine
    rows: SqlRunRows
    durable: FakeDurable
    clock: HandClock
    steps: PlainSteps

    def phasing(self, phase) -> Phasing:
        ctx = SimpleNamespace(rows=self.rows, clock=self.clock)
        return Phasing(ctx, self.database, self.durable, phases={"verify": phase}, woken=lambda: None)  # ty: ignore[invalid-argument-type]

    async def go(self, phase, call: PhaseCall = CALL) -> Run:
        await self.phasing(phase).bodies()["verify"](call, self.steps)
        return self.rows.load(RUN.id)


@pytest.fixture
def bench(database: sa.Engine) -> Bench:
    with database.begin() as conn:
        runs.save(conn, RUN)
    return Bench(database, SqlRunRows(database, lambda: None), FakeDurable(), HandClock(), PlainSteps())


def raising(problem: Exception) -> Callable:
    async def phase(_phase: PhaseRun) -> Result:
        raise problem

    return phase


def verified(line: int) -> Callable:
    evidence = Evidence("a" * 40, "a" * 40, "b" * 40, (), "L2", "PASS")

    async def phase(_phase: PhaseRun) -> Result:
        return Verified(line, evidence)

    return phase


async def test_a_result_moves_the_run_and_starts_the_next_phase(bench: Bench):
    moved = await bench.go(verified(1))
    assert (moved.epoch, moved.phase) == (5, "deliver")
    assert [call.phase for call in bench.durable.calls] == ["deliver"]


async def test_a_replay_after_the_run_moved_on_changes_nothing(bench: Bench):
    moved = await bench.go(verified(1))
    bench.steps = PlainSteps()
    assert await bench.go(verified(1)) == moved
    assert len(bench.durable.calls) == 1


async def test_a_run_that_moves_on_while_the_phase_works_is_left_alone(bench: Bench):
    stopped = replace(RUN, epoch=5, said="stopped meanwhile")

    async def phase(_phase: PhaseRun) -> Result:
        with bench.database.begin() as conn:
            runs.save(conn, stopped)
        return await verified(1)(_phase)

    assert await bench.go(phase) == stopped


async def test_trouble_that_passes_pauses_the_run_until_a_time(bench: Bench):
    now = await bench.go(raising(Transient("the vendor is busy", retry_at=bench.clock.now() + 120)))
    assert isinstance(now.state, Paused)
    assert now.state.until == "2026-11-18T11:08:40Z"
    assert now.phase == "verify"


async def test_a_bug_fails_the_run_with_a_way_out(bench: Bench):
    now = await bench.go(raising(ZeroDivisionError("division by zero")))
    assert isinstance(now.state, Failed)
    assert now.state.verb == "/agent retry"
    assert "division" not in now.state.reason


async def test_a_result_that_can_not_be_applied_fails_the_run_instead_of_leaving_it_standing(bench: Bench):
    now = await bench.go(verified(7))
    assert isinstance(now.state, Failed)


async def test_a_next_phase_that_can_not_be_enqueued_fails_the_run(bench: Bench):
    bench.durable.broken.append(ValueError("phase deliver is not bound"))
    now = await bench.go(verified(1))
    assert isinstance(now.state, Failed)


async def test_a_phase_that_lost_its_run_says_nothing(bench: Bench):
    assert await bench.go(raising(Cancelled("not ours"))) == RUN


async def test_a_checkout_is_needed_while_its_phase_works_or_its_task_is_open(bench: Bench):
    # given the checkouts of an open task, of its earlier attempt, and of a verification
    open_task, earlier = task_key(RUN, 1, "t1"), task_key(replace(RUN, attempt=0), 1, "t1")
    verify = f"{RUN.id}/verify/head/abc/unit"
    seen: list[list[bool]] = []

    async def phase(_phase: PhaseRun) -> Result:
        seen.append([phasing.needs(key) for key in (open_task, earlier, verify)])
        raise Cancelled("enough")

    # when a phase works on the run, all are kept
    phasing = bench.phasing(phase)
    await phasing.bodies()["verify"](CALL, bench.steps)
    assert seen == [[True, True, True]]
    # then only that of the open task
    assert [phasing.needs(key) for key in (open_task, earlier, verify)] == [True, False, False]


@pytest.mark.parametrize(
    "after",
    [
        replace(RUN, state=Failed("x"), epoch=5),
        replace(RUN, attempt=2),
        replace(RUN, lines=(replace(LINE, tasks=(TaskState("t1", "x", "done"),)),)),
    ],
    ids=["run over", "tried again", "task done"],
)
async def test_a_task_that_is_over_needs_no_checkout(bench: Bench, after: Run):
    with bench.database.begin() as conn:
        runs.save(conn, after)
    assert not bench.phasing(verified(1)).needs(task_key(RUN, 1, "t1"))


async def test_a_paused_task_keeps_its_checkout(bench: Bench):
    with bench.database.begin() as conn:
        runs.save(conn, replace(RUN, state=Paused("Paused by @maria."), epoch=5))
    assert bench.phasing(verified(1)).needs(task_key(RUN, 1, "t1"))


def test_a_checkout_of_an_erased_run_is_not_needed(bench: Bench):
    assert not bench.phasing(verified(1)).needs("acme/gone-1-r1/task/1/t1~1")
