"""Locks between threads and processes on one machine."""

import fcntl
import os
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from bot.ports import Cancelled, Transient


@contextmanager
def flocked(path: Path, stop: threading.Event, *, wait: float = 900.0) -> Generator[int]:
    """Hold an exclusive lock file; gives its fd, so that a child can go on holding the lock when this process is killed.

    Raises Transient after `wait` seconds, Cancelled when nobody waits any more.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Transient("another process holds this repository's mirror") from None
            if stop.wait(0.02):
                raise Cancelled("stopped while waiting for a repository's mirror")
        yield fd
    finally:
        os.close(fd)
