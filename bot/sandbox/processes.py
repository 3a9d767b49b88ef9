"""What the kernel says about a process tree, read from /proc."""

import contextlib
import os
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence

_PAGE = os.sysconf("SC_PAGE_SIZE")


class ProcessTable:
    """Parents and resident memory of every process; one scan serves all sandboxes that ask within `fresh` seconds."""

    def __init__(self, *, fresh: float = 0.1) -> None:
        self._fresh = fresh
        self._lock = threading.Lock()
        self._taken = float("-inf")
        self._children: dict[int, list[int]] = {}
        self._resident: dict[int, int] = {}

    def resident(self, root: int) -> int:
        """Bytes resident in `root` and all its descendants; pages that they share count once for each."""
        with self._lock:
            return sum(self._resident.get(pid, 0) for pid in self._tree(root))

    def _tree(self, root: int) -> Iterator[int]:
        if time.monotonic() - self._taken > self._fresh:
            self._scan()
            self._taken = time.monotonic()
        todo = [root]
        while todo:
            pid = todo.pop()
            yield pid
            todo.extend(self._children.get(pid, ()))

    def _scan(self) -> None:
        children: dict[int, list[int]] = defaultdict(list)
        resident: dict[int, int] = {}
        for name in os.listdir("/proc"):
            if name.isdigit() and (row := _stat(name)):
                parent, pages = row
                children[parent].append(int(name))
                resident[int(name)] = pages * _PAGE
        self._children, self._resident = children, resident


def _stat(pid: str) -> tuple[int, int] | None:
    """(parent, resident pages); None for a process that ended meanwhile."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            line = file.read()
    except OSError:
        return None
    fields = line[line.rfind(b")") + 2 :].split()  # the name may hold spaces and brackets
    return int(fields[1]), int(fields[21])


def threads_of(uid: int) -> int:
    """How many threads a user has now: what RLIMIT_NPROC is compared with."""
    count = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                if os.stat(f"/proc/{name}").st_uid == uid:
                    count += len(os.listdir(f"/proc/{name}/task"))
    return count


def end_marked(mark: bytes, *, rounds: int = 100) -> None:
    """SIGKILL every process that has `mark` among its variables, however it detached itself, until none is left."""
    for _ in range(rounds):
        if not _kill_marked(mark):
            return
        time.sleep(0.005)


def _kill_marked(mark: bytes) -> int:
    killed = 0
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
            if mark in file.read().split(b"\0"):
                os.kill(int(name), signal.SIGKILL)
                killed += 1
    return killed


class DiskMeter:
    """How much some directories have grown: the file system's free space tells cheaply, a walk confirms before anybody is blamed."""

    def __init__(self, paths: Sequence[str], limit: int) -> None:
        self._paths = paths
        self._limit = limit
        self._free_at_start = self._free()

    def used(self) -> int:
        """Bytes, at most; exact once they pass the limit, since others write to the same disk."""
        free = self._free()
        grown = self._free_at_start - free
        if grown > self._limit:
            grown = sum(_allocated(path) for path in self._paths)
            self._free_at_start = free + grown
        return grown

    def _free(self) -> int:
        found = os.statvfs(self._paths[0])
        return found.f_bfree * found.f_frsize


def _allocated(path: str) -> int:
    total = 0
    for folder, _names, files in os.walk(path):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512
    return total
