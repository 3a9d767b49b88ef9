"""Numbers, hashes and names as a person reads them."""

from datetime import datetime

_VENDORS = {"anthropic": "Anthropic", "openai": "OpenAI"}


def short(sha: str) -> str:
    """The first seven characters of a hash."""
    return sha[:7]


def plural(count: int, noun: str, many: str = "") -> str:
    """`1 task`, `2 tasks`."""
    return f"{count} {noun if count == 1 else many or noun + 's'}"


def between(start: str, end: str) -> float:
    """Seconds between two RFC 3339 stamps, 0 where one is missing or they run backwards."""
    if not start or not end:
        return 0.0
    return max(0.0, (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())


def duration(seconds: float) -> str:
    """`48 s`, `2 m 10 s`, `21 min`, `1 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return f"{whole // 60} m {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    minutes = whole // 60
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def minutes(seconds: float) -> str:
    """Whole minutes, `under a minute` first."""
    whole = int(seconds // 60)
    if whole < 1:
        return "under a minute"
    return f"{whole} min" if whole < 120 else f"{whole // 60} h {whole % 60} min"


def tokens(count: int) -> str:
    """`940`, `94 k`, `1.1 M`."""
    if count < 1_000:
        return str(count)
    return f"{count / 1_000:.0f} k" if count < 1_000_000 else f"{count / 1_000_000:.1f} M"


def vendor(model: str) -> str:
    """`OpenAI` of `openai/gpt-6.2-sol` or `openai`."""
    name = model.split("/", 1)[0]
    return _VENDORS.get(name, name)


def model(name: str) -> str:
    """`gpt-6.2-sol` of `openai/gpt-6.2-sol`."""
    return name.split("/", 1)[-1]


def clock(stamp: str) -> str:
    """`09:14:02` of an RFC 3339 stamp in UTC."""
    return stamp[11:19]


def listed(names: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
