"""Rate limits: the hourly one with its headers, and the one on content that GitHub keeps beside it."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from bot.playground.clock import PlaygroundClock
from bot.playground.validation import ApiError

HOUR = 3600
_ABOUT = "using-the-rest-api/rate-limits-for-the-rest-api"


@dataclass(slots=True)
class _Window:
    reset: int
    used: int = 0
    content: deque[float] = field(default_factory=deque)


@dataclass(slots=True)
class RateLimits:
    """Per caller: `core` and `graphql` an hour, content-creating requests a minute and an hour; settable."""

    clock: PlaygroundClock
    core: int = 5000
    graphql: int = 5000
    anonymous: int = 60
    content_per_minute: int = 80
    content_per_hour: int = 500
    _windows: dict[tuple[str, str], _Window] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def _window(self, key: str, resource: str) -> _Window:
        now = self.clock.now()
        found = self._windows.get((key, resource))
        if found is None or found.reset <= now:
            content = found.content if found else deque()
            found = self._windows[(key, resource)] = _Window(int(now) + HOUR, content=content)
        return found

    def ceiling(self, key: str, resource: str) -> int:
        """The hourly limit of a caller."""
        if key == "anonymous":
            return self.anonymous
        return self.graphql if resource == "graphql" else self.core

    def numbers(self, key: str, resource: str) -> dict[str, int]:
        """limit, used, remaining, reset."""
        with self._lock:
            window, limit = self._window(key, resource), self.ceiling(key, resource)
            used = min(window.used, limit)
            return {"limit": limit, "used": used, "remaining": limit - used, "reset": window.reset}

    def headers(self, key: str, resource: str) -> dict[str, str]:
        """The `x-ratelimit-*` headers."""
        rows = self.numbers(key, resource)
        return {f"x-ratelimit-{name}": str(value) for name, value in rows.items()} | {"x-ratelimit-resource": resource}

    def count(self, key: str, resource: str) -> None:
        """Count one request."""
        with self._lock:
            self._window(key, resource).used += 1

    def check(self, key: str, resource: str, *, who: str) -> None:
        """Raises ApiError 403 beyond the limit."""
        with self._lock:
            beyond = self._window(key, resource).used > self.ceiling(key, resource)
        if beyond:
            raise ApiError(403, f"API rate limit exceeded for {who}.", docs=_ABOUT)

    def give_back(self, key: str, resource: str) -> None:
        """A 304 costs nothing."""
        with self._lock:
            window = self._window(key, resource)
            window.used = max(0, window.used - 1)

    def take_content(self, key: str) -> None:
        """Count one content-creating request. Raises the secondary limit."""
        now = self.clock.now()
        with self._lock:
            made = self._window(key, "core").content
            while made and made[0] <= now - HOUR:
                made.popleft()
            minute = [at for at in made if at > now - 60]
            if len(minute) >= self.content_per_minute:
                raise secondary(int(minute[0] + 60 - now) + 1)
            if len(made) >= self.content_per_hour:
                raise secondary(int(made[0] + HOUR - now) + 1)
            made.append(now)


def secondary(retry_after: int, *, status: int = 403) -> ApiError:
    """The secondary rate limit."""
    return ApiError(
        status,
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
        docs=f"{_ABOUT}#about-secondary-rate-limits",
        headers={"retry-after": str(retry_after)},
    )
