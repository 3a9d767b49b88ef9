"""Composition root: the only place that knows concrete adapters; no logic."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import sqlalchemy as sa

from bot.core.deliveries import parse
from bot.core.events import Me, RepoRef
from bot.core.ids import run_id
from bot.core.intents import DropInstallation
from bot.core.repo_config import RepoConfig, clamp
from bot.core.repo_config_file import read_config
from bot.core.run import TERMINAL, Phase, Run, Stopped
from bot.core.view import Progress, Snapshot, notice, view
from bot.engine import process
from bot.engine.durable import Durable
from bot.engine.intake import Doors, Intake
from bot.engine.phasing import PhaseBody, Phasing
from bot.engine.publishing import Due, PublishingLoop
from bot.engine.receipts import ReceiptsLoop
from bot.engine.rows import SqlRunRows
from bot.engine.tidying import TidyingLoop
from bot.git.adapter import EngineGit
from bot.github.app import GitHubApp
from bot.models import roles
from bot.models.anthropic import AnthropicModel
from bot.models.openai import OpenAIModel
from bot.models.router import Models
from bot.phases.challenge import challenge
from bot.phases.context import Context, Roles
from bot.phases.deliver import deliver
from bot.phases.draft import draft
from bot.phases.plan import plan
from bot.phases.verify import verify
from bot.phases.work import work
from bot.ports import Model, PortError, UserFacing
from bot.publish.effects import KeyedEffects
from bot.publish.gate import Gate
from bot.publish.publisher import Publisher
from bot.sandbox.probes import AnySandbox, choose
from bot.settings import Settings
from bot.store import runs, tables
from bot.store.blobs import SqlBlobs
from bot.store.database import open_database
from bot.store.effects import SqlEffectRows
from bot.store.inbox import Inbox
from bot.store.journal import BlobJournal
from bot.store.ledger import SqlLedger
from bot.store.migrate import migrate
from bot.store.poke import Listener
from bot.store.projection import SqlProjectionRows
from handlers import route

log = logging.getLogger("journeyman")
PHASES: Mapping[Phase, PhaseBody] = {
    "draft": draft,
    "challenge": challenge,
    "plan": plan,
    "work": work,
    "verify": verify,
    "deliver": deliver,
}
WORKER_UID = 61_743
"""Commands of workers run as this uid where the engine is root; it needs no account."""


class SystemClock:
    """`ports.Clock` by the machine's clock."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def stamp(self) -> str:
        """RFC 3339 in UTC with seconds."""
        return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def choose_sandbox(settings: Settings, *, unsandboxed: bool) -> AnySandbox:
    """The best level that the probes leave. Raises UserFacing where that is none and nobody accepted it."""
    if settings.sandbox == "none" and not unsandboxed:
        raise UserFacing(
            "JOURNEYMAN_SANDBOX=none runs a model's commands on this machine unprotected: say --i-accept-unsandboxed too, "
            "or set it to auto.",
            verb="",
        )
    return (await choose(settings.sandbox, settings.home, uid=WORKER_UID)).sandbox


def build_models(settings: Settings) -> tuple[Model, Roles]:
    """Adapters for the keys that are set, and who plays which role. Raises UserFacing without any key."""
    adapters: dict[str, Model] = {}
    if settings.anthropic_key:
        adapters["anthropic"] = AnthropicModel(settings.anthropic_key, settings.anthropic_url)
    if settings.openai_key:
        adapters["openai"] = OpenAIModel(settings.openai_key, settings.openai_url)
    chosen = roles.choose_models(adapters, settings.models)
    return Models(adapters), Roles(tuple((role, *roles.split_choice(choice)) for role, choice in chosen.items()))


@dataclass(slots=True)
class Wakes:
    """Who is told that something changed; filled while wiring goes on."""

    calls: list[Callable[[], None]]

    def __call__(self) -> None:
        """Tell all of them, from any thread."""
        for call in self.calls:
            call()


def from_any_thread(call: Callable[[], None]) -> Callable[[], None]:
    """`call` on the loop that is running now, whichever thread asks."""
    loop = asyncio.get_running_loop()

    def tell() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(call)

    return tell


async def run_engine(
    settings: Settings, *, unsandboxed: bool = False, ready: Callable[[], None] = lambda: None
) -> None:
    """The engine until SIGTERM. Raises UserFacing with what is missing."""
    clock = SystemClock()
    sandbox = await choose_sandbox(settings, unsandboxed=unsandboxed)
    models, who = build_models(settings)
    database = open_database(settings.database_url)
    migrate(database)
    github = GitHubApp(
        app_id=settings.app_id, private_key=settings.private_key, api_base=settings.github_api, clock=clock
    )
    app = await github.app()
    woken = Wakes([])
    rows = SqlRunRows(database, woken)
    blobs = SqlBlobs(database, settings.master_key)
    gate = Gate(settings.held_secrets, record=lambda block: log.error("blocked: %s", block))
    effects = KeyedEffects(SqlEffectRows(database, now=clock.now))
    git = EngineGit(
        home=settings.home,
        git_base=settings.github_git,
        owner=sandbox.owner(),
        supports_overlay=sandbox.supports_overlay,
        identity=await committer(github),
    )
    ctx = Context(
        github=github,
        git=git,
        sandbox=sandbox,
        models=models,
        roles=who,
        blobs=blobs,
        ledger=SqlLedger(database, clock=clock, cap=lambda run_id: _cap(database, settings, run_id)),
        effects=effects,
        gate=gate,
        rows=rows,
        journals=lambda run_id, kind: BlobJournal(blobs, run_id, kind),
        clock=clock,
        ceilings=settings.limits,
        app_slug=app.slug,
        app_id=app.id,
    )
    durable = Durable(database, executor_id="engine")
    phasing = Phasing(ctx, database, durable, phases=PHASES, woken=woken)
    publisher = Publisher(
        github=github,
        effects=effects,
        rows=SqlProjectionRows(database),
        gate=gate,
        clock=clock,
        interval=settings.publish_seconds,
        app_id=app.id,
    )
    publishing = PublishingLoop(
        database,
        lambda due: _publish(due, ctx=ctx, database=database, publisher=publisher, settings=settings),
        clock=clock,
    )
    receipts = ReceiptsLoop(database, github)
    tidying = TidyingLoop(lambda: git.sweep(phasing.needs))
    inbox = Inbox.open(settings.inbox)
    doors = Doors(
        parse=parse,
        route=lambda event, config, me: route(event, config, me=me),
        me=KnownSelf(github),
        config=lambda text: _config(text, settings),
        woken=woken,
        dropped=lambda intent: _dropped(intent, github=github, git=git),
        owners=settings.owners or (app.owner.lower(),),
    )
    intake = Intake(inbox, database, durable, github, doors, clock)
    woken.calls += [from_any_thread(publishing.poke), from_any_thread(receipts.poke), from_any_thread(tidying.poke)]
    await process.run(
        process.Engine(
            home=settings.home,
            heartbeat=settings.heartbeat,
            durable=durable,
            bodies=phasing.bodies(),
            wanted=phasing.wanted,
            queues={"control": 64, "work": settings.limits.workers or 2},
            loops=(intake.run, publishing.run, receipts.run, tidying.run),
            listen=lambda: Listener(settings.poke, intake.poke).close,
            name="engine",
            last_success=lambda: phasing.last_success,
            backlog=inbox.backlog,
            clock=clock,
        ),
        ready=ready,
    )


async def committer(github: GitHubApp) -> tuple[str, str]:
    """Name and address of our commits: GitHub links them to the bot account by its user id, which an installation's token asks for."""
    app = await github.app()
    number = app.id
    try:
        if installation := await github.any_installation():
            number = await github.bot_user_id(installation)
    except PortError as problem:
        log.info("our commits are not linked to the bot account: %s", problem)
    return f"{app.slug}[bot]", f"{number}+{app.slug}[bot]@users.noreply.github.com"


class KnownSelf:
    """Who we are as deliveries show us; the bot account's id is asked for once, with the first installation's token."""

    def __init__(self, github: GitHubApp) -> None:
        self._github = github
        self._me: Me | None = None

    async def __call__(self, installation_id: int) -> Me:
        """Without an installation (it may be gone) only the App is known."""
        app = await self._github.app()
        if self._me is None and installation_id:
            self._me = Me(app.id, await self._github.bot_user_id(installation_id), f"{app.slug}[bot]")
        return self._me or Me(app.id, 0, f"{app.slug}[bot]")


def _config(text: str, settings: Settings) -> RepoConfig:
    return clamp(read_config(text.encode() if text else None).config, settings.limits)


def _cap(database: sa.Engine, settings: Settings, run_id: str) -> int:
    query = (
        sa.select(tables.repository.c.config)
        .join(tables.run, tables.run.c.repo_id == tables.repository.c.repo_id)
        .where(tables.run.c.id == run_id)
    )
    with database.connect() as conn:
        text = conn.execute(query).scalar()
    return _config(text or "", settings).limits.run_micros


async def _dropped(intent: DropInstallation, *, github: GitHubApp, git: EngineGit) -> None:
    await github.drop_installation(intent.installation_id)
    for repo in intent.repos:
        await git.drop(repo.full_name)


async def _publish(
    due: Due, *, ctx: Context, database: sa.Engine, publisher: Publisher, settings: Settings
) -> float | None:
    """The newest run's view, or the plain notice of an issue without one."""

    def read() -> tuple[Run | None, tuple[Progress, ...]]:
        with database.connect() as conn:
            run = runs.newest(conn, due.repo_id, due.issue)
            if run is None:
                return None, ()
            c = tables.progress.c
            found = conn.execute(sa.select(c.line, c.task, c.turn, c.doing).where(c.run_id == run.id)).all()
        return run, tuple(Progress(it.line, it.task, it.turn, it.doing) for it in found if "~" not in it.task)

    run, progress = await asyncio.to_thread(read)
    if run is None:
        place = _place(due)
        await publisher.publish_notice(place, notice(due.notice, repo=due.repo, issue=due.issue))
        return None
    spend = await asyncio.to_thread(ctx.rows.spend, run.id)
    cap = await asyncio.to_thread(_cap, database, settings, run.id)
    shown = view(Snapshot(run, spend, progress, cap, ctx.clock.stamp(), ctx.app_slug))
    again = await publisher.publish(run, shown, look=due.look)
    if again is None:
        await asyncio.to_thread(_published, ctx, run)
        if isinstance(run.state, TERMINAL):
            await _revoke(ctx, database, run)
    return again


def _place(due: Due) -> Run:
    """An issue without a run, as far as publishing a notice needs one."""
    repo = RepoRef(due.repo_id, due.repo, "", private=False)
    return Run(
        id=run_id(due.repo, due.issue, 0),
        repo=repo,
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


def _published(ctx: Context, run: Run) -> None:
    newest = run.revision
    if newest is None or newest.published_at:
        return
    published = newest.sha256

    def stamp(now: Run) -> Run:
        stamped = tuple(
            replace(it, published_at=ctx.clock.stamp()) if it.sha256 == published and not it.published_at else it
            for it in now.revisions
        )
        return replace(now, revisions=stamped)

    ctx.rows.note(run.id, run.epoch, stamp)


async def _revoke(ctx: Context, database: sa.Engine, run: Run) -> None:
    """End the tokens of a repository in which nothing goes on any more."""

    def others() -> bool:
        with database.connect() as conn:
            return runs.any_active(conn, run.repo.id)

    if await asyncio.to_thread(others):
        return
    try:
        await ctx.github.revoke(run.installation_id, run.repo.id)
    except PortError as problem:
        log.info("tokens of %s end by themselves: %s", run.repo.full_name, problem)
