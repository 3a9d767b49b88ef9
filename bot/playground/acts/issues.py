"""Issues, their comments and reactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from bot.playground.acts import labels as label_acts
from bot.playground.acts.events import note, tell_issue
from bot.playground.data import By, Comment, Issue, Reaction, Repo
from bot.playground.shapes import issues as shapes
from bot.playground.validation import ApiError, custom, invalid

if TYPE_CHECKING:
    from bot.playground.state import State

BODY_CAP = 65_536
_TITLE_CAP = 256


class Reactable(Protocol):
    """What people react to."""

    reactions: list[Reaction]


def check_body(resource: str, body: str | None) -> None:
    """Raises ApiError 422 over 65,536 characters."""
    if body is not None and len(body) > BODY_CAP:
        raise custom(resource, f"body is too long (maximum is {BODY_CAP} characters)", field="body")


def check_title(resource: str, title: str) -> None:
    """Raises ApiError 422 for an empty or overlong title."""
    if not title.strip():
        raise invalid(resource, "title", "missing_field")
    if len(title) > _TITLE_CAP:
        raise custom(resource, f"title is too long (maximum is {_TITLE_CAP} characters)", field="title")


def next_number(repo: Repo) -> int:
    """The next issue or pull request number."""
    number = repo.next_number
    repo.next_number += 1
    return number


def open_issue(
    state: State, repo: Repo, by: By, *, title: str, body: str | None = None, labels: Sequence[str] = ()
) -> Issue:
    """Open an issue. Raises ApiError 422."""
    check_title("Issue", title)
    check_body("Issue", body)
    now = state.clock.now()
    issue = Issue(state.new_id(), repo, next_number(repo), title, body, by.account, by.app, now, now)
    repo.issues[issue.number] = issue
    state.count("issue", repo, by, issue=issue.number, id=issue.id)
    tell_issue(state, issue, "opened", by)
    label_acts.add(state, issue, by, labels)
    return issue


def edit_issue(state: State, issue: Issue, by: By, *, title: str | None = None, body: str | None = None) -> None:
    """Change title or body."""
    changes: dict[str, Any] = {}
    if title is not None and title != issue.title:
        check_title("Issue", title)
        changes["title"] = {"from": issue.title}
        note(state, issue, "renamed", by, rename=(issue.title, title))
        issue.title = title
    if body is not None and body != issue.body:
        check_body("Issue", body)
        changes["body"] = {"from": issue.body or ""}
        issue.body = body
    if changes:
        state.touch(issue)
        state.count("pull_edit" if issue.pull else "issue_edit", issue.repo, by, issue=issue.number, id=issue.id)
        tell_issue(state, issue, "edited", by, {"changes": changes})


def close_issue(state: State, issue: Issue, by: By, *, reason: str | None = None, commit: str | None = None) -> None:
    """Close an issue or a pull request; a closed one stays as it is."""
    if issue.state == "closed":
        return
    issue.state, issue.closed_at, issue.closed_by = "closed", state.clock.now(), by.account
    issue.state_reason = None if issue.pull else reason or "completed"
    note(state, issue, "closed", by, commit_id=commit, state_reason=issue.state_reason)
    state.count("close", issue.repo, by, issue=issue.number)
    tell_issue(state, issue, "closed", by)


def reopen_issue(state: State, issue: Issue, by: By) -> None:
    """Open a closed issue or pull request again. Raises ApiError 422 for a merged one, or one whose branch is gone."""
    if issue.state == "open":
        return
    pull = issue.pull
    if pull is not None:
        tip = issue.repo.git.tip(f"refs/heads/{pull.head_ref}")
        if pull.merged_at or tip is None:
            sentence = f"state cannot be changed. The {pull.head_ref} branch has been deleted."
            raise custom("PullRequest", sentence, field="state")
        pull.head_sha = tip
    issue.state, issue.closed_at, issue.closed_by = "open", None, None
    issue.state_reason = None if pull else "reopened"
    note(state, issue, "reopened", by, state_reason=issue.state_reason)
    state.count("reopen", issue.repo, by, issue=issue.number)
    tell_issue(state, issue, "reopened", by)


def delete_issue(state: State, issue: Issue, by: By) -> None:
    """Delete an issue for ever: its address answers 410 from now on."""
    del issue.repo.issues[issue.number]
    state.forgotten_issues.add((issue.repo.id, issue.number))
    for comment in issue.comments:
        state.comments.pop(comment.id, None)
    state.count("issue_delete", issue.repo, by, issue=issue.number)
    tell_issue(state, issue, "deleted", by)


def _tell_comment(state: State, comment: Comment, action: str, by: By, extra: dict[str, Any] | None = None) -> None:
    payload = {
        "issue": shapes.issue_shape(state.web, comment.issue),
        "comment": shapes.comment(state.web, comment),
        **(extra or {}),
    }
    state.emit(comment.issue.repo, "issue_comment", action, by, payload)


def comment(state: State, issue: Issue, by: By, body: str) -> Comment:
    """Comment on an issue or a pull request. Raises ApiError 403 where it is locked, 422 for an empty or overlong body."""
    if issue.locked and not state.may(issue.repo, by.account, "write") and by.app is None:
        raise ApiError(403, "Unable to create comment because issue is locked.")
    _check_comment(body)
    now = state.clock.now()
    made = Comment(state.new_id(), issue, by.account, by.app, body, now, now)
    issue.comments.append(made)
    state.comments[made.id] = made
    state.touch(issue)
    state.count("comment", issue.repo, by, issue=issue.number, id=made.id, detail=body[:120])
    _tell_comment(state, made, "created", by)
    return made


def _check_comment(body: str) -> None:
    if not body.strip():
        raise invalid("IssueComment", "body", "missing_field")
    check_body("IssueComment", body)


def edit_comment(state: State, one: Comment, by: By, body: str) -> None:
    """Change a comment's text; the same text changes nothing but is counted."""
    _check_comment(body)
    before, one.body, one.updated_at = one.body, body, state.clock.now()
    state.touch(one.issue)
    state.count("comment_edit", one.issue.repo, by, issue=one.issue.number, id=one.id, detail=body[:120])
    if before != body:
        _tell_comment(state, one, "edited", by, {"changes": {"body": {"from": before}}})


def delete_comment(state: State, one: Comment, by: By) -> None:
    """Delete a comment."""
    one.issue.comments.remove(one)
    del state.comments[one.id]
    state.touch(one.issue)
    state.count("comment_delete", one.issue.repo, by, issue=one.issue.number, id=one.id)
    _tell_comment(state, one, "deleted", by)


def react(
    state: State, repo: Repo, target: Reactable, by: By, content: str, *, issue: int, id: int
) -> tuple[Reaction, bool]:
    """React; gives the reaction and whether it is new. GitHub sends no delivery for reactions."""
    for one in target.reactions:
        if one.account is by.account and one.content == content:
            return one, False
    made = Reaction(state.new_id(), by.account, content, state.clock.now())
    target.reactions.append(made)
    state.count("reaction", repo, by, issue=issue, id=id, detail=content)
    return made, True
