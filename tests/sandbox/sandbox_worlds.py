"""Checkouts on disk, commands in them, and a look at what is still running."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from bot.ports import Checkout, Sandbox, SandboxResult, SandboxRun

WORKER = 64_001


def make_checkout(folder: Path, owner: tuple[int, int], *, copy: bool = False, key: str = "k") -> Checkout:
    """A checkout with one file, `seed`."""
    places = {name: folder / name for name in ("base", "upper", "scratch", "home", "objects", "copy")}
    for place in places.values():
        place.mkdir(parents=True)
        os.chown(place, *owner)
    for tree in ("base", "copy"):
        (places[tree] / "seed").write_text("seed\n")
        os.chown(places[tree] / "seed", *owner)
    where = places.pop("copy")
    return Checkout(key=key, repo="acme/shop", sha="0" * 40, **places, copy=where if copy else None)


async def sh(sandbox: Sandbox, checkout: Checkout, script: str, **options) -> SandboxResult:
    """Run a shell script in a checkout."""
    return await sandbox.run(SandboxRun(checkout, ("sh", "-c", script), **options))


async def says(sandbox: Sandbox, checkout: Checkout, script: str, **options) -> str:
    """Its output as text."""
    return (await sh(sandbox, checkout, script, **options)).output.decode(errors="replace")


def running(mark: str) -> list[str]:
    """Command lines of all processes that have `mark` in them."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = Path("/proc", pid, "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if mark in line:
            found.append(f"{pid}: {line}")
    return found


def until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Wait for a condition; whether it came."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def git(folder: Path, *args: str) -> str:
    """Run git as an innocent user would."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "safe.directory=*")
    return subprocess.run(
        ["git", *identity, *args], cwd=folder, env=env, check=True, capture_output=True, text=True
    ).stdout.strip()
