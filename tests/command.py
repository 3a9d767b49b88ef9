"""`journeyman` as a person runs it: a process with a temp dir of its own, so that what it leaves behind can be seen."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Command:
    """`folder` holds its temp dir, its JOURNEYMAN_HOME and its output; the caller's model keys stay out."""

    folder: Path

    @property
    def temp(self) -> Path:
        return self.folder / "temp"

    def start(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        self.temp.mkdir(exist_ok=True)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("ANTHROPIC_", "OPENAI_", "JOURNEYMAN_"))}
        own = {"TMPDIR": str(self.temp), "JOURNEYMAN_HOME": str(self.folder / "home"), "COLUMNS": "200"}
        with (self.folder / "output").open("wb") as out:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "bot.cli", *words],
                env={**kept, **own, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,
            )

    def run(self, *words: str, env: Mapping[str, str] | None = None, seconds: float = 200.0) -> tuple[int, str]:
        """Exit code and output."""
        process = self.start(*words, env=env)
        try:
            return process.wait(seconds), self.output()
        finally:
            end(process)

    def output(self) -> str:
        return (self.folder / "output").read_text()

    def says(self, words: str, *, seconds: float = 100.0) -> str:
        """Wait until it said that; gives everything said so far."""
        limit = time.monotonic() + seconds
        while words not in self.output():
            assert time.monotonic() < limit, f"waited for {words!r} in:\n{self.output()}"
            time.sleep(0.05)
        return self.output()

    def leftovers(self) -> list[str]:
        """What lies in the temp dir."""
        return sorted(it.name for it in self.temp.iterdir())

    def processes(self) -> list[int]:
        """Processes that live in the temp dir: servers and workers that a command started."""
        found = []
        for cwd in Path("/proc").glob("[0-9]*/cwd"):
            try:
                where = os.readlink(cwd)
            except OSError:  # gone meanwhile, or another user's
                continue
            if where.startswith(f"{self.temp}/"):
                found.append(int(cwd.parent.name))
        return found


def end(process: subprocess.Popen[bytes]) -> None:
    """Interrupt it if it is still there, and wait."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def listening(text: str) -> bool:
    """Whether the address that a demo printed still answers."""
    found = re.search(r"http://127\.0\.0\.1:(\d+)/", text)
    assert found is not None, text
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", int(found[1]))) == 0
