"""One user of a checkout at a time, the dying orphans of a killed engine included."""

import contextlib
import fcntl
import os
from collections.abc import Generator

from bot.ports import Checkout, Transient


@contextlib.contextmanager
def used_once(checkout: Checkout) -> Generator[int]:
    """Hold the checkout's lock; the sandbox inherits it, so that it also holds while an orphan of a killed engine is still ending.

    A second mount of a live upper directory is accepted by the kernel and undefined. Raises Transient when somebody holds it.
    """
    place = checkout.upper if checkout.copy is None else checkout.copy
    fd = os.open(place.parent / f"{checkout.key.replace('/', '_')}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Transient(f"the checkout {checkout.key} is in use by another sandbox") from None
        yield fd
    finally:
        os.close(fd)
