"""A run: everything that is decided and observed about one labelled issue. The decisions are in core/decide and core/advance."""

from dataclasses import dataclass, field
from typing import Literal

from bot.core.events import RepoRef
from bot.core.evidence import Evidence
from bot.core.intents import Mode
from bot.core.plan import Plan
from bot.core.review import Review
from bot.core.spec import Spec

Phase = Literal["draft", "challenge", "plan", "work", "integrate", "inspect", "verify", "deliver"]


@dataclass(frozen=True, slots=True)
class Drafting:
    """The spec is being written or attacked: phases draft and challenge."""

    kind: Literal["Drafting"] = "Drafting"


@dataclass(frozen=True, slots=True)
class AwaitingAnswer:
    """Assumptions (`A1`) or questions (`Q1`) that only a person can settle are open."""

    ids: tuple[str, ...] = ()
    kind: Literal["AwaitingAnswer"] = "AwaitingAnswer"


@dataclass(frozen=True, slots=True)
class AwaitingApproval:
    """The spec waits for `/agent approve`; `why` is a finished clause (`the review still has 2 open findings`)."""

    why: str = ""
    kind: Literal["AwaitingApproval"] = "AwaitingApproval"


@dataclass(frozen=True, slots=True)
class Working:
    """Plan to delivery."""

    kind: Literal["Working"] = "Working"


@dataclass(frozen=True, slots=True)
class InReview:
    """Pull requests are open; `red` when the evidence is not a pass."""

    red: bool = False
    kind: Literal["InReview"] = "InReview"


@dataclass(frozen=True, slots=True)
class Paused:
    """Held: `reason` is one plain sentence, `verb` lifts it, `until` (RFC 3339 UTC) lifts it by itself where set."""

    reason: str
    verb: str = "/agent resume"
    until: str = ""
    was: Literal["Drafting", "Working"] = "Working"
    kind: Literal["Paused"] = "Paused"


@dataclass(frozen=True, slots=True)
class Done:
    """Every pull request of the run is merged, or the last was closed."""

    why: str = ""
    kind: Literal["Done"] = "Done"


@dataclass(frozen=True, slots=True)
class Stopped:
    """A person stopped it, or the issue or the installation went away."""

    why: str = ""
    kind: Literal["Stopped"] = "Stopped"


@dataclass(frozen=True, slots=True)
class Failed:
    """It can't go on by itself: `reason` is one plain sentence, `verb` is the next thing to say (or empty)."""

    reason: str
    verb: str = "/agent retry"
    kind: Literal["Failed"] = "Failed"


State = Drafting | AwaitingAnswer | AwaitingApproval | Working | InReview | Paused | Done | Stopped | Failed
TERMINAL = (Done, Stopped, Failed)
"""States in which a new labelling starts a new run."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One row of the status comment's log: what happened, who did it (login or model), what it cost."""

    at: str
    what: str
    who: str = ""
    micros: int = 0


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of the spec with its review; `sha256` is over the rendered spec without its hidden marker."""

    number: int
    spec: Spec
    sha256: str
    base_sha: str
    author_model: str
    drafted_at: str
    review: Review | None = None
    grounding: tuple[str, ...] = ()
    """What the grounding check found wrong, one sentence each."""
    published_at: str = ""
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class Foundation:
    """What was read of the repo at the base SHA, by name and size; `cut` is what did not fit, `left_out` what was not shown and why."""

    read: tuple[str, ...] = ()
    bytes_read: int = 0
    cut: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DiffStat:
    """One file of a diff, as git counted it."""

    path: str
    kind: Literal["added", "modified", "deleted", "renamed"]
    added: int
    removed: int


LineState = Literal[
    "planned", "working", "integrating", "verifying", "delivering", "in review", "merged", "closed", "failed"
]


@dataclass(frozen=True, slots=True)
class TaskState:
    """A task as it stands. `report` is what the worker said; published facts never come from it."""

    id: str
    title: str
    state: Literal["waiting", "working", "done", "blocked", "failed"] = "waiting"
    sha: str = ""
    turns: int = 0
    deviations: tuple[str, ...] = ()
    follow_ups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of work as it stands: its branch, the SHA at its head, its evidence and its pull request."""

    number: int
    title: str
    branch: str
    state: LineState = "planned"
    head_sha: str = ""
    pushed_sha: str = ""
    """What we last put on the branch: a push replaces nothing else."""
    tasks: tuple[TaskState, ...] = ()
    diff: tuple[DiffStat, ...] = ()
    evidence: Evidence | None = None
    pull_number: int = 0
    pull_url: str = ""
    ready: bool = False
    flags: tuple[str, ...] = ()
    """Things a reviewer must see: tests changed, protected files touched (`warn`), CI held back."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `epoch` moves when the active phase changes: a phase may advance the run only at the epoch that it was started with."""

    id: str
    repo: RepoRef
    installation_id: int
    issue: int
    issue_title: str
    issue_author: str
    number: int
    mode: Mode
    requester: str
    state: State
    created_at: str
    epoch: int = 1
    attempt: int = 1
    """Counts `retry` and `refine`: everything is done afresh. Part of phase ids, so that a repeated phase is a new workflow."""
    resumes: int = 0
    """Counts `resume` and answers: the same work goes on, so what was paid for is used again."""
    phase: Phase | None = "draft"
    base_ref: str = ""
    base_sha: str = ""
    snapshot_sha256: str = ""
    """Hash of the issue snapshot (title, body, permitted comments); the snapshot itself is an encrypted blob."""
    outsider: bool = False
    """The issue's author lacks write: SECURITY.md 25 holds the repo's CI back until `/agent allow-ci`."""
    refine: str = ""
    """Text of the last refine that the next revision must answer."""
    answers: tuple[str, ...] = ()
    """Answers to the working task's questions, in order."""
    revisions: tuple[Revision, ...] = ()
    foundation: Foundation = field(default_factory=Foundation)
    approved_sha256: str = ""
    plan: Plan | None = None
    lines: tuple[Line, ...] = ()
    said: str = ""
    """The last plain answer to a person (help, an unknown verb, a refusal), shown in the status comment."""
    log: tuple[LogLine, ...] = ()
    acted_comments: tuple[int, ...] = ()
    sandbox: str = ""
    models: tuple[tuple[str, str], ...] = ()
    """(role, vendor/model), as the run started with."""

    @property
    def revision(self) -> Revision | None:
        """The newest revision."""
        return self.revisions[-1] if self.revisions else None
