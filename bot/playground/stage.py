"""A whole Journeyman on loopback: the playground with git and pages, and `journeyman serve` as a process of its own beside it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx

from bot.git.remove import remove_tree
from bot.playground.git_mount import git_over
from bot.playground.pages_source import pages_over
from bot.playground.world import NewApp, Playground

SECRET = "playground-webhook-secret"
OWNERS = ("acme", "octo-parse", "you")
"""Accounts that a stage's server works for."""
KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "VIRTUAL_ENV",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTPS_PROXY",
    "https_proxy",
)
START_SECONDS = 60.0
GIVEN_UP = "can't start as configured"
"""What `serve` prints when waiting longer would not help."""


class StageProblem(Exception):
    """Something did not start; the message says what, with the end of its output."""


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def playground(directory: Path, webhook_port: int) -> Playground:
    """A playground whose App's webhook goes to that port, with git and pages mounted."""
    return Playground.start(
        directory,
        webhook_url=f"http://127.0.0.1:{webhook_port}/webhooks/github",
        webhook_secret=SECRET,
        git_app=git_over,
        pages_app=pages_over,
    )


@dataclass(slots=True)
class Server:
    """`journeyman serve` (or one of its parts) as a child process; its output goes to a file."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    log: Path
    cwd: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        """Start it; its session is its own, so that it can be stopped with everything that it started.

        Our end of its stdin closes when we die, however we die: then it ends by itself.
        """
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "bot.cli", *self.argv],
                env={**self.env, "JOURNEYMAN_SUPERVISED": "1"},
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=self.cwd,
                start_new_session=True,
            )

    def output(self, last: int = 4000) -> str:
        """The end of what it printed."""
        return self.log.read_text(errors="replace")[-last:] if self.log.exists() else ""

    def wait_ready(self, url: str) -> None:
        """Until `/readyz` answers 200. Raises StageProblem."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process is not None and self.process.poll() is not None:
                raise StageProblem(f"journeyman {' '.join(self.argv)} ended by itself:\n{self.output()}")
            if GIVEN_UP in self.output():
                raise StageProblem(self.output().strip())
            try:
                if httpx.get(f"{url}/readyz", timeout=2.0).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise StageProblem(
            f"journeyman {' '.join(self.argv)} was not ready after {START_SECONDS:.0f} s:\n{self.output()}"
        )

    def stop(self) -> None:
        """SIGTERM, then after 30 s SIGKILL, to the process that we started."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@dataclass(slots=True)
class Stage:
    """Playground and server. `extra` are the environment's model keys and anything else for `serve`."""

    directory: Path
    extra: Mapping[str, str]
    unsandboxed: bool = False
    publish_seconds: float | None = None
    """Seconds between two edits of an issue's comments; None is the product's own."""
    port: int = field(default_factory=free_port)
    hub: Playground = field(init=False)
    app: NewApp = field(init=False)
    server: Server = field(init=False)

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.hub = playground(self.directory / "hub", self.port)
        self.app = self.hub.create_app()
        flags = ("--i-accept-unsandboxed",) if self.unsandboxed else ()
        if self.publish_seconds is not None:
            flags = (*flags, "--publish-seconds", str(self.publish_seconds))
        self.server = Server(("serve", *flags), self.environment(), self.directory / "serve.log", self.directory)

    @property
    def home(self) -> Path:
        """JOURNEYMAN_HOME of the server."""
        return self.directory / "home"

    @property
    def url(self) -> str:
        """The server's own address."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """Only what `serve` needs: keys of whoever runs this stay out, unless `extra` hands them in."""
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        kept["PATH"] = f"{Path(sys.executable).parent}:{kept.get('PATH', os.defpath)}"
        return {
            **kept,
            "PYTHONSAFEPATH": "1",
            "PYTHONUNBUFFERED": "1",
            "JOURNEYMAN_HOME": str(self.home),
            "JOURNEYMAN_APP_ID": str(self.app.id),
            "JOURNEYMAN_PRIVATE_KEY": self.app.private_key,
            "JOURNEYMAN_WEBHOOK_SECRET": SECRET,
            "JOURNEYMAN_OWNERS": ",".join(OWNERS),
            "JOURNEYMAN_GITHUB_API": self.hub.api,
            "JOURNEYMAN_GITHUB_GIT": self.hub.git,
            "JOURNEYMAN_SANDBOX": "none" if self.unsandboxed else "auto",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            **self.extra,
        }

    def __enter__(self) -> Self:
        try:
            self.server.start()
            self.server.wait_ready(self.url)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server, then the playground."""
        try:
            self.server.stop()
        finally:
            self.hub.stop()


@contextlib.contextmanager
def scratch(prefix: str) -> Generator[Path]:
    """A directory of our own under the temp dir, taken away however this ends, with whatever a sandbox left in it."""
    directory = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        yield directory
    finally:
        remove_tree(directory, tool_path=os.environ.get("PATH", os.defpath))
