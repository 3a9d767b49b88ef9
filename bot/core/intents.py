"""What a handler asks for: imperative, data only. Permission is checked, then `core.run.decide` says what becomes of it."""

from dataclasses import dataclass
from typing import Literal

from bot.core.events import Actor, RepoRef

Mode = Literal["full", "spec"]
Role = Literal["read", "triage", "write", "maintain", "admin"]


@dataclass(frozen=True, slots=True)
class Target:
    """The issue (or pull request) that an intent is about, and who asks."""

    delivery: str
    installation_id: int
    repo: RepoRef
    number: int
    actor: Actor
    is_pull_request: bool = False
    comment_id: int | None = None
    created_at: str = ""
    issue_title: str = ""
    issue_author: str = ""


@dataclass(frozen=True, slots=True)
class StartRun:
    """A command label, or `/agent`, `/agent spec`: a new run, or the spec of the active run done again."""

    to: Target
    mode: Mode
    label: str = ""


@dataclass(frozen=True, slots=True)
class RefineSpec:
    to: Target
    text: str


@dataclass(frozen=True, slots=True)
class ApproveSpec:
    """`ref` is a revision number, a hash prefix, or empty for the newest revision published before the comment."""

    to: Target
    ref: str = ""


@dataclass(frozen=True, slots=True)
class AnswerQuestion:
    """Settle an assumption (`A1`) or a worker's question (`Q1`)."""

    to: Target
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class WaiveFinding:
    to: Target
    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class StopRun:
    """`/agent stop`, the label `agent:skip`, or the issue closed. `why` is a finished clause: `the issue was closed`."""

    to: Target
    why: str
    closed: bool = False
    """The issue itself was closed, perhaps by a merged pull request that fixes it."""


@dataclass(frozen=True, slots=True)
class PauseRun:
    to: Target


@dataclass(frozen=True, slots=True)
class ResumeRun:
    to: Target


@dataclass(frozen=True, slots=True)
class RetryRun:
    """`from_phase` is empty or a phase name."""

    to: Target
    from_phase: str = ""


@dataclass(frozen=True, slots=True)
class ShowAnswer:
    """`status`, `help`: shown in the status comment."""

    to: Target
    topic: Literal["status", "help"]


@dataclass(frozen=True, slots=True)
class SayPlainly:
    """One plain sentence for the status comment: a mistyped verb, a verb that comes later, a pull request labelled instead of an issue."""

    to: Target
    sentence: str
    confused: bool = True


@dataclass(frozen=True, slots=True)
class NotePullRequest:
    """A pull request on one of our branches moved: closed, merged, reopened, pushed to, labelled, reviewed."""

    to: Target
    head_ref: str
    what: Literal["merged", "closed", "reopened", "pushed", "labeled", "reviewed"]
    head_sha: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Republish:
    """What we published may have been changed by somebody: make GitHub equal to the view again."""

    to: Target


@dataclass(frozen=True, slots=True)
class EnsureLabels:
    """Create our labels in these repositories, with our names and colours."""

    installation_id: int
    repos: tuple[RepoRef, ...]


@dataclass(frozen=True, slots=True)
class DropInstallation:
    """Uninstalled, suspended, or repositories removed: cancel runs, drop tokens, delete mirrors. Empty `repos`: all of them."""

    installation_id: int
    repos: tuple[RepoRef, ...]
    why: str


@dataclass(frozen=True, slots=True)
class RefreshRepository:
    """The repository's name, visibility or default branch may have changed, or its default branch moved."""

    installation_id: int
    repo: RepoRef


RunIntent = (
    StartRun
    | RefineSpec
    | ApproveSpec
    | AnswerQuestion
    | WaiveFinding
    | StopRun
    | PauseRun
    | ResumeRun
    | RetryRun
    | ShowAnswer
    | SayPlainly
    | NotePullRequest
    | Republish
)
Intent = RunIntent | EnsureLabels | DropInstallation | RefreshRepository
