"""Runs as rows: whole, fenced by epoch, one active one an issue."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from bot.core.run import Done, Drafting, Line, Paused, Stopped, Working
from bot.core.transition import PhaseCall, Transition
from bot.engine.rows import SqlRunRows
from bot.store import runs, tables
from tests.core.samples import plan, run, spec, task

pytestmark = pytest.mark.fast
RUN = run(spec(), plan((task("t1", "shop/**"),)))


class Told:
    """Counts how often somebody was told that something changed."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def rows(database: sa.Engine, told: Told) -> SqlRunRows:
    return SqlRunRows(database, told)


def save(database: sa.Engine, *some) -> None:
    with database.begin() as conn:
        for one in some:
            runs.save(conn, one)


def published(database: sa.Engine) -> list[tuple]:
    c = tables.publication.c
    with database.connect() as conn:
        return [tuple(it) for it in conn.execute(sa.select(c.repo_id, c.issue, c.wanted, c.done))]


def test_a_run_comes_back_whole(database: sa.Engine, rows: SqlRunRows):
    save(database, RUN)
    assert rows.load(RUN.id) == RUN


def test_an_erased_run_is_a_lookup_error(rows: SqlRunRows):
    with pytest.raises(LookupError):
        rows.load(RUN.id)


def test_one_issue_has_one_active_run(database: sa.Engine):
    save(database, RUN)
    with pytest.raises(sa.exc.IntegrityError):
        save(database, replace(RUN, id="acme/shop-42-r2", number=2))


def test_a_new_run_may_follow_an_ended_one(database: sa.Engine):
    save(database, replace(RUN, state=Done("merged")), replace(RUN, id="acme/shop-42-r2", number=2))
    with database.connect() as conn:
        assert runs.newest(conn, RUN.repo.id, RUN.issue).id == "acme/shop-42-r2"


def test_saving_asks_for_the_issue_to_be_published(database: sa.Engine):
    save(database, RUN, RUN)
    assert published(database) == [(RUN.repo.id, RUN.issue, 2, 0)]


def test_a_note_changes_what_is_shown_and_tells(database: sa.Engine, rows: SqlRunRows, told: Told):
    save(database, RUN)
    assert rows.note(RUN.id, RUN.epoch, lambda it: replace(it, said="hello"))
    assert rows.load(RUN.id).said == "hello"
    assert told.times == 1


def test_a_note_of_an_earlier_epoch_changes_nothing(database: sa.Engine, rows: SqlRunRows):
    save(database, replace(RUN, epoch=5))
    assert not rows.note(RUN.id, 4, lambda it: replace(it, said="late"))
    assert rows.load(RUN.id).said == ""


def test_a_failed_enqueue_leaves_the_run_as_it_was(database: sa.Engine, rows: SqlRunRows):
    # given a run, and an engine that can't enqueue
    save(database, RUN)
    call = PhaseCall("verify", RUN.id, 2, f"{RUN.id}/verify")

    def refuse(_conn: sa.Connection, _call: PhaseCall) -> None:
        raise ValueError("not bound")

    # when the run is moved on
    with pytest.raises(ValueError, match="not bound"), database.begin() as conn:
        runs.apply(conn, Transition(replace(RUN, epoch=2), (call,)), refuse)
    # then neither happened
    assert rows.load(RUN.id).epoch == RUN.epoch


def test_a_paused_run_shows_when_it_goes_on(database: sa.Engine):
    save(database, replace(RUN, state=Paused("Busy.", until="2026-11-24T10:00:00Z")))
    with database.connect() as conn:
        assert conn.execute(sa.select(tables.run.c.until)).scalar() == "2026-11-24T10:00:00Z"
    save(database, RUN)
    with database.connect() as conn:
        assert conn.execute(sa.select(tables.run.c.until)).scalar() == ""


def test_starts_are_counted_by_task(rows: SqlRunRows):
    counted = [rows.attempt(RUN.id, 1, "t1~1+0@0"), rows.attempt(RUN.id, 1, "t1~1+0@0"), rows.attempt(RUN.id, 1, "t2")]
    assert counted == [1, 2, 1]


def test_the_first_baseline_stands(rows: SqlRunRows):
    assert rows.baseline("k") is None
    rows.keep_baseline("k", "first")
    rows.keep_baseline("k", "second")
    assert rows.baseline("k") == "first"


def test_branches_of_earlier_runs_of_the_issue_are_taken(database: sa.Engine, rows: SqlRunRows):
    first = replace(RUN, state=Stopped(), lines=(Line(1, "x", "agent/42-log"),))
    other = replace(RUN, id="acme/shop-43-r1", issue=43, lines=(Line(1, "x", "agent/43-log"),))
    save(database, first, replace(RUN, id="acme/shop-42-r2", number=2, state=Drafting()), other)
    assert rows.branches(RUN.repo.id, 42) == ("agent/42-log",)


def test_a_repository_is_active_while_one_of_its_runs_is(database: sa.Engine):
    save(database, replace(RUN, state=Done()), replace(RUN, id="acme/shop-43-r1", issue=43, state=Working()))
    with database.connect() as conn:
        assert runs.any_active(conn, RUN.repo.id)
    save(database, replace(RUN, id="acme/shop-43-r1", issue=43, state=Stopped()))
    with database.connect() as conn:
        assert not runs.any_active(conn, RUN.repo.id)
