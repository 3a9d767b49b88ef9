"""What happened on GitHub, in our own words: past tense, only the fields that decisions need."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RepoRef:
    """A repository as a delivery names it; `id` survives a rename."""

    id: int
    full_name: str
    default_branch: str
    private: bool


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. `type` is GitHub's: User, Bot, Organization."""

    id: int
    login: str
    type: str = "User"


@dataclass(frozen=True, slots=True)
class Me:
    """Who we are as deliveries show us: the App's id and its bot account."""

    app_id: int
    bot_user_id: int
    bot_login: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every event of a repository carries besides its own fields."""

    delivery: str
    installation_id: int
    repo: RepoRef
    sender: Actor


@dataclass(frozen=True, slots=True)
class IssueRef:
    """An issue or a pull request seen as an issue."""

    number: int
    title: str
    author: Actor
    is_pull_request: bool
    state: str = "open"
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IssueLabeled:
    at: Envelope
    issue: IssueRef
    label: str


@dataclass(frozen=True, slots=True)
class IssueUnlabeled:
    at: Envelope
    issue: IssueRef
    label: str


@dataclass(frozen=True, slots=True)
class IssueClosed:
    at: Envelope
    issue: IssueRef


@dataclass(frozen=True, slots=True)
class IssueGone:
    """Deleted or transferred: nothing can be written there any more."""

    at: Envelope
    issue: IssueRef


@dataclass(frozen=True, slots=True)
class IssueCommented:
    """A new comment on an issue or a pull request. `app_id` is `performed_via_github_app.id` where present."""

    at: Envelope
    issue: IssueRef
    comment_id: int
    body: str
    created_at: str
    app_id: int | None = None


@dataclass(frozen=True, slots=True)
class OwnCommentChanged:
    """Somebody edited or deleted a comment: what we published is put back, never read. `author` and `app_id` say whose it is."""

    at: Envelope
    issue: IssueRef
    comment_id: int
    deleted: bool
    author: Actor | None = None
    app_id: int | None = None


@dataclass(frozen=True, slots=True)
class PullRequestClosed:
    """`head_ref`, here and below, is `owner:ref` for a fork's branch, so that no fork can pass for a branch of ours."""

    at: Envelope
    number: int
    head_ref: str
    head_sha: str
    merged: bool


@dataclass(frozen=True, slots=True)
class PullRequestReopened:
    at: Envelope
    number: int
    head_ref: str


@dataclass(frozen=True, slots=True)
class PullRequestLabeled:
    at: Envelope
    number: int
    head_ref: str
    label: str


@dataclass(frozen=True, slots=True)
class PullRequestPushed:
    """`synchronize`: the head of a pull request moved."""

    at: Envelope
    number: int
    head_ref: str
    head_sha: str


@dataclass(frozen=True, slots=True)
class ReviewSubmitted:
    at: Envelope
    number: int
    head_ref: str
    state: str


@dataclass(frozen=True, slots=True)
class ReviewThreadChanged:
    """A review comment or thread was written, resolved or unresolved."""

    at: Envelope
    number: int
    head_ref: str


@dataclass(frozen=True, slots=True)
class ChecksCompleted:
    """A check run, check suite or commit status came to its end."""

    at: Envelope
    head_sha: str
    conclusion: str
    app_id: int | None


@dataclass(frozen=True, slots=True)
class Pushed:
    at: Envelope
    ref: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RepositoryChanged:
    """Renamed, transferred, archived, deleted, made public or private."""

    at: Envelope
    action: str


@dataclass(frozen=True, slots=True)
class LabelChanged:
    """A label of the repository was edited or deleted: ours are put back."""

    at: Envelope
    label: str
    action: str


@dataclass(frozen=True, slots=True)
class InstallationChanged:
    """Created, deleted, suspended, unsuspended, or its repositories changed."""

    delivery: str
    installation_id: int
    account: str
    action: str
    sender: Actor
    added: tuple[RepoRef, ...] = ()
    removed: tuple[RepoRef, ...] = ()


Event = (
    IssueLabeled
    | IssueUnlabeled
    | IssueClosed
    | IssueGone
    | IssueCommented
    | OwnCommentChanged
    | PullRequestClosed
    | PullRequestReopened
    | PullRequestLabeled
    | PullRequestPushed
    | ReviewSubmitted
    | ReviewThreadChanged
    | ChecksCompleted
    | Pushed
    | RepositoryChanged
    | LabelChanged
    | InstallationChanged
)


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event or action that no handler routes: stored, answered 200, nothing to do."""

    reason: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """A delivery whose payload lacks what its event must have: logged with the reason, kept in the inbox."""

    reason: str
