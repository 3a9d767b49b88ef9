"""Money and tokens as data. All costs are in millionths of a US dollar (`micros`), so that sums are exact."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens by kind, the same meaning for every vendor: `input` excludes what was read from or written to a cache."""

    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input + other.input,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
            self.output + other.output,
            self.reasoning + other.reasoning,
        )


@dataclass(frozen=True, slots=True)
class Spend:
    """What a run has cost so far, summed from the ledger."""

    micros: int = 0
    calls: int = 0
    turns: int = 0
    usage: Usage = Usage()
    by_role: tuple[tuple[str, str, int], ...] = ()
    """(role, model, micros), in the order of first use."""


@dataclass(frozen=True, slots=True)
class Charge:
    """One model call as the ledger keeps it. `key` names the call, so that a replayed step is not charged twice."""

    run_id: str
    key: str
    role: str
    model: str
    usage: Usage
    micros: int
    request_id: str


def dollars(micros: int) -> str:
    """`$2.31`; sums below a cent but above zero read `<$0.01`."""
    if 0 < micros < 10_000:
        return "<$0.01"
    return f"${micros / 1_000_000:.2f}"
