"""Watch one guarded command to its end: output, wall clock, memory, disk, cancellation."""

import asyncio
import contextlib
import fcntl
import json
import os
import selectors
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TypeVar

from bot.ports import SandboxResult, SandboxRun
from bot.sandbox.guardian import STATUS_FD, Guarded, spawn
from bot.sandbox.output import Clip
from bot.sandbox.processes import ProcessTable

T = TypeVar("T")

_TICK = 0.1
_DRAIN = 0.5
"""Seconds that a daemon which left the group and kept our pipe open may hold us up."""
_LATE = 0.2
_GONE = 5.0


@dataclass(frozen=True, slots=True)
class Watch:
    """What a command may use. `disk` measures what it has written, in bytes; None where nothing bounds it but the file size."""

    timeout: float
    memory_bytes: int
    output_limit: int
    flood_limit: int
    disk_bytes: int = 0
    disk: Callable[[], int] | None = None
    separate_stderr: bool = False


@dataclass(slots=True)
class Ended:
    """How a watched command ended; `started` is False when the sandbox itself could not be set up."""

    code: int = 0
    killed: str = ""
    output: Clip = field(default_factory=lambda: Clip(0))
    errors: Clip = field(default_factory=lambda: Clip(0))
    seconds: float = 0.0
    started: bool = True

    def result(self, command: SandboxRun) -> SandboxResult:
        """What the port gives back."""
        return SandboxResult(
            exit_code=None if self.killed else self.code,
            output=self.output.kept(),
            seconds=self.seconds,
            killed=self.killed,
            stderr=self.errors.kept() if command.separate_stderr else b"",
            output_sha256=self.output.sha256,
            clipped=self.output.clipped,
        )


class Cancel:
    """A switch that another thread may throw: the watching thread wakes at once."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def fileno(self) -> int:
        return self._read

    def set(self) -> None:
        """Throw it; twice is the same as once."""
        with contextlib.suppress(OSError):
            os.write(self._write, b"!")

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)


class _Watching:
    """One run's state; its life is one call of `supervise`."""

    def __init__(self, process: Guarded, watch: Watch, table: ProcessTable, cancel: Cancel) -> None:
        self.process, self.watch, self.table, self.cancel = process, watch, table, cancel
        self.began = time.monotonic()
        self.output = Clip(watch.output_limit)
        self.errors = Clip(min(watch.output_limit, 65_536))
        self.status = bytearray()
        self.killed = ""
        self.inner_pid = 0
        self.inner_fd = -1
        self.selector = selectors.DefaultSelector()

    def kill(self, why: str) -> None:
        if not self.killed:
            self.killed = why
            self.process.kill()

    def listen(self, fd: int, take: Callable[[bytes], None]) -> None:
        os.set_blocking(fd, False)
        self.selector.register(fd, selectors.EVENT_READ, take)

    def take_output(self, data: bytes) -> None:
        self.output.feed(data)
        if self.output.total > self.watch.flood_limit:
            self.kill("output")

    def take_status(self, data: bytes) -> None:
        """Bubblewrap's own word: the sandbox's first process, seen from here, and whether the command was started."""
        self.status += data
        if not self.inner_pid and b"}" in self.status:
            self.inner_pid = int(json.loads(self.status.split(b"}")[0] + b"}")["child-pid"])
            with contextlib.suppress(ProcessLookupError):
                self.inner_fd = os.pidfd_open(self.inner_pid)

    def until_exit(self) -> None:
        self.selector.register(self.process.pidfd, selectors.EVENT_READ, None)
        self.selector.register(self.cancel, selectors.EVENT_READ, None)
        deadline = self.began + self.watch.timeout
        tick = self.began + _TICK
        while True:
            now = time.monotonic()
            ready = {key.fd: key for key, _ in self.selector.select(max(0.0, min(tick, deadline) - now))}
            if self.cancel.fileno() in ready:
                self.selector.unregister(self.cancel)
                self.kill("cancelled")
            for key in ready.values():
                self._read(key)
            if self.process.pidfd in ready:
                self.selector.unregister(self.process.pidfd)
                return
            now = time.monotonic()
            if now >= deadline:
                self.kill("timeout")
                deadline = float("inf")
            if now >= tick:
                tick = now + _TICK
                self._check_use()

    def _check_use(self) -> None:
        if self.table.resident(self.process.pid) > self.watch.memory_bytes:
            self.kill("memory")
        elif self.watch.disk is not None and self.watch.disk() > self.watch.disk_bytes:
            self.kill("disk")

    def _read(self, key: selectors.SelectorKey) -> bool:
        """Take what is there; False at the end of the stream."""
        if key.data is None:
            return True
        try:
            data = os.read(key.fd, 262_144)
        except BlockingIOError:
            return True
        if data:
            key.data(data)
            return True
        self.selector.unregister(key.fd)
        return False

    def drain(self, seconds: float) -> None:
        """Take what the dead command left in the pipes."""
        deadline = time.monotonic() + seconds
        if self.cancel.fileno() in self.selector.get_map():
            self.selector.unregister(self.cancel)
        while self.selector.get_map() and (left := deadline - time.monotonic()) > 0:
            for key, _ in self.selector.select(left):
                self._read(key)

    def until_gone(self) -> None:
        """Wait until the sandbox's first process, and with it everything inside, has ended: its checkout may then be mounted again."""
        if not self.inner_pid:
            self.drain(_LATE)  # killed before we read who it is
        if self.inner_fd < 0:
            return
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.inner_fd, signal.SIGKILL)
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.inner_fd, selectors.EVENT_READ)
            waiting.select(_GONE)
        os.close(self.inner_fd)


def supervise(
    argv: Sequence[str],
    watch: Watch,
    *,
    table: ProcessTable,
    cancel: Cancel,
    stdin: bytes = b"",
    fds: Mapping[int, int] | None = None,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    reports_status: bool = False,
) -> Ended:
    """Run `argv` under a guardian and block until it, and all it started, has ended. Seconds are wall clock.

    `reports_status`: `argv` is bubblewrap, told to write its status to STATUS_FD. Raises OSError where nothing can be spawned.
    """
    with contextlib.ExitStack() as stack:
        out_r, out_w = _pipe(stack)
        err_r, err_w = _pipe(stack) if watch.separate_stderr else (-1, out_w)
        status_r, status_w = _pipe(stack) if reports_status else (-1, -1)
        given = {0: _source(stack, stdin), 1: out_w, 2: err_w, **(fds or {})}
        if reports_status:
            given[STATUS_FD] = status_w
        try:
            process = spawn(argv, given, env=env, cwd=cwd)
        finally:
            for fd in {out_w, err_w, status_w} - {-1}:
                os.close(fd)
        state = _Watching(process, watch, table, cancel)
        stack.callback(state.selector.close)
        try:
            state.listen(out_r, state.take_output)
            if watch.separate_stderr:
                state.listen(err_r, state.errors.feed)
            if reports_status:
                state.listen(status_r, state.take_status)
            state.until_exit()
        except BaseException:
            state.process.kill()
            raise
        finally:
            code = state.process.reap()
            if reports_status:
                state.until_gone()
        state.drain(_DRAIN)
    started = not reports_status or state.killed != "" or b"exit-code" in state.status
    return Ended(code, state.killed, state.output, state.errors, time.monotonic() - state.began, started)


async def cancellable(pool: Executor, work: Callable[[Cancel], T]) -> T:
    """Run `work` on one of the pool's threads; cancelling the caller throws its switch and waits until it has ended."""
    cancel = Cancel()
    job = asyncio.get_running_loop().run_in_executor(pool, work, cancel)
    job.add_done_callback(lambda _: cancel.close())
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        if not job.done():
            cancel.set()
            await asyncio.wait([job])
        raise


def _pipe(stack: contextlib.ExitStack) -> tuple[int, int]:
    read_end, write_end = os.pipe()
    stack.callback(os.close, read_end)
    return read_end, write_end


def _source(stack: contextlib.ExitStack, data: bytes) -> int:
    """A descriptor that reads `data`: a file in memory, so that a command which never reads can't block us."""
    if not data:
        fd = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        stack.callback(os.close, fd)
        return fd
    fd = os.memfd_create("stdin", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    stack.callback(os.close, fd)
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    os.lseek(fd, 0, os.SEEK_SET)
    # Sealed: the command could otherwise grow it, in memory that counts as nobody's.
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)
    return fd
