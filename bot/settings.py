"""Settings: frozen, from the environment over `$JOURNEYMAN_HOME/env`; never from the working directory, which may be a hostile repo."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from bot.core.redact import Secret
from bot.core.repo_config import Ceilings, ceilings_of

DEFAULT_LIMITS = {"usd_per_run": "10", "usd_per_day": "200", "workers": "2"}
PUBLISH_SECONDS = 10.0


class SettingsProblem(Exception):
    """A setting can't be used: one sentence that names it and says what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the operator decides. A secret that is not set is empty."""

    home: Path
    app_id: str
    private_key: Secret
    webhook_secrets: tuple[Secret, ...]
    github_api: str
    github_git: str
    anthropic_key: Secret
    anthropic_url: str
    openai_key: Secret
    openai_url: str
    models: str
    database_url: str
    master_key: Secret
    url: str
    owners: tuple[str, ...]
    limits: Ceilings
    sandbox: str
    host: str
    port: int
    publish_seconds: float

    @property
    def inbox(self) -> Path:
        """The inbox has a file of its own, so that phases never delay a webhook."""
        return self.home / "inbox.db"

    @property
    def poke(self) -> Path:
        """Where the web process wakes the engine."""
        return self.home / "poke.sock"

    @property
    def heartbeat(self) -> Path:
        """What the engine last said of itself, for `/readyz`."""
        return self.home / "engine.json"

    def missing(self) -> tuple[str, ...]:
        """What a run needs and is not set, one sentence each with where to get it."""
        out = []
        if not self.app_id or not self.private_key:
            out.append(
                "JOURNEYMAN_APP_ID and JOURNEYMAN_PRIVATE_KEY are not set: create a GitHub App from app.yml "
                "(GitHub: Settings, Developer settings, GitHub Apps) and give its App ID and a private key."
            )
        if not self.webhook_secrets:
            out.append(
                "JOURNEYMAN_WEBHOOK_SECRET is not set: give the webhook secret that you entered in the GitHub App."
            )
        if not self.anthropic_key and not self.openai_key:
            out.append(
                "No model key is set: give ANTHROPIC_API_KEY (console.anthropic.com) or OPENAI_API_KEY (platform.openai.com), "
                "or both, so that one vendor's model reviews the other's."
            )
        return tuple(out)

    def vendor_environment(self) -> dict[str, str]:
        """The vendors' settings as a child's environment, for `try`."""
        given = {
            "ANTHROPIC_API_KEY": self.anthropic_key.reveal(),
            "ANTHROPIC_BASE_URL": self.anthropic_url,
            "OPENAI_API_KEY": self.openai_key.reveal(),
            "OPENAI_BASE_URL": self.openai_url,
            "JOURNEYMAN_MODELS": self.models,
        }
        return {name: value for name, value in given.items() if value}

    def held_secrets(self) -> tuple[Secret, ...]:
        """Every secret that must never be published."""
        every = (self.private_key, *self.webhook_secrets, self.anthropic_key, self.openai_key, self.master_key)
        return tuple(it for it in every if it)


@dataclass(frozen=True, slots=True)
class Given:
    """What was written down and where: `stored` in `file`, `environ` over it."""

    home: Path
    file: Path
    stored: Mapping[str, str]
    environ: Mapping[str, str]

    @property
    def values(self) -> dict[str, str]:
        """What counts."""
        return {**self.stored, **self.environ}


def read(env_file: Path | None = None, environ: Mapping[str, str] | None = None) -> Given:
    """Find the settings without judging them. Raises SettingsProblem where `env_file` is named and isn't there."""
    given = dict(os.environ if environ is None else environ)
    home = Path(given.get("JOURNEYMAN_HOME") or "~/.local/share/journeyman").expanduser()
    file = env_file or home / "env"
    if env_file is not None and not env_file.is_file():
        raise SettingsProblem(f"There is no file {env_file}: --env-file needs one with NAME=value lines.")
    lines = dotenv_values(file, interpolate=False) if file.is_file() else {}
    return Given(home, file, {name: value for name, value in lines.items() if value is not None}, given)


def load(env_file: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings. Raises SettingsProblem for a value that can't be used."""
    given = read(env_file, environ)
    return _settings(given.home, given.values)


def _settings(home: Path, env: Mapping[str, str]) -> Settings:
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Settings(
        home=home,
        app_id=env.get("JOURNEYMAN_APP_ID", "").strip(),
        private_key=_private_key(env.get("JOURNEYMAN_PRIVATE_KEY", "")),
        webhook_secrets=tuple(
            Secret(it.strip()) for it in env.get("JOURNEYMAN_WEBHOOK_SECRET", "").split(",") if it.strip()
        ),
        github_api=env.get("JOURNEYMAN_GITHUB_API") or "https://api.github.com",
        github_git=env.get("JOURNEYMAN_GITHUB_GIT") or "https://github.com",
        anthropic_key=Secret(env.get("ANTHROPIC_API_KEY", "").strip()),
        anthropic_url=env.get("ANTHROPIC_BASE_URL") or "https://api.anthropic.com",
        openai_key=Secret(env.get("OPENAI_API_KEY", "").strip()),
        openai_url=env.get("OPENAI_BASE_URL") or "https://api.openai.com/v1",
        models=env.get("JOURNEYMAN_MODELS", ""),
        database_url=env.get("JOURNEYMAN_DATABASE_URL") or f"sqlite:///{home / 'journeyman.db'}",
        master_key=_master_key(home, env.get("JOURNEYMAN_MASTER_KEY", "")),
        url=env.get("JOURNEYMAN_URL", "").rstrip("/"),
        owners=tuple(it.strip().lower() for it in env.get("JOURNEYMAN_OWNERS", "").split(",") if it.strip()),
        limits=_limits(env.get("JOURNEYMAN_LIMITS", "")),
        sandbox=_choice(env.get("JOURNEYMAN_SANDBOX") or "auto"),
        host=env.get("HOST") or "127.0.0.1",
        port=_port(env.get("PORT") or "8000"),
        publish_seconds=PUBLISH_SECONDS,
    )


def _private_key(value: str) -> Secret:
    """PEM text (`\\n` may be written out) or a path to it."""
    if not value.strip():
        return Secret("")
    if "BEGIN" in value:
        return Secret(value.replace("\\n", "\n").strip() + "\n")
    path = Path(value).expanduser()
    if not path.is_file():
        raise SettingsProblem(f"JOURNEYMAN_PRIVATE_KEY is neither a PEM text nor a file that exists ({path}).")
    return Secret(path.read_text())


def _master_key(home: Path, value: str) -> Secret:
    """64 hex characters; made on first start, mode 0600, when unset."""
    if not value:
        path = home / "master.key"
        if not path.exists():
            _make_key(path)
        value = path.read_text().strip()
    try:
        sound = len(bytes.fromhex(value)) == 32
    except ValueError:
        sound = False
    if not sound:
        raise SettingsProblem(
            "JOURNEYMAN_MASTER_KEY must be 64 hexadecimal characters (make one with: openssl rand -hex 32)."
        )
    return Secret(value)


def _limits(value: str) -> Ceilings:
    parts = (it.strip().partition("=") for it in value.split(",") if it.strip())
    try:
        return ceilings_of({**DEFAULT_LIMITS, **{name.strip(): number.strip() for name, _, number in parts}})
    except ValueError as problem:
        raise SettingsProblem(f"JOURNEYMAN_LIMITS: {problem} (for example usd_per_run=10,workers=2).") from None


def _choice(value: str) -> str:
    known = ("auto", "bubblewrap", "none")
    if value not in known:
        raise SettingsProblem(f"JOURNEYMAN_SANDBOX is `{value}`: this version takes {', '.join(known)}.")
    return value


def _port(value: str) -> int:
    if not value.isdigit() or int(value) > 65535:
        raise SettingsProblem(f"PORT is `{value}`: give a number from 0 to 65535.")
    return int(value)


def _make_key(path: Path) -> None:
    """Whole or not at all, and the first of two processes wins: a key that is read half written would lock everybody out."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
