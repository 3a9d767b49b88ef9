"""What a playground holds: records that change under the state's one lock. Times are seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from bot.playground.objects import GitRepository

Role = Literal["none", "read", "triage", "write", "maintain", "admin"]
ROLES: tuple[Role, ...] = ("none", "read", "triage", "write", "maintain", "admin")


@dataclass(slots=True, eq=False)
class Account:
    """A person, an organization or an App's bot."""

    id: int
    login: str
    type: Literal["User", "Bot", "Organization"]
    created_at: float
    name: str | None = None

    @property
    def email(self) -> str:
        """The address that ties commits to the account."""
        return f"{self.id}+{self.login}@users.noreply.github.com"


@dataclass(slots=True, eq=False)
class Hook:
    """Where an App's deliveries go, and the secret that signs them."""

    id: int
    url: str
    secret: str


@dataclass(slots=True, eq=False)
class App:
    """A GitHub App."""

    id: int
    slug: str
    name: str
    owner: Account
    bot: Account
    client_id: str
    public_key: RSAPublicKey
    permissions: dict[str, str]
    events: tuple[str, ...]
    created_at: float
    hook: Hook | None = None


@dataclass(slots=True, eq=False)
class Installation:
    """An App on an account. `repo_ids` counts only with the selection `selected`."""

    id: int
    app: App
    account: Account
    permissions: dict[str, str]
    events: tuple[str, ...]
    created_at: float
    updated_at: float
    selection: Literal["all", "selected"] = "all"
    repo_ids: set[int] = field(default_factory=set)
    suspended_at: float | None = None
    suspended_by: Account | None = None

    def covers(self, repo: Repo) -> bool:
        """Whether the repository belongs to what was installed on."""
        return repo.owner is self.account and (self.selection == "all" or repo.id in self.repo_ids)


@dataclass(slots=True, eq=False)
class Token:
    """A bearer token: a person's (no installation) or an installation's (scoped, one hour)."""

    value: str
    account: Account
    installation: Installation | None = None
    permissions: dict[str, str] = field(default_factory=dict)
    repo_ids: frozenset[int] | None = None
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class By:
    """Who acts, and through which App."""

    account: Account
    app: App | None = None


@dataclass(slots=True, eq=False)
class Label:
    id: int
    name: str
    color: str
    description: str | None
    default: bool
    born: float


@dataclass(slots=True, eq=False)
class Reaction:
    id: int
    account: Account
    content: str
    born: float


@dataclass(slots=True, eq=False)
class Comment:
    """A comment on an issue or on a pull request's conversation."""

    id: int
    issue: Issue
    author: Account
    app: App | None
    body: str
    born: float
    updated_at: float
    reactions: list[Reaction] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class IssueEvent:
    """A row of an issue's timeline; `extra` holds the event's own fields, shaped when read."""

    id: int
    event: str
    actor: Account
    app: App | None
    born: float
    commit_id: str | None = None
    label: Label | None = None
    reviewer: Account | None = None
    rename: tuple[str, str] | None = None
    state_reason: str | None = None


@dataclass(slots=True, eq=False)
class Issue:
    """An issue, or with `pull` a pull request seen as an issue."""

    id: int
    repo: Repo
    number: int
    title: str
    body: str | None
    author: Account
    app: App | None
    born: float
    updated_at: float
    state: Literal["open", "closed"] = "open"
    state_reason: str | None = None
    closed_at: float | None = None
    closed_by: Account | None = None
    locked: bool = False
    labels: list[Label] = field(default_factory=list)
    assignees: list[Account] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    events: list[IssueEvent] = field(default_factory=list)
    pull: Pull | None = None


@dataclass(slots=True, eq=False)
class ReviewComment:
    id: int
    pull: Pull
    review: Review
    thread: Thread
    author: Account
    app: App | None
    body: str
    born: float
    updated_at: float
    in_reply_to: int | None = None
    reactions: list[Reaction] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Thread:
    """A review thread: where it stands, and whether it was resolved or left behind by a push. `line` is None once outdated."""

    id: int
    pull: Pull
    path: str
    line: int | None
    original_line: int | None
    start_line: int | None
    side: str
    commit_id: str
    diff_hunk: str
    subject: Literal["line", "file"] = "line"
    position: int | None = None
    resolved: bool = False
    resolved_by: Account | None = None
    outdated: bool = False
    comments: list[ReviewComment] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Review:
    id: int
    pull: Pull
    author: Account
    app: App | None
    body: str
    state: Literal["APPROVED", "CHANGES_REQUESTED", "COMMENTED", "PENDING", "DISMISSED"]
    commit_id: str
    born: float
    submitted_at: float | None


@dataclass(slots=True, eq=False)
class Pull:
    """What a pull request has besides its issue. `base_sha` is the base branch's tip when the head last moved."""

    id: int
    issue: Issue
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    draft: bool
    merged_at: float | None = None
    merged_by: Account | None = None
    merge_commit_sha: str | None = None
    maintainer_can_modify: bool = False
    requested: list[Account] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    mergeable: tuple[str, str, bool] | None = None
    """(base, head, answer): GitHub computes it after the first question, so the first answer is null."""

    @property
    def repo(self) -> Repo:
        return self.issue.repo

    @property
    def born(self) -> float:
        return self.issue.born


@dataclass(slots=True, eq=False)
class CheckSuite:
    id: int
    repo: Repo
    app: App
    head_sha: str
    head_branch: str | None
    born: float
    updated_at: float
    runs: list[CheckRun] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class CheckRun:
    id: int
    suite: CheckSuite
    name: str
    born: float
    status: str = "queued"
    conclusion: str | None = None
    external_id: str = ""
    details_url: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class CommitStatus:
    id: int
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    creator: Account
    born: float


@dataclass(frozen=True, slots=True)
class Protection:
    """A protected branch: who may push to it all the same."""

    pushers: tuple[str, ...] = ()
    allow_force: bool = False
    allow_deletion: bool = False


@dataclass(slots=True, eq=False)
class Repo:
    id: int
    owner: Account
    name: str
    default_branch: str
    private: bool
    git: GitRepository
    created_at: float
    updated_at: float
    pushed_at: float
    description: str | None = None
    archived: bool = False
    next_number: int = 1
    collaborators: dict[int, Role] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    protected: dict[str, Protection] = field(default_factory=dict)
    suites: list[CheckSuite] = field(default_factory=list)
    statuses: list[CommitStatus] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"


@dataclass(frozen=True, slots=True)
class Write:
    """One write as the playground counted it. `issue` is 0 where none is meant; `detail` names the thing (ref, label, check name)."""

    kind: str
    repo: str
    issue: int
    actor: str
    detail: str
    id: int
    at: float
