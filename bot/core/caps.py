"""How often one issue and one repository may make us act: two bots behind people's accounts must not talk to each other for ever."""

from collections.abc import Sequence
from dataclasses import dataclass

HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Caps:
    """Requests an hour that are acted on; the rest are dropped without an answer, since an answer is what keeps such a talk alive."""

    per_issue: int = 20
    per_repo: int = 120


def within(caps: Caps, *, now: float, issue: Sequence[float], repo: Sequence[float]) -> bool:
    """Whether one more request may be acted on, given when (epoch seconds) earlier ones on the issue and in the repository were."""
    return _recent(issue, now) < caps.per_issue and _recent(repo, now) < caps.per_repo


def _recent(times: Sequence[float], now: float) -> int:
    return sum(now - HOUR < at <= now for at in times)
