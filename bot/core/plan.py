"""A plan as data: lines of work, each a chain of tasks on one branch. The validator is in core/planning."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """One worker's job: what it must reach, the paths (globs) that it alone may write, and what it leaves for its dependents."""

    id: str
    title: str
    goal: str
    requirements: tuple[str, ...]
    owns: tuple[str, ...]
    reads: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    contract: str = ""
    verify: tuple[str, ...] = ()
    tier: str = "work"
    max_turns: int = 40


@dataclass(frozen=True, slots=True)
class LineOfWork:
    """Tasks joined by dependencies: they merge in order into one branch and end in one pull request."""

    number: int
    title: str
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Every line of work of a run."""

    lines: tuple[LineOfWork, ...]
