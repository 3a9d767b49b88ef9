"""How a task may end."""

from dataclasses import dataclass

from bot.agent.tools.ask import Question
from bot.agent.tools.report import Report


@dataclass(frozen=True, slots=True)
class Reported:
    """The worker handed back a report."""

    report: Report


@dataclass(frozen=True, slots=True)
class Asked:
    """The worker waits for a person; `number` counts this task's questions from 1."""

    question: Question
    number: int


@dataclass(frozen=True, slots=True)
class Stuck:
    """The model can't be brought to use its tools; `reason` is one plain sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class LimitReached:
    """`axis` is turns, dollars, wall clock or context, or what the ledger names; `reason` is one plain sentence."""

    axis: str
    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The vendor's model declined; `detail` is for the log only."""

    detail: str


Outcome = Reported | Asked | Stuck | LimitReached | Refused
