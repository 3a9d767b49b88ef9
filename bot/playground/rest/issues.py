"""Issues, their comments, reactions and timeline."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from bot.playground.acts import issues as acts
from bot.playground.acts import labels as label_acts
from bot.playground.api import Answer, Call, Route
from bot.playground.data import Account, Comment, Issue, Reaction
from bot.playground.shapes import issues as shapes
from bot.playground.validation import ApiError, Body, invalid, not_found

Content = Literal["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"]


class NewIssue(Body):
    title: str
    body: str | None = None
    labels: list[str] | None = None
    assignees: list[str] | None = None


class ChangedIssue(Body):
    title: str | None = None
    body: str | None = None
    state: Literal["open", "closed"] | None = None
    state_reason: Literal["completed", "not_planned", "duplicate", "reopened"] | None = None
    labels: list[str] | None = None
    assignees: list[str] | None = None


class CommentBody(Body):
    body: str


class ReactionBody(Body):
    content: Content


def issue_of(call: Call) -> Issue:
    """The issue of the path. Raises ApiError 404, or 410 for a deleted one."""
    number = call.number("number")
    issue = call.repo.issues.get(number)
    if issue is None:
        if (call.repo.id, number) in call.state.forgotten_issues:
            raise ApiError(410, "This issue was deleted")
        raise not_found()
    return issue


def comment_of(call: Call) -> Comment:
    """The comment of the path. Raises ApiError 404."""
    found = call.state.comments.get(call.number("comment_id"))
    if found is None or found.issue.repo is not call.repo:
        raise not_found()
    return found


def since(call: Call) -> float:
    """The `since` of the query in seconds. Raises ApiError 422."""
    text = call.query.get("since")
    if not text:
        return 0.0
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise ApiError(422, "Invalid since timestamp") from None


def may_edit(call: Call, author: Account) -> None:
    """Raises ApiError 403 unless it is one's own, one may write, or an App with the permission acts."""
    by = call.by
    if by.app is None and by.account is not author and not call.state.may(call.repo, by.account, "write"):
        raise ApiError(403, "Must have admin rights to Repository.")


def _triages(call: Call) -> bool:
    return call.by.app is not None or call.state.may(call.repo, call.by.account, "triage")


def _shape(call: Call, issue: Issue) -> dict[str, Any]:
    return shapes.issue_shape(call.state.web, issue)


def list_issues(call: Call) -> Answer:
    """Pull requests are among them, newest first."""
    wanted, query, after = call.query.get("state", "open"), call.query, since(call)
    if wanted not in ("open", "closed", "all"):
        raise invalid("Issue", "state", "invalid")
    names = {name.lower() for name in query.get("labels", "").split(",") if name}
    rows = [
        issue
        for issue in call.repo.issues.values()
        if wanted in ("all", issue.state)
        and names <= {label.name.lower() for label in issue.labels}
        and query.get("creator", issue.author.login).lower() == issue.author.login.lower()
        and issue.updated_at >= after
    ]
    return call.page(ordered(call, rows), lambda issue: _shape(call, issue))


def ordered(call: Call, rows: list[Issue]) -> list[Issue]:
    """By the query's `sort` (created, updated, comments) and `direction` (desc)."""
    keys = {"updated": lambda issue: issue.updated_at, "comments": lambda issue: len(issue.comments)}
    rows = sorted(rows, key=lambda issue: issue.number)
    if call.query.get("sort") in keys:
        rows = sorted(rows, key=keys[call.query["sort"]])
    return rows if call.query.get("direction") == "asc" else rows[::-1]


def create_issue(call: Call) -> Answer:
    """Labels of somebody who may not label are dropped without a word, as by GitHub."""
    body = call.body(NewIssue)
    labels = (body.labels or []) if _triages(call) else []
    issue = acts.open_issue(call.state, call.repo, call.by, title=body.title, body=body.body, labels=labels)
    if body.assignees and _triages(call):
        _assign(call, issue, body.assignees)
    shape = _shape(call, issue)
    return Answer(201, shape, {"location": shape["url"]})


def _assign(call: Call, issue: Issue, logins: list[str]) -> None:
    accounts = []
    for login in logins:
        account = call.state.account(login)
        if account is None or not call.state.may(call.repo, account, "read"):
            raise invalid("Issue", "assignees", "invalid", value=login)
        accounts.append(account)
    issue.assignees = accounts


def get_issue(call: Call) -> Answer:
    return Answer(200, _shape(call, issue_of(call)))


def update_issue(call: Call) -> Answer:
    body, issue, by, state = call.body(ChangedIssue), issue_of(call), call.by, call.state
    if not _triages(call):
        may_edit(call, issue.author)
    text = body.body or "" if "body" in body.model_fields_set else None
    acts.edit_issue(state, issue, by, title=body.title, body=text)
    if body.labels is not None and _triages(call):
        label_acts.put(state, issue, by, body.labels)
    if body.assignees is not None and _triages(call):
        _assign(call, issue, body.assignees)
    if body.state == "closed":
        acts.close_issue(state, issue, by, reason=body.state_reason)
    elif body.state == "open":
        acts.reopen_issue(state, issue, by)
    return Answer(200, _shape(call, issue))


def list_comments(call: Call) -> Answer:
    after = since(call)
    rows = [one for one in issue_of(call).comments if one.updated_at >= after]
    return call.page(rows, lambda one: shapes.comment(call.state.web, one))


def create_comment(call: Call) -> Answer:
    issue, body = issue_of(call), call.body(CommentBody)
    made = acts.comment(call.state, issue, call.by, body.body)
    shape = shapes.comment(call.state.web, made)
    return Answer(201, shape, {"location": shape["url"]})


def get_comment(call: Call) -> Answer:
    return Answer(200, shapes.comment(call.state.web, comment_of(call)))


def update_comment(call: Call) -> Answer:
    one, body = comment_of(call), call.body(CommentBody)
    may_edit(call, one.author)
    acts.edit_comment(call.state, one, call.by, body.body)
    return Answer(200, shapes.comment(call.state.web, one))


def delete_comment(call: Call) -> Answer:
    one = comment_of(call)
    may_edit(call, one.author)
    acts.delete_comment(call.state, one, call.by)
    return Answer(204)


def _reactions(call: Call, rows: list[Reaction]) -> Answer:
    wanted = call.query.get("content")
    rows = [one for one in rows if wanted in (None, one.content)]
    return call.page(rows, lambda one: shapes.reaction(call.state.web, one))


def list_issue_reactions(call: Call) -> Answer:
    return _reactions(call, issue_of(call).reactions)


def list_comment_reactions(call: Call) -> Answer:
    return _reactions(call, comment_of(call).reactions)


def _react(call: Call, target: acts.Reactable, *, issue: int, id: int) -> Answer:
    content = call.body(ReactionBody).content
    made, new = acts.react(call.state, call.repo, target, call.by, content, issue=issue, id=id)
    return Answer(201 if new else 200, shapes.reaction(call.state.web, made))


def react_to_issue(call: Call) -> Answer:
    issue = issue_of(call)
    return _react(call, issue, issue=issue.number, id=0)


def react_to_comment(call: Call) -> Answer:
    one = comment_of(call)
    return _react(call, one, issue=one.issue.number, id=one.id)


def _delete_reaction(call: Call, rows: list[Reaction]) -> Answer:
    number = call.number("reaction_id")
    found = next((one for one in rows if one.id == number and one.account is call.by.account), None)
    if found is None:
        raise not_found()
    rows.remove(found)
    return Answer(204)


def delete_issue_reaction(call: Call) -> Answer:
    return _delete_reaction(call, issue_of(call).reactions)


def delete_comment_reaction(call: Call) -> Answer:
    return _delete_reaction(call, comment_of(call).reactions)


def list_events(call: Call) -> Answer:
    issue = issue_of(call)
    return call.page(issue.events, lambda one: shapes.event(call.state.web, issue, one))


def list_timeline(call: Call) -> Answer:
    issue = issue_of(call)
    return call.page(shapes.timeline(call.state.web, issue), lambda row: row[1])


_REPO = "/repos/{owner}/{repo}"
_ONE = f"{_REPO}/issues/{{number}}"
_COMMENT = f"{_REPO}/issues/comments/{{comment_id}}"
_READ, _WRITE = "issues=read; pull_requests=read", "issues=write; pull_requests=write"
_D, _C, _R = "issues/issues", "issues/comments", "reactions/reactions"
ROUTES = (
    Route("GET", f"{_REPO}/issues", list_issues, f"{_D}#list-repository-issues", needs=_READ),
    Route("POST", f"{_REPO}/issues", create_issue, f"{_D}#create-an-issue", needs="issues=write", content=True),
    Route("GET", _COMMENT, get_comment, f"{_C}#get-an-issue-comment", needs=_READ),
    Route("PATCH", _COMMENT, update_comment, f"{_C}#update-an-issue-comment", needs=_WRITE, content=True),
    Route("DELETE", _COMMENT, delete_comment, f"{_C}#delete-an-issue-comment", needs=_WRITE),
    Route("GET", f"{_COMMENT}/reactions", list_comment_reactions, f"{_R}#list-reactions-for-an-issue-comment", needs=_READ),
    Route("POST", f"{_COMMENT}/reactions", react_to_comment, f"{_R}#create-reaction-for-an-issue-comment", needs=_WRITE),
    Route("DELETE", f"{_COMMENT}/reactions/{{reaction_id}}", delete_comment_reaction,
        f"{_R}#delete-an-issue-comment-reaction", needs=_WRITE),
    Route("GET", _ONE, get_issue, f"{_D}#get-an-issue", needs=_READ),
    Route("PATCH", _ONE, update_issue, f"{_D}#update-an-issue", needs=_WRITE, content=True),
    Route("GET", f"{_ONE}/comments", list_comments, f"{_C}#list-issue-comments", needs=_READ),
    Route("POST", f"{_ONE}/comments", create_comment, f"{_C}#create-an-issue-comment", needs=_WRITE, content=True),
    Route("GET", f"{_ONE}/reactions", list_issue_reactions, f"{_R}#list-reactions-for-an-issue", needs=_READ),
    Route("POST", f"{_ONE}/reactions", react_to_issue, f"{_R}#create-reaction-for-an-issue", needs="issues=write"),
    Route("DELETE", f"{_ONE}/reactions/{{reaction_id}}", delete_issue_reaction, f"{_R}#delete-an-issue-reaction", needs="issues=write"),
    Route("GET", f"{_ONE}/events", list_events, "issues/events#list-issue-events", needs=_READ),
    Route("GET", f"{_ONE}/timeline", list_timeline, "issues/timeline#list-timeline-events-for-an-issue", needs=_READ),
)  # fmt: skip
