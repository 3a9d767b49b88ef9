"""Start a command so that it can't outlive the engine, whatever kills the engine.

The leader of the command's process group is a small shell that holds the read end of a pipe; only the engine holds the write end. When the
engine ends, by SIGKILL too, the pipe reads EOF and the shell kills its group. The shell, not the engine's thread, is the parent of
bubblewrap, so `--die-with-parent` follows a process and not a thread.
"""

import contextlib
import fcntl
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LOCK_FD, LIFE_FD, SECCOMP_FD, STATUS_FD = 3, 4, 5, 6
"""Where the guarded command finds its descriptors: single digits, because that is all a POSIX shell can redirect."""

_SCRIPT = (
    f"{{ read -r _; kill -KILL 0; }} <&{LIFE_FD} >/dev/null 2>&1 {LIFE_FD}<&- {LOCK_FD}<&- {SECCOMP_FD}<&- {STATUS_FD}>&- & "
    f'"$@" {LIFE_FD}<&-; exit $?'
)
_ENV = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


@dataclass(frozen=True, slots=True)
class Guarded:
    """A running command: `pid` leads the group, `pidfd` reads as ready when the leader has ended, `life` is the pipe's write end."""

    pid: int
    pidfd: int
    life: int

    def kill(self) -> None:
        """SIGKILL the whole group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def reap(self) -> int:
        """Wait for the leader, end whatever is left of its group, and give the exit code (128 + n for signal n)."""
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        self.kill()  # while the leader is a zombie its number can't be anybody else's
        _, status = os.waitpid(self.pid, 0)
        os.close(self.life)
        os.close(self.pidfd)
        code = os.waitstatus_to_exitcode(status)
        return code if code >= 0 else 128 - code


def spawn(
    argv: Sequence[str], fds: Mapping[int, int], *, env: Mapping[str, str] | None = None, cwd: str | None = None
) -> Guarded:
    """Start `argv` under a guardian; `fds` maps descriptors of the command to ours. Nothing else of ours is inherited.

    Raises OSError where the shell can't be started.
    """
    script = _SCRIPT if cwd is None else f'cd -- "$0" || exit 126; {_SCRIPT}'
    shell = ["/bin/sh", "-c", script, cwd or "guardian", *argv]
    read_end, write_end = os.pipe()
    high: list[int] = []
    try:
        actions = []
        for target, source in {**fds, LIFE_FD: read_end}.items():
            # Sources are first moved out of the targets' way: dup2 onto 3..6 would overwrite a source that happens to live there.
            high.append(fcntl.fcntl(source, fcntl.F_DUPFD_CLOEXEC, 64))
            actions.append((os.POSIX_SPAWN_DUP2, high[-1], target))
        closing = [(os.POSIX_SPAWN_CLOSE, fd) for fd in _inheritable() if fd not in fds and fd != LIFE_FD]
        pid = os.posix_spawn(
            "/bin/sh",
            shell,
            _ENV if env is None else dict(env),
            file_actions=[*closing, *actions],
            setsid=True,
            setsigdef=[signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP],
            setsigmask=[],
        )
    except BaseException:
        os.close(write_end)
        raise
    finally:
        os.close(read_end)
        for fd in high:
            os.close(fd)
    return Guarded(pid, os.pidfd_open(pid), write_end)


def _inheritable() -> list[int]:
    """Descriptors that some library left inheritable; Python's own are not."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if os.get_inheritable(int(name)):
                found.append(int(name))
    return found
