"""How the engine runs git: an empty environment, nobody's configuration, bounded time, output and memory (SECURITY.md 20)."""

import os
import resource
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

OUTPUT_LIMIT = 64 * 1024 * 1024
STDERR_LIMIT = 64 * 1024

SETTINGS = (
    # nothing a repository brings may run or be included
    *(
        "core.hooksPath=/dev/null",
        "core.fsmonitor=false",
        "core.attributesFile=/dev/null",
        "core.excludesFile=/dev/null",
    ),
    *("core.untrackedCache=false", "core.pager=cat", "core.alternateRefsCommand=", "core.sshCommand=false"),
    # nothing may leave over another transport, follow a redirect or recurse into submodules
    *("protocol.allow=never", "protocol.https.allow=always", "http.followRedirects=false", "credential.helper="),
    *("submodule.recurse=false", "fetch.recurseSubmodules=false", "push.recurseSubmodules=no", "push.gpgSign=false"),
    *("transfer.bundleURI=false", "http.lowSpeedLimit=1000", "http.lowSpeedTime=60"),
    # what comes in is checked; names that other file systems read as .git are refused on this one too
    *("transfer.fsckObjects=true", "core.protectHFS=true", "core.protectNTFS=true"),
    # mirrors lend their objects to checkouts, so nothing is ever collected behind their backs
    *("gc.auto=0", "maintenance.auto=false", "fetch.writeCommitGraph=false", "receive.autogc=false"),
    # large blobs are streamed, not inflated into memory; one thread keeps 16 parallel calls from starving the machine
    *("core.bigFileThreshold=16m", "pack.threads=1", "index.version=4", "core.quotePath=false", "core.symlinks=true"),
)


class GitFailed(Exception):
    """Git exited with `code` (negative: a signal, ours included); `error` is its stderr, for classification and the log."""

    def __init__(self, code: int, error: str, *, why: str = "") -> None:
        super().__init__(why or f"git exited with {code}: {error.strip()[-500:]}")
        self.code = code
        self.error = error
        self.why = why
        """`timeout`, `output` or `stopped` where we ended it."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a git command left. `clipped` when stdout passed the limit and git was ended for it."""

    code: int
    out: bytes
    error: str
    clipped: bool = False


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs git, blocking: call it on one of our own threads. `empty` is an empty directory: HOME and working directory."""

    program: str
    path: str
    empty: Path
    base_url: str
    http: bool
    memory_mb: int = 0
    """Bound on the child's heap for hostile objects, 0 for none."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Set when nobody waits for the result any more: the child is killed within a tenth of a second."""

    def __call__(
        self,
        gitdir: Path,
        *args: str,
        stdin: bytes = b"",
        env: dict[str, str] | None = None,
        token: str | None = None,
        timeout: float = 120.0,
        limit: int = OUTPUT_LIMIT,
        keep: tuple[int, ...] = (),
        check: bool = True,
        clip: bool = False,
    ) -> Output:
        """Run `git args` on a git directory of ours. Seconds and bytes; `keep` are lock fds that live as long as the child.

        Raises GitFailed for a non-zero exit (with `check`), a timeout, or more output than `limit` (without `clip`).
        """
        with ExitStack() as stack:
            options, fds = list(SETTINGS), keep
            if self.http:
                options.append("protocol.http.allow=always")
            if token:
                fd = stack.enter_context(_Pipe(token)).reader
                options.append(_helper(self.base_url, fd))
                fds = (*keep, fd)
            command = [
                self.program,
                *(part for option in options for part in ("-c", option)),
                f"--git-dir={gitdir}",
                *args,
            ]
            process = subprocess.Popen(
                command,
                cwd=self.empty,
                env=self._environment() | (env or {}),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=fds,
                start_new_session=True,
                umask=0o022,
            )
            stack.enter_context(process)
            stack.callback(_kill, process)
            if self.memory_mb:
                _bound_memory(process.pid, self.memory_mb)
            output = _Exchange(process, stdin, limit).run(time.monotonic() + timeout, self.stop)
        if output.clipped and not clip:
            raise GitFailed(output.code, output.error, why="output")
        if check and output.code and not output.clipped:
            raise GitFailed(output.code, output.error)
        return output

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": self.path,
            "LANG": "C",
            "LC_ALL": "C",
            "HOME": str(self.empty),
            "XDG_CONFIG_HOME": str(self.empty),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "false",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_PROTOCOL_FROM_USER": "0",
            "GIT_ADVICE": "0",
        }


class _Pipe:
    """A token on its way to git: a pipe that only our child inherits.

    Argv is world-readable and an environment is inherited by every grandchild and readable through /proc; a pipe is neither, is
    read once, needs no disk, and works wherever /dev/fd does. The credential helper that reads it is bound to our base URL, so
    that no other host is ever offered the token.
    """

    def __init__(self, token: str) -> None:
        self.reader, writer = os.pipe()
        with open(writer, "wb") as end:
            end.write(f"username=x-access-token\npassword={token}\n".encode())

    def __enter__(self) -> "_Pipe":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.reader)


def _helper(base_url: str, fd: int) -> str:
    # git appends the operation (`get`, `store`, `erase`) to the command: the comment sign swallows it
    return f"credential.{base_url}.helper=!exec cat /dev/fd/{fd} #"


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is not None:  # reaped: its number may be another's by now
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _bound_memory(pid: int, megabytes: int) -> None:
    """Cap the child's heap where the system lets us set another process's limits (Linux; elsewhere the timeout alone bounds it).

    The data segment, not the address space: git maps whole packs, and a large repository is no attack.
    """
    prlimit = getattr(resource, "prlimit", None)
    if prlimit is not None:
        with suppress(ProcessLookupError, PermissionError):
            size = megabytes * 1024 * 1024
            prlimit(pid, resource.RLIMIT_DATA, (size, size))
            prlimit(pid, resource.RLIMIT_CORE, (0, 0))


class _Exchange:
    """Feeds stdin and drains stdout and stderr of one process, until it ends or a bound is reached."""

    def __init__(self, process: subprocess.Popen[bytes], stdin: bytes, limit: int) -> None:
        self._process = process
        self._rest = memoryview(stdin)
        self._limit = limit
        self._out = bytearray()
        self._error = bytearray()
        self._selector = selectors.DefaultSelector()

    def run(self, deadline: float, stop: threading.Event) -> Output:
        """Raises GitFailed with `why` for a deadline or a stop."""
        process = self._process
        with self._selector:
            self._watch(process.stdin, selectors.EVENT_WRITE, self._write)
            self._watch(process.stdout, selectors.EVENT_READ, self._read_out)
            self._watch(process.stderr, selectors.EVENT_READ, self._read_error)
            while self._selector.get_map():
                why = "stopped" if stop.is_set() else "timeout" if time.monotonic() > deadline else ""
                if why:
                    raise GitFailed(-signal.SIGKILL, self._error.decode(errors="replace"), why=why)
                for key, _ in self._selector.select(0.1):
                    key.data(key.fd)
                if len(self._out) > self._limit:
                    _kill(process)
                    break
        clipped = len(self._out) > self._limit
        code = process.wait(timeout=max(1.0, deadline - time.monotonic()))
        return Output(code, bytes(self._out[: self._limit]), self._error.decode(errors="replace"), clipped)

    def _watch(self, stream: IO[bytes] | None, event: int, step: Callable[[int], None]) -> None:
        if stream is not None:
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream.fileno(), event, step)

    def _write(self, fd: int) -> None:
        try:
            self._rest = self._rest[os.write(fd, self._rest[:65536]) :] if self._rest else self._rest
        except BrokenPipeError:  # git ended early: its exit code says why
            self._rest = self._rest[:0]
        if not self._rest:
            self._selector.unregister(fd)
            if self._process.stdin is not None:
                self._process.stdin.close()

    def _read_out(self, fd: int) -> None:
        self._read(fd, self._out, self._limit + 1)

    def _read_error(self, fd: int) -> None:
        self._read(fd, self._error, STDERR_LIMIT)

    def _read(self, fd: int, into: bytearray, most: int) -> None:
        data = os.read(fd, 1 << 20)
        if not data:
            self._selector.unregister(fd)
        into += data[: max(0, most - len(into))]
