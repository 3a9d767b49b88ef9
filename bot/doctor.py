"""`journeyman doctor`: what is set, found and missing on this machine, with secrets masked; nothing is sent but `GET /app`."""

import asyncio
import difflib
import json
import re
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bot import settings as config
from bot.core.budget import Usage
from bot.models import prices, roles
from bot.ports import PortError, UserFacing
from bot.sandbox.probes import Probe, probe
from bot.settings import Given, Settings, SettingsProblem
from bot.wiring import WORKER_UID, SystemClock

GIT_MINIMUM = (2, 39)
SECRET = frozenset(
    {
        "JOURNEYMAN_PRIVATE_KEY",
        "JOURNEYMAN_WEBHOOK_SECRET",
        "JOURNEYMAN_MASTER_KEY",
        "JOURNEYMAN_DATABASE_URL",
        "ANTHROPIC_API_KEY",
        "OPENAI_API_KEY",
    }
)
VARIABLES: Mapping[str, str] = {
    "JOURNEYMAN_APP_ID": "",
    "JOURNEYMAN_PRIVATE_KEY": "",
    "JOURNEYMAN_WEBHOOK_SECRET": "",
    "JOURNEYMAN_OWNERS": "the App's owner",
    "JOURNEYMAN_GITHUB_API": "https://api.github.com",
    "JOURNEYMAN_GITHUB_GIT": "https://github.com",
    "ANTHROPIC_API_KEY": "",
    "ANTHROPIC_BASE_URL": "https://api.anthropic.com",
    "OPENAI_API_KEY": "",
    "OPENAI_BASE_URL": "https://api.openai.com/v1",
    "JOURNEYMAN_MODELS": "by the keys that are set",
    "JOURNEYMAN_HOME": "~/.local/share/journeyman",
    "JOURNEYMAN_DATABASE_URL": "journeyman.db under JOURNEYMAN_HOME",
    "JOURNEYMAN_MASTER_KEY": "master.key under JOURNEYMAN_HOME",
    "JOURNEYMAN_LIMITS": ",".join(f"{name}={value}" for name, value in config.DEFAULT_LIMITS.items()),
    "JOURNEYMAN_SANDBOX": "auto",
    "JOURNEYMAN_URL": "unset; nothing uses it yet",
    "HOST": "127.0.0.1",
    "PORT": "8000",
}
"""Every variable that this version reads, with its default in words; an empty one has none."""


@dataclass(frozen=True, slots=True)
class Row:
    """One finding. `ok` is None where there is nothing to judge."""

    section: str
    name: str
    ok: bool | None
    detail: str


async def ask_github(settings: Settings) -> str:
    """Who GitHub says the App is. Raises the ports' errors."""
    from bot.github.app import GitHubApp

    github = GitHubApp(
        app_id=settings.app_id, private_key=settings.private_key, api_base=settings.github_api, clock=SystemClock()
    )
    try:
        app = await github.app()
    finally:
        await github.aclose()
    return f"{settings.github_api} knows the App `{app.slug}` (id {app.id}), owned by {app.owner}"


def git_version() -> str:
    """What `git --version` says, empty where there is no git."""
    program = shutil.which("git")
    if program is None:
        return ""
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.strip()


@dataclass(frozen=True, slots=True)
class Senses:
    """What the doctor looks with; a test hands in its own."""

    git: Callable[[], str] = git_version
    sandbox: Callable[[Path, int], Awaitable[tuple[Probe, ...]]] = probe
    github: Callable[[Settings], Awaitable[str]] = ask_github


def run_doctor(
    env_file: Path | None,
    *,
    as_json: bool,
    say: Callable[[str], None],
    environ: Mapping[str, str] | None = None,
    senses: Senses | None = None,
) -> int:
    """Say what was found; 0 where `serve` could work as things are, 1 where not."""
    rows = asyncio.run(examine(env_file, environ=environ, senses=senses or Senses()))
    well = all(row.ok is not False for row in rows)
    if as_json:
        say(json.dumps({"ok": well, "rows": [asdict(row) for row in rows]}, ensure_ascii=False))
    else:
        for line in _shown(rows, well):
            say(line)
    return 0 if well else 1


async def examine(env_file: Path | None, *, environ: Mapping[str, str] | None, senses: Senses) -> list[Row]:
    """Every finding, in the order in which a person mends them."""
    try:
        given = config.read(env_file, environ)
    except SettingsProblem as problem:
        return [Row("settings", "--env-file", False, str(problem))]
    rows = list(_settings_rows(given))
    try:
        settings = config.load(env_file, environ)
    except SettingsProblem as problem:
        return [*rows, Row("settings", "usable", False, str(problem)), _git(senses)]
    except OSError as problem:
        return [*rows, Row("settings", "JOURNEYMAN_HOME", False, f"can't be used: {problem}"), _git(senses)]
    rows += [Row("settings", "missing", False, sentence) for sentence in settings.missing()]
    rows.append(_git(senses))
    rows += await _sandbox(settings, senses)
    rows += _models(settings)
    rows.append(await _github(settings, senses))
    return rows


def _settings_rows(given: Given) -> Iterator[Row]:
    there = given.file.is_file()
    yield Row("settings", "file", None, str(given.file) if there else f"{given.file} (not there)")
    for name, default in VARIABLES.items():
        value = given.values.get(name, "")
        if not value:
            yield Row("settings", name, None, f"default: {default}" if default else "not set")
            continue
        where = "environment" if name in given.environ else given.file.name
        shown = f"*** ({len(value)} characters)" if name in SECRET else value
        yield Row("settings", name, None, f"{shown} [{where}]")
    for name in sorted(given.values):
        if name.startswith("JOURNEYMAN_") and name not in VARIABLES and name != "JOURNEYMAN_SUPERVISED":
            near = difflib.get_close_matches(name, list(VARIABLES), n=1)
            guess = f"; did you mean {near[0]}?" if near else ""
            yield Row("settings", name, None, f"set, but nothing reads it{guess}")


def _git(senses: Senses) -> Row:
    said = senses.git()
    found = re.search(r"(\d+)\.(\d+)", said)
    if not found:
        return Row("programs", "git", False, "not found on PATH: install git 2.39 or newer")
    new_enough = (int(found[1]), int(found[2])) >= GIT_MINIMUM
    return Row("programs", "git", new_enough, said if new_enough else f"{said}: 2.39 or newer is needed")


async def _sandbox(settings: Settings, senses: Senses) -> list[Row]:
    if settings.sandbox == "none":
        return [Row("sandbox", "level", False, "JOURNEYMAN_SANDBOX=none: `serve` asks for --i-accept-unsandboxed too")]
    probes = await senses.sandbox(settings.home, WORKER_UID)
    holds = all(row.ok for row in probes if row.name != "overlay")
    level = "L2 bubblewrap" if holds else "L0 none: `serve` and `try` refuse to work"
    # Without overlays a checkout is a copy: slower, and nothing to mend.
    rows = [Row("sandbox", row.name, row.ok if row.name != "overlay" or row.ok else None, row.detail) for row in probes]
    return [Row("sandbox", "level", holds, level), *rows]


def _models(settings: Settings) -> list[Row]:
    keys = {"anthropic": settings.anthropic_key, "openai": settings.openai_key}
    held = [vendor for vendor, key in keys.items() if key]
    if not held:
        return []
    try:
        chosen = roles.choose_models(held, settings.models)
    except UserFacing as problem:
        return [Row("models", "JOURNEYMAN_MODELS", False, str(problem))]
    rows = [Row("models", role, True, f"{choice}, {_rates(choice)}") for role, choice in chosen.items()]
    if len(held) == 1:
        rows.append(Row("models", "rival", None, f"only {held[0]} has a key: its own model reviews the spec"))
    return rows


def _rates(choice: str) -> str:
    """Dollars a million tokens, from a call that is too short for a long-prompt rate."""
    model, _ = roles.split_choice(choice)
    each = (Usage(input=10_000), Usage(output=10_000))
    into, out = (prices.price(model, usage) / 10_000 for usage in each)
    return f"${into:.2f} in and ${out:.2f} out a million tokens"


async def _github(settings: Settings, senses: Senses) -> Row:
    if not settings.app_id or not settings.private_key:
        return Row("github", "GET /app", None, "not asked: no App credentials are set")
    try:
        return Row("github", "GET /app", True, await senses.github(settings))
    except PortError as problem:
        return Row("github", "GET /app", False, str(problem))


def _shown(rows: list[Row], well: bool) -> Iterator[str]:
    marks = {True: "ok  ", False: "BAD ", None: "    "}
    section = ""
    for row in rows:
        if row.section != section:
            section = row.section
            yield f"\n{section}"
        yield f"  {marks[row.ok]}{row.name:<28}{row.detail}"
    bad = sum(row.ok is False for row in rows)
    yield "\nEverything that `journeyman serve` needs is here." if well else f"\nTo be mended: {bad} (marked BAD)."
