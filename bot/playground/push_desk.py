"""Pushes as they happen: git's own hooks ask through two inherited pipes, while the new objects are still in quarantine.

Nothing but the processes of that one request can reach the pipes, so there is no address to find and no secret to keep.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

HOOK = """#!/bin/sh
# Asks the server of this request, over the pipes that it handed down, and says what it answers.
if [ -z "${PLAYGROUND_ASK:-}" ]; then
  echo 'error: this repository takes pushes over HTTP only' >&2
  exit 1
fi
{ printf '%s\\n' "${0##*/} ${GIT_QUARANTINE_PATH:-}"; cat; echo; } >"/dev/fd/$PLAYGROUND_ASK"
while IFS= read -r line; do
  case $line in
    yes) exit 0 ;;
    no) exit 1 ;;
    *) printf '%s\\n' "$line" >&2 ;;
  esac
done <"/dev/fd/$PLAYGROUND_ANSWER"
exit 1
"""
HOOKS = ("pre-receive", "post-receive")


@dataclass(frozen=True, slots=True)
class RefChange:
    """One ref of a push, as git's hooks get it."""

    name: str
    old: str
    new: str


Judge = Callable[[RefChange, Mapping[str, str]], str | None]
"""Why a ref may not go there, None where it may; the environment lets git see the new objects. It blocks: called in a thread."""


def install_hooks(repo: Path) -> None:
    """Put our two hooks into a bare repository, where they are not yet."""
    folder = repo / "hooks"
    folder.mkdir(exist_ok=True)
    for name in HOOKS:
        path = folder / name
        if path.exists() and path.read_text() == HOOK:
            continue
        fresh = folder / f".{name}.{os.urandom(6).hex()}"
        fresh.write_text(HOOK)
        fresh.chmod(0o755)
        fresh.replace(path)


def quarantine_environment(repo: Path, quarantine: str) -> dict[str, str]:
    """What makes git see the objects of a push before it lands, beside those that are there; nothing where it made none."""
    if not quarantine:
        return {}
    return {"GIT_OBJECT_DIRECTORY": quarantine, "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(repo / "objects")}


class PushDesk:
    """The server's side of the pipes for one request: judges what `pre-receive` asks, and notes what `post-receive` tells."""

    def __init__(self, repo: Path, judge: Judge) -> None:
        self._repo = repo
        self._judge = judge
        self._landed: list[RefChange] = []

    async def __aenter__(self) -> Self:
        ask_read, self._ask = os.pipe()
        self._answer, self._answer_write = os.pipe()
        os.set_blocking(self._answer_write, False)
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ask_read, "rb", buffering=0)
        )
        self._serving = asyncio.create_task(self._serve(reader))
        return self

    async def __aexit__(self, *error: object) -> None:
        self._serving.cancel()
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await self._serving
        finally:
            self._transport.close()
            for fd in (self._ask, self._answer, self._answer_write):
                os.close(fd)

    @property
    def fds(self) -> tuple[int, ...]:
        """What the child inherits."""
        return self._ask, self._answer

    @property
    def environ(self) -> dict[str, str]:
        """How the hooks find it."""
        return {"PLAYGROUND_ASK": str(self._ask), "PLAYGROUND_ANSWER": str(self._answer)}

    async def landed(self) -> list[RefChange]:
        """The refs that this push has changed; complete once git has ended its answer."""
        return self._landed

    async def _serve(self, reader: asyncio.StreamReader) -> None:
        while head := (await reader.readline()).decode().rstrip("\n"):
            hook, _, quarantine = head.partition(" ")
            changes = []
            while line := (await reader.readline()).decode().rstrip("\n"):
                old, new, name = line.split(" ", 2)
                changes.append(RefChange(name, old, new))
            if hook == "post-receive":
                self._landed += changes
                self._say(["yes"])
                continue
            # git waits for an answer: a judge that fails must not leave it waiting
            words = ["error: this push could not be judged", "no"]
            try:
                lines = await self._refusals(changes, quarantine)
                words = [*(f"error: {line}" for line in lines), "no" if lines else "yes"]
            finally:
                self._say(words)

    def _say(self, words: list[str]) -> None:
        os.write(self._answer_write, ("\n".join(words) + "\n").encode())

    async def _refusals(self, changes: list[RefChange], quarantine: str) -> list[str]:
        environment = quarantine_environment(self._repo, quarantine)
        lines: list[str] = []
        for change in changes:
            reason = await asyncio.to_thread(self._judge, change, environment)
            lines += reason.splitlines() if reason else []
        return lines
