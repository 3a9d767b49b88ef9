"""Pull requests, their files, reviewers and merging."""

from __future__ import annotations

from typing import Any, Literal

from bot.playground.acts import issues as issue_acts
from bot.playground.acts import pulls as acts
from bot.playground.acts.facts import changes, merge_base, pull_facts
from bot.playground.api import Answer, Call, Route
from bot.playground.data import Pull
from bot.playground.rest.issues import may_edit, ordered
from bot.playground.shapes import commits
from bot.playground.shapes import pulls as shapes
from bot.playground.shapes.accounts import user
from bot.playground.validation import Body, invalid, not_found

_FILES_CAP = 3000
_COMMITS_CAP = 250


class NewPull(Body):
    title: str
    head: str
    base: str
    body: str | None = None
    draft: bool = False
    maintainer_can_modify: bool = True


class ChangedPull(Body):
    title: str | None = None
    body: str | None = None
    state: Literal["open", "closed"] | None = None
    base: str | None = None
    maintainer_can_modify: bool | None = None


class Reviewers(Body):
    reviewers: list[str] | None = None
    team_reviewers: list[str] | None = None


class Merge(Body):
    commit_title: str | None = None
    commit_message: str | None = None
    sha: str | None = None
    merge_method: acts.Method = "merge"


def pull_of(call: Call) -> Pull:
    """The pull request of the path. Raises ApiError 404."""
    issue = call.repo.issues.get(call.number("number"))
    if issue is None or issue.pull is None:
        raise not_found()
    return issue.pull


def _full(call: Call, pull: Pull) -> dict[str, Any]:
    return shapes.pull_full(call.state.web, pull, pull_facts(pull, ask=call.route.method == "GET"))


def list_pulls(call: Call) -> Answer:
    wanted, query = call.query.get("state", "open"), call.query
    if wanted not in ("open", "closed", "all"):
        raise invalid("PullRequest", "state", "invalid")
    owner, _, head = query.get("head", "").rpartition(":")
    if owner and owner.lower() != call.repo.owner.login.lower():
        return call.page([], lambda row: row)
    rows = [
        issue
        for issue in call.repo.issues.values()
        if issue.pull is not None
        and wanted in ("all", issue.state)
        and (not owner or issue.pull.head_ref == head)
        and query.get("base", issue.pull.base_ref) == issue.pull.base_ref
    ]
    pulls = [issue.pull for issue in ordered(call, rows) if issue.pull]
    return call.page(pulls, lambda pull: shapes.pull_simple(call.state.web, pull))


def create_pull(call: Call) -> Answer:
    body = call.body(NewPull)
    pull = acts.open_pull(
        call.state, call.repo, call.by, title=body.title, head=body.head, base=body.base, body=body.body, draft=body.draft
    )  # fmt: skip
    shape = _full(call, pull)
    return Answer(201, shape, {"location": shape["url"]})


def get_pull(call: Call) -> Answer:
    return Answer(200, _full(call, pull_of(call)))


def update_pull(call: Call) -> Answer:
    body, pull, state, by = call.body(ChangedPull), pull_of(call), call.state, call.by
    may_edit(call, pull.issue.author)
    issue_acts.edit_issue(state, pull.issue, by, title=body.title, body=body.body)
    if body.base is not None:
        acts.rebase_onto(state, pull, by, body.base)
    if body.state == "closed":
        issue_acts.close_issue(state, pull.issue, by)
    elif body.state == "open":
        issue_acts.reopen_issue(state, pull.issue, by)
    return Answer(200, _full(call, pull))


def list_files(call: Call) -> Answer:
    pull = pull_of(call)
    rows = changes(pull)[:_FILES_CAP]
    return call.page(rows, lambda one: commits.change(call.state.web, call.repo, pull.head_sha, one))


def list_commits(call: Call) -> Answer:
    pull = pull_of(call)
    rows = call.repo.git.log(f"{merge_base(pull)}..{pull.head_sha}", limit=_COMMITS_CAP)[::-1]
    return call.page(rows, lambda one: commits.commit(call.state.web, call.repo, one, call.state.account_of))


def get_reviewers(call: Call) -> Answer:
    rows = [user(call.state.web, account) for account in pull_of(call).requested]
    return Answer(200, {"users": rows, "teams": []})


def request_reviewers(call: Call) -> Answer:
    pull, body = pull_of(call), call.body(Reviewers)
    if body.team_reviewers:
        raise invalid("PullRequest", "team_reviewers", "invalid")
    acts.request_reviewers(call.state, pull, call.by, body.reviewers or [])
    return Answer(201, shapes.pull_simple(call.state.web, pull))


def remove_reviewers(call: Call) -> Answer:
    pull, body = pull_of(call), call.body(Reviewers)
    acts.remove_reviewers(call.state, pull, call.by, body.reviewers or [])
    return Answer(200, shapes.pull_simple(call.state.web, pull))


def is_merged(call: Call) -> Answer:
    if pull_of(call).merged_at is None:
        raise not_found()
    return Answer(204)


def merge_pull(call: Call) -> Answer:
    pull, body = pull_of(call), call.body(Merge)
    sha = acts.merge(
        call.state, pull, call.by, method=body.merge_method, sha=body.sha, title=body.commit_title, message=body.commit_message
    )  # fmt: skip
    return Answer(200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


_ALL = "/repos/{owner}/{repo}/pulls"
_ONE = f"{_ALL}/{{number}}"
_ASKED = f"{_ONE}/requested_reviewers"
_READ, _WRITE = "pull_requests=read", "pull_requests=write"
_D, _V = "pulls/pulls", "pulls/review-requests"
ROUTES = (
    Route("GET", _ALL, list_pulls, f"{_D}#list-pull-requests", needs=_READ),
    Route("POST", _ALL, create_pull, f"{_D}#create-a-pull-request", needs=_WRITE, role="write", content=True),
    Route("GET", _ONE, get_pull, f"{_D}#get-a-pull-request", needs=_READ),
    Route("PATCH", _ONE, update_pull, f"{_D}#update-a-pull-request", needs=_WRITE, content=True),
    Route("GET", f"{_ONE}/files", list_files, f"{_D}#list-pull-requests-files", needs=_READ),
    Route("GET", f"{_ONE}/commits", list_commits, f"{_D}#list-commits-on-a-pull-request", needs=_READ),
    Route("GET", _ASKED, get_reviewers, f"{_V}#get-all-requested-reviewers-for-a-pull-request", needs=_READ),
    Route("POST", _ASKED, request_reviewers, f"{_V}#request-reviewers-for-a-pull-request", needs=_WRITE, role="triage", content=True),
    Route("DELETE", _ASKED, remove_reviewers, f"{_V}#remove-requested-reviewers-from-a-pull-request", needs=_WRITE, role="triage"),
    Route("GET", f"{_ONE}/merge", is_merged, f"{_D}#check-if-a-pull-request-has-been-merged", needs="contents=read"),
    Route("PUT", f"{_ONE}/merge", merge_pull, f"{_D}#merge-a-pull-request", needs="contents=write", role="write", content=True),
)  # fmt: skip
