"""One engine a database: an exclusive lock for the process's life, because a second one would run the first one's steps again."""

import fcntl
import os
import time
from pathlib import Path

from bot.ports import UserFacing


class ExecutorLock:
    """A lock on `<home>/executor.lock` that the kernel drops when the process dies, however it dies."""

    def __init__(self, home: Path, *, patience: float = 3.0) -> None:
        self._path, self._patience = home / "executor.lock", patience
        self._fd: int | None = None

    def take(self) -> None:
        """Waits a moment for one that is just dying (`patience` seconds). Raises UserFacing when another engine holds it."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        end = time.monotonic() + self._patience
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() < end:
                    time.sleep(0.05)
                    continue
            os.close(fd)
            raise UserFacing(
                f"Another engine already works on {self._path.parent}: stop it first, or give this one another JOURNEYMAN_HOME.",
                verb="",
            )
        self._fd = fd
