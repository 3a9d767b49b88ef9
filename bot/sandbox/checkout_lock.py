"""One user of a checkout at a time, the dying orphans of a killed engine included."""

import contextlib
import fcntl
import os
import time
from collections.abc import Generator

from bot.ports import Checkout, Transient

PATIENCE = 8.0
"""Seconds that a cancelled command is given to end."""


@contextlib.contextmanager
def used_once(checkout: Checkout) -> Generator[int]:
    """Hold the checkout's lock; the sandbox inherits it, so that it also holds while an orphan of a killed engine is still ending.

    A second mount of a live upper directory is accepted by the kernel and undefined. A command that was just cancelled may take some
    seconds to end, so it is waited for; raises Transient when somebody holds the checkout longer. Blocking.
    """
    place = checkout.upper if checkout.copy is None else checkout.copy
    fd = os.open(place.parent / f"{checkout.key.replace('/', '_')}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(fd, checkout.key)
        yield fd
    finally:
        os.close(fd)


def _take(fd: int, key: str) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise Transient(f"the checkout {key} is in use by another sandbox") from None
            time.sleep(0.05)
        else:
            return
