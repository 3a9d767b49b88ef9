"""A delivery is judged, decided in one transaction, and handled exactly once."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.core.deliveries import parse
from bot.core.events import Me
from bot.core.repo_config_file import read_config
from bot.core.run import Drafting, Paused, Run, Stopped
from bot.engine.intake import Doors, Intake
from bot.ports import Transient
from bot.store import runs, tables
from bot.store.inbox import Inbox, InboxRow
from handlers import route
from tests import payloads as p
from tests.engine.engine_fakes import FakeDurable, FakeGitHub, HandClock

pytestmark = pytest.mark.fast
ME = Me(p.ME_APP, p.ME_USER, "journeyman[bot]")
REPO, ISSUE = 9001, 42


class ForgetfulInbox(Inbox):
    """An inbox whose next `forgets` marks are lost, as by a crash right after the commit."""

    forgets = 0

    def mark_taken(self, guids: Iterable[str], problems: Mapping[str, str] | None = None) -> None:
        if self.forgets:
            self.forgets -= 1
            return
        super().mark_taken(guids, problems)


@dataclass
class Desk:
    """An intake with everything around it."""

    path: Path
    inbox: ForgetfulInbox
    database: sa.Engine
    durable: FakeDurable
    github: FakeGitHub
    clock: HandClock
    make: Callable[..., Intake]

    def arrives(self, guid: str, event: str, payload: dict) -> None:
        body = json.dumps(payload).encode()
        self.inbox.add(InboxRow(guid, event, body, self.clock.now(), payload.get("action", "")))

    def run(self) -> Run | None:
        with self.database.connect() as conn:
            return runs.newest(conn, REPO, ISSUE)

    def rows(self, column: sa.Column) -> list:
        with self.database.connect() as conn:
            return list(conn.execute(sa.select(column)).scalars())

    def problem(self, guid: str) -> str | None:
        with closing(sqlite3.connect(self.path)) as conn:
            return conn.execute("select problem from inbox where guid = ?", (guid,)).fetchone()[0]


@pytest.fixture
def desk(database: sa.Engine, tmp_path: Path):
    inbox = ForgetfulInbox.open(tmp_path / "inbox.db")
    durable, github, clock = FakeDurable(), FakeGitHub(), HandClock()

    async def me(_installation: int) -> Me:
        return ME

    async def dropped(_intent: object) -> None:
        return None

    def make(*owners: str) -> Intake:
        doors = Doors(
            owners=owners,
            parse=parse,
            route=lambda event, config, me: route(event, config, me=me),
            me=me,
            config=lambda text: read_config(text.encode() or None).config,
            woken=lambda: None,
            dropped=dropped,
        )
        return Intake(inbox, database, durable, github, doors, clock)  # ty: ignore[invalid-argument-type]

    yield Desk(tmp_path / "inbox.db", inbox, database, durable, github, clock, make)
    inbox.close()


async def test_a_label_starts_a_run_its_first_phase_and_a_receipt_at_once(desk: Desk):
    desk.arrives("g1", "issues", p.issues("labeled"))
    assert await desk.make().drain_once() == 1
    run = desk.run()
    assert run is not None
    assert isinstance(run.state, Drafting)
    assert [call.workflow_id for call in desk.durable.calls] == [f"{run.id}/draft/1"]
    assert desk.rows(tables.receipt.c.content) == ["eyes"]
    assert desk.inbox.backlog() == 0


async def test_a_row_that_was_handled_before_the_crash_is_not_handled_again(desk: Desk):
    # given an engine that committed a row and died before it could mark it as taken
    desk.arrives("g1", "issues", p.issues("labeled"))
    desk.inbox.forgets = 1
    await desk.make().drain_once()
    assert desk.inbox.backlog() == 1
    before = desk.run()
    # when the next engine reads it again
    await desk.make().drain_once()
    # then nothing moved, and the row is taken
    assert desk.run() == before
    assert len(desk.durable.calls) == 1
    assert desk.inbox.backlog() == 0


async def test_a_delivery_waits_while_permission_can_not_be_asked(desk: Desk):
    # given a GitHub that can't say who may do what
    desk.github.trouble.append(Transient("503"))
    desk.arrives("g1", "issues", p.issues("labeled"))
    intake = desk.make()
    # when it is looked at, and at once again
    assert await intake.drain_once() == 0
    assert await intake.drain_once() == 0
    # then nothing is decided, and nothing is lost
    assert desk.run() is None
    assert desk.rows(tables.handled.c.guid) == []
    assert desk.inbox.backlog() == 1
    # and it is decided as soon as GitHub answers again
    desk.clock.at += 2.0
    assert await intake.drain_once() == 1
    assert desk.run() is not None


async def test_a_label_by_somebody_without_write_gets_a_sentence_and_no_run(desk: Desk):
    desk.arrives("g1", "issues", p.issues("labeled", sender=p.user("eve", 503)))
    await desk.make().drain_once()
    assert desk.run() is None
    (notice,) = desk.rows(tables.publication.c.notice)
    assert "eve" in notice


async def test_a_decision_whose_phase_can_not_be_enqueued_leaves_nothing_and_stops_nobody(desk: Desk):
    # given a bug that one row meets, and a good row behind it
    desk.durable.broken.append(ValueError("phase draft is not bound"))
    desk.arrives("g1", "issues", p.issues("labeled"))
    desk.arrives("g2", "issues", p.issues("labeled", issue=p.issue(number=43)))
    # when both are handled
    assert await desk.make().drain_once() == 2
    # then nothing of the first is there but the record, and the second went through
    assert desk.run() is None
    assert desk.rows(tables.handled.c.guid) == ["g2"]
    assert desk.problem("g1") == "a bug: see the engine's log"
    assert [call.run_id for call in desk.durable.calls] == ["acme/shop-43-r1"]


async def test_what_can_not_be_read_is_taken_with_the_reason(desk: Desk):
    desk.arrives("g1", "issues", {"action": "labeled"})
    await desk.make().drain_once()
    assert desk.inbox.backlog() == 0
    assert desk.problem("g1")


async def test_stop_cancels_what_goes_on(desk: Desk):
    desk.arrives("g1", "issues", p.issues("labeled"))
    desk.arrives("g2", "issue_comment", p.issue_comment("/agent stop"))
    await desk.make().drain_once()
    run = desk.run()
    assert run is not None
    assert isinstance(run.state, Stopped)
    assert desk.durable.cancelled == [(run.id, ())]


async def test_a_refine_cancels_all_but_the_phase_that_it_starts(desk: Desk):
    desk.arrives("g1", "issues", p.issues("labeled"))
    desk.arrives("g2", "issue_comment", p.issue_comment("/agent refine in Dutch"))
    await desk.make().drain_once()
    run = desk.run()
    assert run is not None
    assert desk.durable.cancelled == [(run.id, (f"{run.id}/draft/1~2",))]


async def test_one_comment_acts_once_whatever_its_delivery_is_called(desk: Desk):
    desk.arrives("g1", "issues", p.issues("labeled"))
    desk.arrives("g2", "issue_comment", p.issue_comment("/agent refine in Dutch"))
    desk.arrives("g3", "issue_comment", p.issue_comment("/agent refine in Dutch"))
    await desk.make().drain_once()
    run = desk.run()
    assert run is not None
    assert run.attempt == 2


async def test_a_paused_run_goes_on_by_itself_when_its_time_has_come(desk: Desk):
    # given a run that waits for ten o'clock
    desk.arrives("g1", "issues", p.issues("labeled"))
    intake = desk.make()
    await intake.drain_once()
    run = desk.run()
    assert run is not None
    desk.clock.at += 30
    held = Paused("The vendor is busy.", until=desk.clock.stamp(), was="Drafting")
    with desk.database.begin() as conn:
        runs.save(conn, Run(**{name: getattr(run, name) for name in Run.__slots__} | {"state": held, "epoch": 2}))
    # when it is a second too early, nothing happens
    desk.clock.at -= 1
    intake.look_at_timers()
    assert await intake.drain_once() == 0
    # then, in time, it goes on once, however often the clock is looked at
    desk.clock.at += 1
    intake.look_at_timers()
    intake.look_at_timers()
    assert await intake.drain_once() == 1
    resumed = desk.run()
    assert resumed is not None
    assert isinstance(resumed.state, Drafting)
    assert [call.workflow_id for call in desk.durable.calls] == [f"{run.id}/draft/1", f"{run.id}/draft/1+1"]


async def test_an_account_that_this_server_does_not_serve_gets_a_sentence_and_no_run(desk: Desk):
    # given a server that works for another account alone
    desk.arrives("g1", "issues", p.issues("labeled"))
    # when a label comes from this one
    await desk.make("somebody-else").drain_once()
    # then it is answered once, and GitHub was not asked for anybody's role
    assert desk.run() is None
    (said,) = desk.rows(tables.publication.c.notice)
    assert "does not work for `acme`" in said


async def test_too_many_requests_within_an_hour_are_dropped_without_an_answer(desk: Desk):
    # given an issue on which twenty requests were acted on
    desk.arrives("g0", "issues", p.issues("labeled"))
    intake = desk.make()
    await intake.drain_once()
    for nth in range(1, 20):
        desk.arrives(f"g{nth}", "issues", p.issues("labeled"))
    await intake.drain_once()
    assert len(desk.rows(tables.request.c.guid)) == 20
    before = desk.run()
    # when one more comes within the hour
    desk.arrives("one-more", "issues", p.issues("labeled"))
    await intake.drain_once()
    # then nothing was done about it
    assert "one-more" not in desk.rows(tables.request.c.guid)
    assert desk.run() == before
    # and an hour later requests are heard again
    desk.clock.at += 3601
    desk.arrives("later", "issues", p.issues("labeled"))
    await intake.drain_once()
    assert "later" in desk.rows(tables.request.c.guid)


async def test_a_stop_is_obeyed_however_many_requests_came_before_it(desk: Desk):
    # given an issue on which as many requests were acted on as an hour allows
    intake = desk.make()
    for nth in range(20):
        desk.arrives(f"g{nth}", "issues", p.issues("labeled"))
    await intake.drain_once()
    # when maria says stop
    desk.arrives("stop", "issue_comment", p.issue_comment("/agent stop"))
    await intake.drain_once()
    # then the run is stopped
    run = desk.run()
    assert run is not None
    assert isinstance(run.state, Stopped)
