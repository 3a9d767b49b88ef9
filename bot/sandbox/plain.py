"""Level 0: no sandbox. The same limits, nothing kept apart: only where the operator says so."""

import contextlib
import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bot.ports import Permanent, SandboxResult, SandboxRun
from bot.sandbox.checkout_lock import used_once
from bot.sandbox.command import MIB, SHIM, directory, drop_privileges, limits, variables_of, watch
from bot.sandbox.guardian import LOCK_FD
from bot.sandbox.processes import ProcessTable, end_marked, threads_of
from bot.sandbox.supervise import Cancel, cancellable, supervise

_MARK = "JOURNEYMAN_COMMAND"


class Plain:
    """`ports.Sandbox` without a sandbox. Needs checkouts with a real copy; as root, commands still run as `uid`."""

    level = "L0 none"
    supports_overlay = False

    def __init__(
        self, *, uid: int, path: str | None = None, file_mb: int = 2048, disk_mb: int = 8192, parallel: int = 64
    ) -> None:
        """`path` defaults to the engine's PATH."""
        self._uid, self._gid = (uid, uid) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
        self._path = os.environ.get("PATH", "") if path is None else path
        self._file_bytes, self._disk_bytes = file_mb * MIB, disk_mb * MIB
        self._table = ProcessTable()
        self._pool = ThreadPoolExecutor(parallel, thread_name_prefix="sandbox")

    def owner(self) -> tuple[int, int]:
        """The uid and gid that a checkout's copy and home must belong to."""
        return self._uid, self._gid

    def close(self) -> None:
        """Give back the threads; commands still running are not waited for."""
        self._pool.shutdown(wait=False)

    async def run(self, command: SandboxRun) -> SandboxResult:
        """As the port says. Raises Permanent for a checkout without a copy, Transient while it is in use elsewhere."""
        return await cancellable(self._pool, lambda cancel: self._run(command, cancel))

    def _run(self, command: SandboxRun, cancel: Cancel) -> SandboxResult:
        copy = command.checkout.copy
        if copy is None:
            raise Permanent("without a sandbox a checkout must be a copy; overlays need bubblewrap")
        mark = f"{_MARK}={uuid.uuid4().hex}"
        # The kernel counts all of a user's threads, so the limit starts from those that are there.
        processes = threads_of(self._uid) + command.processes
        shim = [
            *limits(self._file_bytes, processes=processes),
            "sh",
            "-c",
            SHIM,
            "sh",
            directory(str(copy), command.cwd),
        ]
        with contextlib.ExitStack() as stack:
            lock = stack.enter_context(used_once(command.checkout))
            stack.callback(end_marked, mark.encode())
            ended = supervise(
                [*drop_privileges(self._uid), "env", mark, *shim, *command.argv],
                watch(command, self._disk_bytes),
                table=self._table,
                cancel=cancel,
                stdin=command.stdin,
                fds={LOCK_FD: lock},
                env={**dict(self.environment(command.checkout.home)), **dict(variables_of(command))},
            )
        return ended.result(command)

    def environment(self, home: Path) -> tuple[tuple[str, str], ...]:
        """Every variable that a command sees, before its own: none of the engine's but PATH."""
        fixed = {"PATH": self._path, "HOME": str(home), "USER": "worker", "LOGNAME": "worker", "SHELL": "/bin/sh"}
        fixed |= {"TMPDIR": "/tmp", "LANG": "C.UTF-8", "TERM": "dumb", "CI": "1", "GIT_TERMINAL_PROMPT": "0"}  # noqa: S108
        return tuple(fixed.items())
