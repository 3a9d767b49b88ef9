"""Pushes as they happen: git's own hooks ask through two inherited pipes, while the new objects are still in quarantine.

Nothing but the processes of that one request can reach the pipes, so there is no address to find and no secret to keep.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bot.playground.repos import ZERO, GitRefused, run_git

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
WORKFLOWS = ".github/workflows/"


@dataclass(frozen=True, slots=True)
class RefChange:
    """One ref of a push, as git's hooks get it."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Judge:
    """What decides a push: `refuse` gives the reason against a ref or None; `workflows` allows new commits to touch workflow files."""

    refuse: Callable[[RefChange], str | None]
    workflows: bool


def protected_branch(ref: str, why: str = "Changes must be made through a pull request.") -> str:
    """GitHub's words for a push to a protected branch."""
    return f"GH006: Protected branch update failed for {ref}.\n{why}"


def workflow_refusal(path: str) -> str:
    """GitHub's words for an App without the `workflows` permission."""
    return f"refusing to allow a GitHub App to create or update workflow `{path}` without `workflows` permission"


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


def touched_workflows(repo: Path, new: str, quarantine: str) -> str:
    """The first workflow file that commits of `new` touch which the repository does not have yet; empty for none.

    A merge counts only for what differs from all its parents, so bringing in the base's workflows is no change of them.
    """
    env = {"GIT_OBJECT_DIRECTORY": quarantine, "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(repo / "objects")}
    argv = ["log", "-c", "-z", "--no-renames", "--name-only", "--format=", new, "--not", "--all", "--", WORKFLOWS]
    out = run_git([f"--git-dir={repo}", *argv], env=env if quarantine else None).stdout.decode(errors="replace")
    return next((path.strip("\n") for path in out.split("\0") if path.strip("\n")), "")


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
        with contextlib.suppress(asyncio.CancelledError):
            await self._serving
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
            lines = [] if hook == "post-receive" else await self._refusals(changes, quarantine)
            if hook == "post-receive":
                self._landed += changes
            words = [*(f"error: {line}" for line in lines), "no" if lines else "yes"]
            os.write(self._answer_write, ("\n".join(words) + "\n").encode())

    async def _refusals(self, changes: list[RefChange], quarantine: str) -> list[str]:
        lines: list[str] = []
        for change in changes:
            reason = self._judge.refuse(change) or await self._workflow_reason(change, quarantine)
            lines += reason.splitlines() if reason else []
        return lines

    async def _workflow_reason(self, change: RefChange, quarantine: str) -> str | None:
        if self._judge.workflows or change.new == ZERO:
            return None
        try:
            path = await asyncio.to_thread(touched_workflows, self._repo, change.new, quarantine)
        except GitRefused as error:
            return f"this push can't be read: {error}"
        return workflow_refusal(path) if path else None
