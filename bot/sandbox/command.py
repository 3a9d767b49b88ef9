"""What every level does alike with a command: its directory, its variables, its limits."""

import os
import re

from bot.ports import Permanent, SandboxRun
from bot.sandbox.processes import DiskMeter
from bot.sandbox.supervise import Watch

MIB = 1024 * 1024
SHIM = 'cd -- "$1" || exit 126; shift; exec "$@"'
"""Runs next to the command: a working directory that is not there is the command's failure, not the sandbox's."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def directory(root: str, cwd: str) -> str:
    """A checkout's directory, relative to it, as a command sees it. Raises Permanent for one that leaves the checkout."""
    if cwd.startswith("/") or ".." in cwd.split("/") or "\0" in cwd:
        raise Permanent(f"not a directory of the checkout: {cwd!r}")
    return root if cwd in ("", ".") else f"{root}/{cwd}"


def variables_of(command: SandboxRun) -> tuple[tuple[str, str], ...]:
    """The command's own variables. Raises Permanent for a name that is none."""
    for name, value in command.env:
        if not _NAME.fullmatch(name) or "\0" in value:
            raise Permanent(f"not a variable that a command may be given: {name!r}")
    return command.env


def limits(file_bytes: int, *, processes: int) -> list[str]:
    """The prefix that sets kernel limits; `processes` counts all of the uid's in the user namespace where it runs."""
    return ["prlimit", f"--nproc={processes}", f"--fsize={file_bytes}", "--nofile=4096:4096", "--core=0", "--"]


def drop_privileges(uid: int) -> list[str]:
    """The prefix by which root becomes `uid`, for good; empty for a plain user."""
    if os.geteuid() != 0:
        return []
    ids = [f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    return ["setpriv", *ids, "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--"]


def watch(command: SandboxRun, disk_bytes: int) -> Watch:
    """What the engine watches for."""
    checkout = command.checkout
    written = (str(checkout.copy or checkout.upper), str(checkout.home))
    return Watch(
        timeout=command.timeout,
        memory_bytes=command.memory_mb * MIB,
        output_limit=command.output_limit,
        flood_limit=max(64 * MIB, 4 * command.output_limit),
        disk_bytes=disk_bytes,
        disk=DiskMeter(written, disk_bytes).used,
        separate_stderr=command.separate_stderr,
    )
