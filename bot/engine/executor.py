"""One engine a database: an exclusive lock for the process's life, because a second one would run the first one's steps again."""

import fcntl
import os
from pathlib import Path

from bot.ports import UserFacing


class ExecutorLock:
    """A lock on `<home>/executor.lock` that the kernel drops when the process dies, however it dies."""

    def __init__(self, home: Path) -> None:
        self._path = home / "executor.lock"
        self._fd: int | None = None

    def take(self) -> None:
        """Raises UserFacing when another engine holds it."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            raise UserFacing(
                f"Another engine already works on {self._path.parent}: stop it first, or give this one another JOURNEYMAN_HOME.",
                verb="",
            ) from None
        self._fd = fd
