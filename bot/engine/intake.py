"""The intake loop: each inbox row becomes intents, each intent a decision, and all of a row is committed in one transaction.

No workflow per delivery: the row is the durable job already. `handled(guid)` is in the same transaction as what the row did, so a
crash between the two files (inbox.db and the main database) is read again and refused.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from bot.core import labels
from bot.core.caps import HOUR, Caps, within
from bot.core.decide import decide
from bot.core.events import Event, Ignored, InstallationChanged, Malformed, Me
from bot.core.intents import (
    ApproveSpec,
    DropInstallation,
    EnsureLabels,
    Intent,
    RefreshRepository,
    Republish,
    ResumeRun,
    StartRun,
    StopRun,
    Target,
)
from bot.core.permission import allows, required_role
from bot.core.repo_config import RepoConfig
from bot.core.text import answers
from bot.core.transition import Transition, Unchanged
from bot.engine import receipts
from bot.engine.durable import Durable
from bot.ports import Clock, GitHub, PortError, Transient
from bot.store import runs, tables
from bot.store.inbox import Inbox, InboxRow
from bot.store.runs import upsert

log = logging.getLogger("journeyman.intake")
TIMER = "timer"


@dataclass(frozen=True, slots=True)
class Judged:
    """An intent with the sender's permission settled. `why_not` is a sentence for a person, empty when allowed."""

    intent: Intent
    allowed: bool
    why_not: str = ""


@dataclass(slots=True)
class After:
    """What follows the commit: workflows to cancel, installations to forget, labels to make."""

    cancel: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    drop: list[DropInstallation] = field(default_factory=list)
    labels: list[EnsureLabels] = field(default_factory=list)
    commented: bool = False


@dataclass(frozen=True, slots=True)
class Doors:
    """What wiring hands in: reading a delivery, routing an event, reading a repo's config, and what to wake afterwards."""

    parse: Callable[[str, str, bytes], Event | Ignored | Malformed]
    route: Callable[[Event, RepoConfig, Me], list[Intent]]
    me: Callable[[int], Awaitable[Me]]
    config: Callable[[str], RepoConfig]
    woken: Callable[[], None]
    dropped: Callable[[DropInstallation], Any]
    owners: tuple[str, ...] = ()


class Intake:
    """One per engine. `drain_once` handles what is there; `run` waits for pokes and looks every 2 s besides."""

    def __init__(
        self, inbox: Inbox, database: sa.Engine, durable: Durable, github: GitHub, doors: Doors, clock: Clock
    ) -> None:
        self._inbox, self._database, self._durable = inbox, database, durable
        self._github, self._doors, self._clock = github, doors, clock
        self._woken = asyncio.Event()
        self._not_before: dict[str, tuple[int, float]] = {}
        self._problems: dict[str, str] = {}

    def poke(self) -> None:
        """A row was stored."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._woken.clear()
            await asyncio.to_thread(self.look_at_timers)
            if not await self.drain_once():
                await asyncio.to_thread(self._inbox.forget)
                try:
                    async with asyncio.timeout(2.0):  # wait_for of Python 3.11 may swallow a cancellation
                        await self._woken.wait()
                except TimeoutError:
                    continue

    async def drain_once(self) -> int:
        """Handle every row that is due; returns how many were taken."""
        rows = [it for it in await asyncio.to_thread(self._inbox.take) if self._due(it)]
        judged = await asyncio.gather(*(self._judge(row) for row in rows))
        taken: list[str] = []
        for row, intents in zip(rows, judged, strict=True):
            if intents is None:
                continue
            after = After()
            try:
                await asyncio.to_thread(self._commit, row, intents, after)
            except OperationalError as problem:
                log.warning("delivery %s waits: %s", row.guid, problem)
                self._later(row)
                continue
            except Exception:
                # Nothing of it was committed; read again it would only stop the engine again.
                log.exception("delivery %s met a bug", row.guid)
                self._problems[row.guid] = "a bug: see the engine's log"
                after = After()
            taken.append(row.guid)
            self._not_before.pop(row.guid, None)
            await self._afterwards(after)
        if taken:
            await asyncio.to_thread(self._inbox.mark_taken, taken, self._problems)
            self._problems = {}
            self._doors.woken()
        return len(taken)

    def _due(self, row: InboxRow) -> bool:
        return self._not_before.get(row.guid, (0, 0.0))[1] <= self._clock.now()

    def _later(self, row: InboxRow) -> None:
        tries = self._not_before.get(row.guid, (0, 0.0))[0] + 1
        self._not_before[row.guid] = (tries, self._clock.now() + min(2.0**tries, 60.0))

    # ---- judging: parse, route, permission (asks GitHub, writes nothing) -----------------------------------------

    async def _judge(self, row: InboxRow) -> list[Judged] | None:
        """The row's intents, judged; None when it must wait (GitHub could not be asked): permission fails closed, with retry."""
        try:
            event = await asyncio.to_thread(self._event, row)
            if event is None:
                return []
            if isinstance(event, ResumeRun):
                return [Judged(event, allowed=True)]
            config = await asyncio.to_thread(self._config, event)
            me = await self._doors.me(0 if isinstance(event, InstallationChanged) else event.at.installation_id)
            return [await self._permit(it, config) for it in self._doors.route(event, config, me)]
        except Transient as problem:
            log.warning("delivery %s waits: %s", row.guid, problem)
            self._later(row)
            return None
        except PortError as problem:
            log.error("delivery %s is refused: %s", row.guid, problem)
            return []
        except Exception:
            log.exception("delivery %s met a bug", row.guid)
            self._problems[row.guid] = "a bug: see the engine's log"
            return []

    def _event(self, row: InboxRow) -> Event | ResumeRun | None:
        """What the row says; None where there is nothing to do."""
        if row.event == TIMER:
            return self._timer(row)
        event = self._doors.parse(row.event, row.guid, row.body)
        if isinstance(event, Ignored):
            return None
        if isinstance(event, Malformed):
            log.error("delivery %s can't be read: %s", row.guid, event.reason)
            self._problems[row.guid] = event.reason
            return None
        return event

    def _config(self, event: Event) -> RepoConfig:
        if isinstance(event, InstallationChanged):
            return self._doors.config("")
        with self._database.connect() as conn:
            return self._config_in(conn, event.at.repo.id)

    async def _permit(self, intent: Intent, config: RepoConfig) -> Judged:
        required = required_role(intent, config.trigger.roles)
        if required is None:
            return Judged(intent, allowed=True)
        to: Target = getattr(intent, "to")  # noqa: B009 - every intent with a required role has a target
        owner = to.repo.full_name.split("/")[0].lower()
        if self._doors.owners and owner not in self._doors.owners:
            return Judged(intent, allowed=False, why_not=answers.not_served(owner))
        if not to.actor.login:
            return Judged(intent, allowed=False)
        role = await self._github.permission(to.installation_id, to.repo.full_name, to.actor.login)
        requester = await asyncio.to_thread(self._requester, to)
        known = role if role in ("read", "triage", "write", "maintain", "admin") else None
        if allows(required, known, actor=to.actor.login, requester=requester):
            return Judged(intent, allowed=True)
        return Judged(intent, allowed=False, why_not=answers.no_permission(to.actor.login, role, str(required)))

    def _requester(self, to: Target) -> str:
        with self._database.connect() as conn:
            run = runs.newest(conn, to.repo.id, to.number)
        return run.requester if run else ""

    # ---- committing: one transaction a row -----------------------------------------------------------------------

    def _commit(self, row: InboxRow, judged: list[Judged], after: After) -> None:
        with self._database.begin() as conn:
            insert = upsert(conn, tables.handled).values(guid=row.guid, at=self._clock.stamp())
            fresh = insert.on_conflict_do_nothing(index_elements=["guid"]).returning(tables.handled.c.guid)
            if conn.execute(fresh).first() is None:
                return
            for it in judged:
                self._act(conn, it, after)

    def _act(self, conn: sa.Connection, judged: Judged, after: After) -> None:
        match judged.intent:
            case EnsureLabels() as intent:
                after.labels.append(intent)
            case DropInstallation() as intent:
                self._drop(conn, intent, after)
            case RefreshRepository() as intent:
                where = tables.repository.c.repo_id == intent.repo.id
                conn.execute(sa.update(tables.repository).where(where).values(full_name=intent.repo.full_name))
            case intent if not judged.allowed:
                self._refuse(
                    conn, intent.to, judged.why_not, by_label=isinstance(intent, StartRun) and bool(intent.label)
                )
            case intent:
                self._decide(conn, intent, after)

    def _decide(self, conn: sa.Connection, intent: Any, after: After) -> None:
        to: Target = intent.to
        if to.is_pull_request and (issue := runs.issue_of_pull(conn, to.repo.id, to.number)) is not None:
            to = replace(to, number=issue)  # what is said on our pull request is meant for the run that opened it
            intent = replace(intent, to=to)
        run = runs.lock_issue(conn, to.repo.id, to.number)
        if self._too_many(conn, intent):
            log.warning("a request on %s#%s is dropped: too many within an hour", to.repo.full_name, to.number)
            return
        decision = self._refusal(conn, intent) or decide(run, intent, now=self._clock.stamp())
        if isinstance(decision, Unchanged):
            if decision.sentence:
                self._say(conn, to, decision.sentence)
            return
        runs.apply(conn, decision, self._durable.enqueue)
        if isinstance(intent, Republish | StartRun):
            where = decision.run
            runs.want_published(
                conn, where.repo.id, where.issue, installation_id=to.installation_id, repo=to.repo.full_name, look=True
            )
        if decision.cancel:
            keep = tuple(call.workflow_id for call in decision.calls)
            after.cancel.append((decision.run.id, keep))
        self._receipt(conn, to, "confused" if decision.confused else "eyes", labelled=isinstance(intent, StartRun))

    def _too_many(self, conn: sa.Connection, intent: Any) -> bool:
        """Count a request of a person; what GitHub itself reports (a closed issue, a merged pull request) is no request.

        A stop is always obeyed: no number of requests before it may keep a run going.
        """
        if required_role(intent) is None or isinstance(intent, StopRun):
            return False
        to, c, now = intent.to, tables.request.c, self._clock.now()
        recent = sa.select(c.issue, c.at).where(c.repo_id == to.repo.id, c.at > now - HOUR)
        rows = conn.execute(recent).all()
        on_issue = [row.at for row in rows if row.issue == to.number]
        if not within(Caps(), now=now, issue=on_issue, repo=[row.at for row in rows]):
            return True
        row = {"guid": to.delivery, "repo_id": to.repo.id, "issue": to.number, "at": now}
        conn.execute(upsert(conn, tables.request).values(**row).on_conflict_do_nothing(index_elements=["guid"]))
        return False

    def _refusal(self, conn: sa.Connection, intent: Any) -> Transition | Unchanged | None:
        """What the repository's own policy refuses before the run is asked."""
        if not isinstance(intent, ApproveSpec) or intent.to.actor.login != intent.to.issue_author:
            return None
        if not self._config_in(conn, intent.to.repo.id).approval.not_author:
            return None
        return Unchanged(answers.author_may_not_approve())

    def _config_in(self, conn: sa.Connection, repo_id: int) -> RepoConfig:
        text = conn.execute(
            sa.select(tables.repository.c.config).where(tables.repository.c.repo_id == repo_id)
        ).scalar()
        return self._doors.config(text or "")

    def _refuse(self, conn: sa.Connection, to: Target, why: str, *, by_label: bool) -> None:
        """A label by somebody without write gets one sentence; a comment only a reaction, so that nobody can make the bot talk."""
        if why and by_label:
            self._say(conn, to, why)
        elif to.comment_id is not None and to.repo.private:
            self._receipt(conn, to, "confused", labelled=False)

    def _say(self, conn: sa.Connection, to: Target, sentence: str) -> None:
        """Shown in the status comment: the run's, or one that says only this."""
        self._receipt(conn, to, "confused", labelled=False)
        if (run := runs.lock_issue(conn, to.repo.id, to.number)) is not None:
            runs.save(conn, replace(run, said=sentence))
            return
        runs.want_published(
            conn,
            to.repo.id,
            to.number,
            installation_id=to.installation_id,
            repo=to.repo.full_name,
            notice=sentence,
        )

    def _receipt(self, conn: sa.Connection, to: Target, content: str, *, labelled: bool) -> None:
        if to.comment_id is None and not labelled:
            return
        receipts.owe(
            conn,
            f"{to.delivery}/{content}",
            installation_id=to.installation_id,
            repo=to.repo.full_name,
            issue=to.number,
            comment_id=to.comment_id,
            content=content,
        )

    def _drop(self, conn: sa.Connection, intent: DropInstallation, after: After) -> None:
        """Stop every active run of the installation (or of the repositories taken out of it)."""
        c = tables.run.c
        ids = [repo.id for repo in intent.repos]
        where = (c.installation_id == intent.installation_id) & c.active.is_(True)
        if ids:
            where &= c.repo_id.in_(ids)
        for doc in conn.execute(sa.select(c.doc).where(where)).scalars().all():
            run = runs.decode(doc)
            to = Target("", run.installation_id, run.repo, run.issue, answers.NOBODY)
            decision = decide(run, StopRun(to, intent.why), now=self._clock.stamp())
            if isinstance(decision, Transition):
                runs.apply(conn, decision, self._durable.enqueue)
                after.cancel.append((run.id, ()))
        after.drop.append(intent)

    async def _afterwards(self, after: After) -> None:
        """All of it is committed already: what fails here is caught up with by fencing or by the next run."""
        try:
            await self._follow(after)
        except (PortError, OperationalError) as problem:
            log.warning("a decision is committed, but not all that follows was done: %s", problem)

    async def _follow(self, after: After) -> None:
        for run_id, keep in after.cancel:
            await self._durable.cancel(run_id, keep=keep)
        for dropped in after.drop:
            await self._doors.dropped(dropped)
        for wanted in after.labels:
            for repo in wanted.repos:
                await self._make_labels(wanted.installation_id, repo.full_name)

    async def _make_labels(self, installation_id: int, repo: str) -> None:
        try:
            for label in labels.COMMANDS:
                await self._github.ensure_label(installation_id, repo, label.name, label.color, label.description)
        except PortError as problem:
            log.warning("labels of %s are made at the first run instead: %s", repo, problem)

    # ---- timers --------------------------------------------------------------------------------------------------

    def look_at_timers(self) -> None:
        """A paused run whose time has come is a row like any other: whoever inserts it does nothing else."""
        c = tables.run.c
        query = sa.select(c.id, c.epoch).where(c.until != "", c.until <= self._clock.stamp(), c.active.is_(True))
        with self._database.connect() as conn:
            due = conn.execute(query).all()
        for row in due:
            self._inbox.add(InboxRow(f"timer-{row.id}-{row.epoch}", TIMER, row.id.encode(), self._clock.now()))

    def _timer(self, row: InboxRow) -> ResumeRun | None:
        with self._database.connect() as conn:
            run = runs.load(conn, row.body.decode())
        if run is None:
            return None
        return ResumeRun(Target(row.guid, run.installation_id, run.repo, run.issue, answers.NOBODY))
