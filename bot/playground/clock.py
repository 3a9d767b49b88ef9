"""The playground's clock: real time plus an offset that tests move, or a standing one."""

import threading
import time
from datetime import UTC, datetime


class PlaygroundClock:
    """Seconds since the epoch; never goes back except by `freeze`."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._frozen: float | None = None
        self._lock = threading.Lock()

    def now(self) -> float:
        """Seconds since the epoch."""
        with self._lock:
            return self._frozen if self._frozen is not None else time.time() + self._offset

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`."""
        with self._lock:
            if self._frozen is not None:
                self._frozen += seconds
            else:
                self._offset += seconds

    def freeze(self, at: float | None = None) -> None:
        """Stand still, at `at` or now."""
        now = self.now()
        with self._lock:
            self._frozen = now if at is None else at


def stamp(at: float) -> str:
    """GitHub's form of a time: `2026-11-24T09:14:02Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp_or_none(at: float | None) -> str | None:
    """The same for a time that may be missing."""
    return None if at is None else stamp(at)
