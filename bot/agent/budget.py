"""A task's hard limits, and how full a context is before it is sent."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from bot.core.conversation import AssistantTurn, ResultsTurn, Turn, UserTurn

_CHARS_PER_TOKEN = 3
"""Low on purpose: code and JSON take more tokens a character than prose does."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a task ends, whatever its model thinks. `seconds` counts time at work, `context_tokens` is where a reset is asked for."""

    turns: int = 40
    micros: int = 5_000_000
    seconds: float = 3600.0
    context_tokens: int = 120_000
    resets: int = 2
    bad_shapes: int = 3
    command_seconds: int = 600
    memory_mb: int = 2048
    processes: int = 256


def tokens(turns: Iterable[Turn]) -> int:
    """An upper estimate of what these turns take in a context."""
    return sum(_characters(turn) for turn in turns) // _CHARS_PER_TOKEN


def _characters(turn: Turn) -> int:
    match turn:
        case UserTurn(text):
            return len(text)
        case AssistantTurn(_, raw):
            return len(json.dumps(raw, ensure_ascii=False))
        case ResultsTurn(results):
            return sum(len(result.content) + 64 for result in results)
