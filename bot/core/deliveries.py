"""A webhook delivery's bytes into an event: narrow, tolerant models of the fields that decisions need, and no others.

GitHub adds fields and events at will, so unknown ones are skipped and a null is a default; only what a decision can't do
without makes a delivery `Malformed`. Nothing here raises, whatever the bytes are.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from bot.core import events
from bot.core.events import Actor, Envelope, Event, Ignored, InstallationChanged, IssueRef, Malformed, RepoRef

_ANY = frozenset[str]()

ROUTED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "issues": frozenset({"labeled", "unlabeled", "closed", "deleted", "transferred"}),
        "issue_comment": frozenset({"created", "edited", "deleted"}),
        "pull_request": frozenset({"closed", "reopened", "labeled", "synchronize"}),
        "pull_request_review": frozenset({"submitted"}),
        "pull_request_review_comment": frozenset({"created"}),
        "pull_request_review_thread": frozenset({"resolved", "unresolved"}),
        "check_run": frozenset({"completed"}),
        "check_suite": frozenset({"completed"}),
        "status": _ANY,
        "push": _ANY,
        "repository": frozenset(
            {"renamed", "transferred", "archived", "unarchived", "deleted", "publicized", "privatized", "edited"}
        ),
        "label": frozenset({"edited", "deleted"}),
        "installation": frozenset({"created", "deleted", "suspend", "unsuspend"}),
        "installation_repositories": frozenset({"added", "removed"}),
    }
)
"""Event name -> the actions that a handler routes; an empty set for events that have no action."""


def routed(event_name: str, action: str) -> bool:
    """Whether a handler wants this event and action; all that the web process needs to know of a payload."""
    actions = ROUTED.get(event_name)
    return actions is not None and (not actions or action in actions)


def parse(event_name: str, delivery: str, raw: bytes) -> Event | Ignored | Malformed:
    """The event that these bytes tell of; `Ignored` for what no handler routes, `Malformed` where the payload lacks what it must have."""
    try:
        action = msgspec.json.decode(raw, type=_Action).action or ""
        if not routed(event_name, action):
            return Ignored(f"no handler routes {event_name}{f'.{action}' if action else ''}"[:120])
        model, build = _EVENTS[event_name]
        return build(msgspec.json.decode(raw, type=model), delivery)
    except _Lacking as lacking:
        return Malformed(f"{event_name}: {lacking}")
    except RecursionError:
        return Malformed(f"{event_name[:64]}: nested too deeply")
    except ValueError as wrong:  # msgspec's errors, bad UTF-8 and numbers that Python refuses to read
        return Malformed(f"{event_name[:64]}: {wrong}"[:300])


class _Lacking(ValueError):
    """A field that the event can't do without is absent or empty."""


# ---- the shapes ----------------------------------------------------------------------------------------------------


class _Action(msgspec.Struct):
    action: str | None = None


class _Account(msgspec.Struct):
    id: int = 0
    login: str = ""
    type: str = ""


class _Repo(msgspec.Struct):
    id: int = 0
    full_name: str = ""
    default_branch: str | None = None
    private: bool = False


class _Installation(msgspec.Struct):
    id: int = 0
    account: _Account | None = None


class _Named(msgspec.Struct):
    name: str = ""


class _Id(msgspec.Struct):
    id: int = 0


class _Common(msgspec.Struct):
    action: str | None = None
    installation: _Installation | None = None
    repository: _Repo | None = None
    sender: _Account | None = None


class _Issue(msgspec.Struct):
    number: int = 0
    title: str | None = None
    user: _Account | None = None
    state: str | None = None
    labels: list[_Named] | None = None
    pull_request: object = None


class _Issues(_Common):
    issue: _Issue | None = None
    label: _Named | None = None


class _Comment(msgspec.Struct):
    id: int = 0
    body: str | None = None
    user: _Account | None = None
    created_at: str | None = None
    performed_via_github_app: _Id | None = None


class _IssueComment(_Common):
    issue: _Issue | None = None
    comment: _Comment | None = None


class _Head(msgspec.Struct):
    ref: str = ""
    sha: str = ""
    repo: _Repo | None = None
    user: _Account | None = None


class _Pull(msgspec.Struct):
    number: int = 0
    head: _Head | None = None
    merged: bool | None = None


class _State(msgspec.Struct):
    state: str | None = None


class _PullRequest(_Common):
    pull_request: _Pull | None = None
    label: _Named | None = None
    review: _State | None = None


class _Check(msgspec.Struct):
    head_sha: str = ""
    conclusion: str | None = None
    app: _Id | None = None


class _Checks(_Common):
    check_run: _Check | None = None
    check_suite: _Check | None = None


class _Status(_Common):
    sha: str = ""
    state: str | None = None


class _Push(_Common):
    ref: str = ""
    before: str = ""
    after: str = ""


class _From(msgspec.Struct):
    from_: str | None = msgspec.field(default=None, name="from")


class _Changes(msgspec.Struct):
    name: _From | None = None


class _Label(_Common):
    label: _Named | None = None
    changes: _Changes | None = None


class _Repositories(_Common):
    repositories: list[_Repo] | None = None
    repositories_added: list[_Repo] | None = None
    repositories_removed: list[_Repo] | None = None


# ---- pieces --------------------------------------------------------------------------------------------------------


def _repo(repo: _Repo) -> RepoRef:
    return RepoRef(repo.id, repo.full_name, repo.default_branch or "", repo.private)


def _actor(account: _Account | None) -> Actor:
    # A deleted account comes as null; its empty type makes it nobody who may start anything.
    return Actor(account.id, account.login, account.type) if account else Actor(0, "", "")


def _envelope(common: _Common, delivery: str) -> Envelope:
    installation, repo = common.installation, common.repository
    if installation is None or installation.id <= 0:
        raise _Lacking("no installation id; the webhook must be the App's own, not a repository's")
    if repo is None or repo.id <= 0 or not repo.full_name:
        raise _Lacking("no repository")
    return Envelope(delivery, installation.id, _repo(repo), _actor(common.sender))


def _issue(issue: _Issue | None) -> IssueRef:
    if issue is None or issue.number <= 0:
        raise _Lacking("no issue number")
    return IssueRef(
        number=issue.number,
        title=issue.title or "",
        author=_actor(issue.user),
        is_pull_request=issue.pull_request is not None,
        state=issue.state or "open",
        labels=tuple(label.name for label in issue.labels or ()),
    )


def _label(label: _Named | None) -> str:
    if label is None or not label.name:
        raise _Lacking("no label name")
    return label.name


def _head(pull: _Pull | None, repo: RepoRef) -> tuple[int, str, str]:
    """Number, head ref and head SHA; the ref of a fork (or of one since deleted) gets its owner's name in front."""
    if pull is None or pull.number <= 0 or pull.head is None or not pull.head.ref:
        raise _Lacking("no pull request number or head")
    head = pull.head
    ours = head.repo is not None and head.repo.id == repo.id
    owner = head.user.login if head.user else ""
    return pull.number, head.ref if ours else f"{owner or 'unknown'}:{head.ref}", head.sha


def _via(comment: _Comment) -> int | None:
    return comment.performed_via_github_app.id if comment.performed_via_github_app else None


# ---- one builder an event ------------------------------------------------------------------------------------------


def _issues(payload: _Issues, delivery: str) -> Event:
    at, issue = _envelope(payload, delivery), _issue(payload.issue)
    match payload.action:
        case "labeled":
            return events.IssueLabeled(at, issue, _label(payload.label))
        case "unlabeled":
            return events.IssueUnlabeled(at, issue, _label(payload.label))
        case "closed":
            return events.IssueClosed(at, issue)
        case _:
            return events.IssueGone(at, issue)


def _issue_comment(payload: _IssueComment, delivery: str) -> Event:
    at, issue, comment = _envelope(payload, delivery), _issue(payload.issue), payload.comment
    if comment is None or comment.id <= 0:
        raise _Lacking("no comment id")
    if payload.action != "created":
        return events.OwnCommentChanged(
            at, issue, comment.id, payload.action == "deleted", _actor(comment.user), _via(comment)
        )
    return events.IssueCommented(at, issue, comment.id, comment.body or "", comment.created_at or "", _via(comment))


def _pull_request(payload: _PullRequest, delivery: str) -> Event:
    at = _envelope(payload, delivery)
    number, ref, sha = _head(payload.pull_request, at.repo)
    match payload.action:
        case "closed":
            return events.PullRequestClosed(
                at, number, ref, sha, bool(payload.pull_request and payload.pull_request.merged)
            )
        case "reopened":
            return events.PullRequestReopened(at, number, ref)
        case "labeled":
            return events.PullRequestLabeled(at, number, ref, _label(payload.label))
        case _:
            return events.PullRequestPushed(at, number, ref, sha)


def _review(payload: _PullRequest, delivery: str) -> Event:
    at = _envelope(payload, delivery)
    number, ref, _ = _head(payload.pull_request, at.repo)
    state = payload.review.state if payload.review else None
    return events.ReviewSubmitted(at, number, ref, state or "commented")


def _thread(payload: _PullRequest, delivery: str) -> Event:
    at = _envelope(payload, delivery)
    number, ref, _ = _head(payload.pull_request, at.repo)
    return events.ReviewThreadChanged(at, number, ref)


def _checks(payload: _Checks, delivery: str) -> Event:
    at, check = _envelope(payload, delivery), payload.check_run or payload.check_suite
    if check is None or not check.head_sha:
        raise _Lacking("no head SHA")
    return events.ChecksCompleted(at, check.head_sha, check.conclusion or "", check.app.id if check.app else None)


def _status(payload: _Status, delivery: str) -> Event | Ignored:
    at = _envelope(payload, delivery)
    if not payload.sha:
        raise _Lacking("no SHA")
    if payload.state in (None, "pending"):
        return Ignored("the status is still pending")
    return events.ChecksCompleted(at, payload.sha, payload.state or "", None)


def _push(payload: _Push, delivery: str) -> Event:
    at = _envelope(payload, delivery)
    if not payload.ref:
        raise _Lacking("no ref")
    return events.Pushed(at, payload.ref, payload.before, payload.after)


def _repository(payload: _Common, delivery: str) -> Event:
    return events.RepositoryChanged(_envelope(payload, delivery), payload.action or "")


def _label_changed(payload: _Label, delivery: str) -> Event:
    at = _envelope(payload, delivery)
    before = payload.changes.name.from_ if payload.changes and payload.changes.name else None
    # A renamed label counts under the name that it had: that is the one that may have been ours.
    return events.LabelChanged(at, before or _label(payload.label), payload.action or "")


def _installation(payload: _Repositories, delivery: str) -> Event:
    installation, action = payload.installation, payload.action or ""
    if installation is None or installation.id <= 0:
        raise _Lacking("no installation id")
    whole = tuple(_repo(repo) for repo in payload.repositories or ())
    added = tuple(_repo(repo) for repo in payload.repositories_added or ())
    removed = tuple(_repo(repo) for repo in payload.repositories_removed or ())
    return InstallationChanged(
        delivery=delivery,
        installation_id=installation.id,
        account=installation.account.login if installation.account else "",
        action=action,
        sender=_actor(payload.sender),
        added=added + (whole if action == "created" else ()),
        removed=removed + (whole if action in ("deleted", "suspend") else ()),
    )


_Build = Callable[..., Event | Ignored]
_EVENTS: Mapping[str, tuple[type[_Common], _Build]] = MappingProxyType(
    {
        "issues": (_Issues, _issues),
        "issue_comment": (_IssueComment, _issue_comment),
        "pull_request": (_PullRequest, _pull_request),
        "pull_request_review": (_PullRequest, _review),
        "pull_request_review_comment": (_PullRequest, _thread),
        "pull_request_review_thread": (_PullRequest, _thread),
        "check_run": (_Checks, _checks),
        "check_suite": (_Checks, _checks),
        "status": (_Status, _status),
        "push": (_Push, _push),
        "repository": (_Common, _repository),
        "label": (_Label, _label_changed),
        "installation": (_Repositories, _installation),
        "installation_repositories": (_Repositories, _installation),
    }
)
