"""Make paths reachable for the worker's uid when the engine runs as root.

A directory below a 0700 home can't be opened by another uid, by path or through a descriptor. Root therefore binds what is needed to a
traversable place, inside a mount namespace of its own. Only a descriptor keeps that namespace alive: it ends with the engine, however
the engine ends, and the machine's own mounts never change.
"""

import contextlib
import hashlib
import os
import stat
import subprocess
import tempfile
import threading
from pathlib import Path

_SYSTEM_PATH = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


class Staging:
    """Maps paths to where the worker's uid can reach them; grows when it meets a new unreachable root."""

    def __init__(self, home: Path, uid: int) -> None:
        self._uid = uid
        self._lock = threading.Lock()
        self._place = _place(home)
        self._roots: dict[Path, Path] = {}
        self._namespaces: list[int] = []

    def reach(self, path: Path) -> Path:
        """`path` itself where the worker can walk to it, else its name inside the staging namespace.

        Raises OSError where root may not mount.
        """
        root = self._blocked_root(path)
        if root is None:
            return path
        with self._lock:
            if root not in self._roots:
                self._stage({**self._roots, root: self._place / str(len(self._roots))})
            return self._roots[root] / path.relative_to(root)

    def prefix(self) -> tuple[str, ...]:
        """The command that enters the staging namespace; empty where nothing had to be staged."""
        with self._lock:
            if not self._namespaces:
                return ()
            # By /proc and not by an inherited descriptor: nothing of it may leak into the sandbox.
            return ("nsenter", f"--mount=/proc/{os.getpid()}/fd/{self._namespaces[-1]}", "--")

    def close(self) -> None:
        """Let the namespaces go."""
        with self._lock:
            while self._namespaces:
                os.close(self._namespaces.pop())
            self._roots.clear()
            with contextlib.suppress(OSError):
                self._place.rmdir()

    def _blocked_root(self, path: Path) -> Path | None:
        """The first path below the innermost directory that the worker can't enter."""
        blocked = None
        parts = path.parts
        for depth in range(1, len(parts)):
            folder = Path(*parts[:depth])
            if not _enterable(folder, self._uid):
                blocked = Path(*parts[: depth + 1])
        return blocked

    def _stage(self, roots: dict[Path, Path]) -> None:
        script = ['set -e; mount -n -t tmpfs -o mode=755,size=1m journeyman "$1"; shift']
        script += [
            'while [ $# -gt 0 ]; do mkdir "$2"; mount -n --rbind "$1" "$2"; shift 2; done; echo ready; read -r _'
        ]
        pairs = [str(part) for pair in roots.items() for part in pair]
        argv = [
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            "\n".join(script),
            "stage",
            str(self._place),
        ]
        with subprocess.Popen(
            argv + pairs, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_SYSTEM_PATH
        ) as holder:
            assert holder.stdout is not None  # noqa: S101  it is a pipe by the line above
            if holder.stdout.readline() != b"ready\n":
                _, error = holder.communicate()
                raise OSError(
                    f"root could not make a private mount namespace: {error.decode(errors='replace').strip()}"
                )
            self._namespaces.append(os.open(f"/proc/{holder.pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC))
            holder.communicate()
        self._roots = roots


def _place(home: Path) -> Path:
    """An empty directory of root's own in a traversable place; those that a killed engine of this home left are taken away."""
    name = f"journeyman-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}"
    for parent in (Path("/run"), Path("/var/tmp")):  # noqa: S108  mkdtemp's names can't be foreseen
        with contextlib.suppress(OSError):
            for left in parent.glob(f"{name}-*"):
                _remove_left(left)
            place = Path(tempfile.mkdtemp(prefix=f"{name}-{os.getpid()}-", dir=parent))
            place.chmod(0o755)
            return place
    raise OSError("neither /run nor /var/tmp takes a directory of root's for staging")


def _remove_left(place: Path) -> None:
    """Only of an engine that is gone: removing a directory takes away what a living namespace has mounted on it."""
    pid = place.name.split("-")[2]
    if pid.isdigit() and not Path("/proc", pid).exists():
        with contextlib.suppress(OSError):
            place.rmdir()


def _enterable(folder: Path, uid: int) -> bool:
    found = folder.stat()
    if found.st_uid == uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == uid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)
