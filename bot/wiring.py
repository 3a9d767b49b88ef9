"""Composition root: the only place that knows concrete adapters; no logic."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from bot.core.deliveries import parse
from bot.core.events import Me
from bot.core.intents import DropInstallation
from bot.core.repo_config import RepoConfig, clamp
from bot.core.repo_config_file import read_config
from bot.core.run import Phase
from bot.engine import process
from bot.engine.durable import Durable
from bot.engine.intake import Doors, Intake
from bot.engine.phasing import PhaseBody, Phasing
from bot.engine.projecting import Projecting
from bot.engine.publishing import PublishingLoop
from bot.engine.receipts import ReceiptsLoop
from bot.engine.rows import SqlRunRows, config_of
from bot.engine.tidying import TidyingLoop
from bot.git.adapter import EngineGit
from bot.github.app import AppIdentity, GitHubApp
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


@dataclass(frozen=True, slots=True)
class Parts:
    """The adapters of one engine, made once."""

    settings: Settings
    clock: SystemClock
    database: sa.Engine
    sandbox: AnySandbox
    github: GitHubApp
    app: AppIdentity
    git: EngineGit
    gate: Gate
    effects: KeyedEffects

    def config(self, text: str) -> RepoConfig:
        """A repository's configuration under this server's ceilings."""
        return clamp(read_config(text.encode() if text else None).config, self.settings.limits)

    def cap(self, run_id: str) -> int:
        """A run's limit in micros."""
        return self.config(config_of(self.database, run_id)).limits.run_micros


async def make_parts(settings: Settings, *, unsandboxed: bool) -> Parts:
    """Open everything. Raises UserFacing for what is missing, Transient where GitHub can't be reached."""
    clock, sandbox = SystemClock(), await choose_sandbox(settings, unsandboxed=unsandboxed)
    database = open_database(settings.database_url)
    migrate(database)
    github = GitHubApp(
        app_id=settings.app_id, private_key=settings.private_key, api_base=settings.github_api, clock=clock
    )
    git = EngineGit(
        home=settings.home,
        git_base=settings.github_git,
        owner=sandbox.owner(),
        supports_overlay=sandbox.supports_overlay,
        identity=await committer(github),
    )
    gate = Gate(settings.held_secrets, record=lambda block: log.error("blocked: %s", block))
    effects = KeyedEffects(SqlEffectRows(database, now=clock.now))
    return Parts(settings, clock, database, sandbox, github, await github.app(), git, gate, effects)


def make_context(parts: Parts, rows: SqlRunRows) -> Context:
    """What phases are given. Raises UserFacing without a model key."""
    models, who = build_models(parts.settings)
    blobs = SqlBlobs(parts.database, parts.settings.master_key)
    return Context(
        github=parts.github,
        git=parts.git,
        sandbox=parts.sandbox,
        models=models,
        roles=who,
        blobs=blobs,
        ledger=SqlLedger(parts.database, clock=parts.clock, cap=parts.cap),
        effects=parts.effects,
        gate=parts.gate,
        rows=rows,
        journals=lambda run_id, kind: BlobJournal(blobs, run_id, kind),
        clock=parts.clock,
        ceilings=parts.settings.limits,
        app_slug=parts.app.slug,
        app_id=parts.app.id,
    )


def make_publishing(parts: Parts, rows: SqlRunRows) -> PublishingLoop:
    """The publisher's loop over every issue."""
    publisher = Publisher(
        github=parts.github,
        effects=parts.effects,
        rows=SqlProjectionRows(parts.database),
        gate=parts.gate,
        clock=parts.clock,
        interval=parts.settings.publish_seconds,
        app_id=parts.app.id,
    )
    projecting = Projecting(
        database=parts.database,
        rows=rows,
        publisher=publisher,
        github=parts.github,
        clock=parts.clock,
        cap=parts.cap,
        app_slug=parts.app.slug,
    )
    return PublishingLoop(parts.database, projecting, clock=parts.clock)


def make_doors(parts: Parts, woken: Wakes) -> Doors:
    """What intake needs of the rest."""
    return Doors(
        parse=parse,
        route=lambda event, config, me: route(event, config, me=me),
        me=KnownSelf(parts.github),
        config=parts.config,
        woken=woken,
        dropped=lambda intent: _dropped(intent, github=parts.github, git=parts.git),
        owners=parts.settings.owners or (parts.app.owner.lower(),),
    )


async def run_engine(
    settings: Settings, *, unsandboxed: bool = False, ready: Callable[[], None] = lambda: None
) -> None:
    """The engine until SIGTERM. Raises UserFacing with what is missing."""
    parts, woken = await make_parts(settings, unsandboxed=unsandboxed), Wakes([])
    rows = SqlRunRows(parts.database, woken)
    durable = Durable(parts.database, executor_id="engine")
    phasing = Phasing(make_context(parts, rows), parts.database, durable, phases=PHASES, woken=woken)
    publishing, receipts = make_publishing(parts, rows), ReceiptsLoop(parts.database, parts.github, clock=parts.clock)
    tidying = TidyingLoop(lambda: parts.git.sweep(phasing.needs))
    inbox = Inbox.open(settings.inbox)
    intake = Intake(inbox, parts.database, durable, parts.github, make_doors(parts, woken), parts.clock)
    woken.calls += [from_any_thread(publishing.poke), from_any_thread(receipts.poke), from_any_thread(tidying.poke)]
    engine = process.Engine(
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
        clock=parts.clock,
    )
    await process.run(engine, ready=ready)


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


async def _dropped(intent: DropInstallation, *, github: GitHubApp, git: EngineGit) -> None:
    await github.drop_installation(intent.installation_id)
    for repo in intent.repos:
        await git.drop(repo.full_name)
