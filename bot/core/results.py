"""What a phase hands back: past participle, data only. `core.advance` says what becomes of the run."""

from dataclasses import dataclass
from typing import Literal

from bot.core.evidence import Evidence
from bot.core.plan import Plan
from bot.core.run import DiffStat, Foundation, Revision


@dataclass(frozen=True, slots=True)
class SpecDrafted:
    """A revision was written (not reviewed yet)."""

    revision: Revision
    foundation: Foundation
    micros: int = 0


@dataclass(frozen=True, slots=True)
class SpecChallenged:
    """The adversarial pass ended: the newest revision carries the review. `clean` is the computed verdict."""

    revisions: tuple[Revision, ...]
    clean: bool
    open_ids: tuple[str, ...]
    approval_required: bool
    vendor: str
    rounds: int
    micros: int = 0


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan passed its validator; `branches` has one free branch name a line, in order."""

    plan: Plan
    branches: tuple[str, ...]
    by: str = "code"
    micros: int = 0


@dataclass(frozen=True, slots=True)
class TaskFinished:
    """A worker's tree was imported, judged and committed by the engine."""

    line: int
    task: str
    sha: str
    turns: int
    diff: tuple[DiffStat, ...]
    flags: tuple[str, ...] = ()
    deviations: tuple[str, ...] = ()
    follow_ups: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    """Protected paths that a person must release before anything is pushed."""
    model: str = ""
    micros: int = 0


@dataclass(frozen=True, slots=True)
class TaskBlocked:
    """A worker asked something that only a person can answer; `number` counts the task's questions: `Q1`."""

    line: int
    task: str
    question: str
    number: int
    micros: int = 0


@dataclass(frozen=True, slots=True)
class Verified:
    """The commands ran on exactly `evidence.sha`."""

    line: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Delivered:
    """The SHA is on GitHub and its pull request exists; `ready` only when the evidence is a pass."""

    line: int
    sha: str
    pull_number: int
    pull_url: str
    ready: bool


@dataclass(frozen=True, slots=True)
class PhaseHeld:
    """The phase can't go on: `Paused` when something outside must change first, `Failed` when the run must."""

    into: Literal["Paused", "Failed"]
    sentence: str
    verb: str = ""
    until: str = ""


Result = SpecDrafted | SpecChallenged | Planned | TaskFinished | TaskBlocked | Verified | Delivered | PhaseHeld
