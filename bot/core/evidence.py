"""Evidence as data: what our own code observed when it ran the commands. A model's word never enters here."""

from dataclasses import dataclass
from typing import Literal

Where = Literal["head", "base", "base tests on head"]


@dataclass(frozen=True, slots=True)
class VerifyCommand:
    """A command to prove the work with; `declared` in agent.yml, else found in the repo and shown as found."""

    name: str
    run: str
    timeout: int = 600
    declared: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """Test counts as reported by the test runner, so only as true as the runner."""

    passed: int
    failed: int
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One command on one tree. `exit_code` None with a `not_run` reason: it could not be run, which is never a pass."""

    name: str
    command: str
    where: Where
    exit_code: int | None
    seconds: float
    output_sha256: str
    output_tail: str
    counts: Counts | None = None
    not_run: str = ""
    timed_out: bool = False
    declared: bool = False

    @property
    def passed(self) -> bool:
        """True only for a command that ran to its end and exited 0."""
        return self.exit_code == 0 and not self.not_run and not self.timed_out


Result = Literal["PASS", "FAIL", "NOT RUN", "RED ON BASE"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All rows for exactly one pushed SHA, with the tree that they ran on and the sandbox level that held them."""

    sha: str
    tree: str
    base_sha: str
    rows: tuple[Row, ...]
    sandbox: str
    result: Result


def result_of(rows: tuple[Row, ...]) -> Result:
    """`could not run` is never a pass, and red on both sides is never a pass."""
    head = [row for row in rows if row.where == "head"]
    if not head or all(row.not_run for row in head):
        return "NOT RUN"
    if all(row.passed for row in rows if row.where != "base"):
        return "PASS"
    red_before = {row.name for row in rows if row.where == "base" and not row.passed}
    red_now = {row.name for row in rows if row.where != "base" and not row.passed}
    return "RED ON BASE" if red_now <= red_before else "FAIL"
