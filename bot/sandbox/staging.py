"""Make paths reachable for the worker's uid when the engine runs as root.

A directory below a 0700 home can't be opened by another uid, by path or through a descriptor. Root therefore binds what is needed to a
traversable place, inside a mount namespace of its own. Only a descriptor keeps that namespace alive: it ends with the engine, however
the engine ends, and the machine's own mounts never change.
"""

import contextlib
import fcntl
import itertools
import os
import stat
import subprocess
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PREFIX = "journeyman."
_SCRIPT = """
set -e
mount -n -t tmpfs -o mode=755,size=1m journeyman "$1"; shift
while [ $# -gt 0 ]; do
  # A root that is gone meanwhile is nobody's any more; one that is a file (a linked program) is bound as a file.
  if [ -d "$1" ]; then mkdir "$2"; elif [ -e "$1" ]; then : > "$2"; else shift 2; continue; fi
  mount -n --rbind "$1" "$2"; shift 2
done
echo ready; read -r _
"""
_SYSTEM_PATH = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


@dataclass(slots=True)
class _Namespace:
    """A mount namespace that lives as long as its descriptor."""

    fd: int
    users: int = 0
    current: bool = True

    def close_if_unused(self) -> None:
        if not self.users and not self.current and self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class Staging:
    """Maps paths to where the worker's uid can reach them; grows when it meets a new unreachable root, forgets those longest unused."""

    def __init__(self, uid: int, *, keep: int = 32) -> None:
        self._uid, self._keep = uid, keep
        self._lock = threading.Lock()
        self._place: Path | None = None
        self._claim = -1
        self._pinned: dict[Path, Path] = {}
        self._roots: OrderedDict[Path, Path] = OrderedDict()
        self._numbers = itertools.count()
        self._namespace: _Namespace | None = None

    def pin(self, path: Path) -> Path:
        """Where the worker reaches `path` for as long as this object lives. Raises OSError where root may not mount."""
        root = self._blocked_root(path)
        if root is None:
            return path
        with self._lock:
            if root not in self._pinned:
                self._pinned[root] = self._next_place()
                self._retire()
            return self._pinned[root] / path.relative_to(root)

    @contextlib.contextmanager
    def hold(self, paths: Sequence[Path]) -> Generator[tuple[tuple[str, ...], dict[Path, Path]]]:
        """The command that enters the staging namespace (empty where none is needed), and where each of `paths` is in it.

        The namespace lives at least until the block ends. Raises OSError where root may not mount.
        """
        blocked = {path: self._blocked_root(path) for path in paths}
        with self._lock:
            for root in {root for root in blocked.values() if root is not None} - self._pinned.keys():
                if root not in self._roots:
                    self._roots[root] = self._next_place()
                    self._retire()
                self._roots.move_to_end(root)
            while len(self._roots) > max(self._keep, len(paths)):
                self._roots.popitem(last=False)
            known = {**self._roots, **self._pinned}
            where = {
                path: path if root is None else known[root] / path.relative_to(root) for path, root in blocked.items()
            }
            if known and self._namespace is None:
                self._namespace = _Namespace(self._mounted(known))
            namespace = self._namespace
            if namespace:
                namespace.users += 1
        try:
            # By /proc and not by an inherited descriptor: nothing of it may leak into the sandbox.
            yield ("nsenter", f"--mount=/proc/{os.getpid()}/fd/{namespace.fd}", "--") if namespace else (), where
        finally:
            if namespace:
                with self._lock:
                    namespace.users -= 1
                    namespace.close_if_unused()

    def close(self) -> None:
        """Let the namespace go."""
        with self._lock:
            self._retire()
            if self._place:
                with contextlib.suppress(OSError):
                    self._place.rmdir()
                os.close(self._claim)
                self._place, self._claim = None, -1

    def _next_place(self) -> Path:
        if self._place is None:
            self._place, self._claim = _new_place()
        return self._place / str(next(self._numbers))

    def _retire(self) -> None:
        """The next command needs a new namespace; the old one ends with its last user."""
        if self._namespace:
            self._namespace.current = False
            self._namespace.close_if_unused()
        self._namespace = None

    def _blocked_root(self, path: Path) -> Path | None:
        """The first path below the innermost directory that the worker can't enter."""
        blocked = None
        parts = path.parts
        for depth in range(1, len(parts)):
            folder = Path(*parts[:depth])
            if not _enterable(folder, self._uid):
                blocked = Path(*parts[: depth + 1])
        return blocked

    def _mounted(self, roots: Mapping[Path, Path]) -> int:
        """A descriptor of a new mount namespace in which each root is bound to its place."""
        pairs = [str(part) for pair in roots.items() for part in pair]
        argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _SCRIPT, "stage", str(self._place)]
        with subprocess.Popen(
            argv + pairs, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_SYSTEM_PATH
        ) as holder:
            ready = holder.stdout.readline() if holder.stdout else b""
            fd = os.open(f"/proc/{holder.pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC) if ready == b"ready\n" else -1
            _, error = holder.communicate()
        if fd < 0:
            raise OSError(f"root could not make a private mount namespace: {error.decode(errors='replace').strip()}")
        return fd


def _new_place() -> tuple[Path, int]:
    """An empty directory of root's own in a traversable place, and the lock that claims it; what killed engines left is taken away."""
    for parent in (Path("/run"), Path("/var/tmp")):  # noqa: S108  mkdtemp's names can't be foreseen
        with contextlib.suppress(OSError):
            for left in parent.glob(f"{_PREFIX}*"):
                _remove_left(left)
            for _ in range(9):
                place = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
                claim = _claimed(place)
                if claim is None:
                    continue
                if place.exists():
                    place.chmod(0o755)
                    return place, claim
                os.close(claim)  # another engine swept it before it was claimed
    raise OSError("neither /run nor /var/tmp takes a directory of root's for staging")


def _claimed(place: Path) -> int | None:
    """A descriptor that holds the directory's lock, None where a living engine has it. The kernel lets go when that engine ends."""
    fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


def _remove_left(place: Path) -> None:
    """Only of an engine that is gone: removing a directory takes away what a living namespace has mounted on it.

    A lock says so, since an engine in another container that shares this directory has a process id that means nothing here.
    """
    with contextlib.suppress(OSError):
        claim = _claimed(place)
        if claim is not None:
            try:
                place.rmdir()
            finally:
                os.close(claim)


def _enterable(folder: Path, uid: int) -> bool:
    found = folder.stat()
    if found.st_uid == uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == uid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)
