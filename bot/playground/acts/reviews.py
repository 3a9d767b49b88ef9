"""Reviews, review comments and threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.playground.acts.facts import changes
from bot.playground.acts.issues import check_body
from bot.playground.data import By, Pull, Review, ReviewComment, Thread
from bot.playground.patches import locate
from bot.playground.shapes import pulls as shapes
from bot.playground.shapes.web import node_id
from bot.playground.validation import ApiError, custom, invalid

if TYPE_CHECKING:
    from bot.playground.state import State

_STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


@dataclass(frozen=True, slots=True)
class Draft:
    """A review comment as asked for; `line` None means the whole file."""

    path: str
    body: str
    line: int | None = None
    side: str = "RIGHT"
    start_line: int | None = None


def _thread(state: State, pull: Pull, draft: Draft, commit: str) -> Thread:
    found = next((one for one in changes(pull) if one.path == draft.path), None)
    if found is None:
        raise _unresolved("path")
    if draft.line is None:
        return Thread(state.new_id(), pull, draft.path, None, None, None, draft.side, commit, "", "file")
    place = locate(found.patch or "", draft.line, draft.side)
    if place is None:
        raise _unresolved("line")
    if draft.start_line is not None and draft.start_line >= draft.line:
        raise _unresolved("start_line")
    return Thread(
        state.new_id(), pull, draft.path, draft.line, draft.line, draft.start_line, draft.side, commit, place.hunk,
        position=place.position,
    )  # fmt: skip


def _unresolved(field: str) -> ApiError:
    name = f"pull_request_review_thread.{field}"
    what = "must be part of the diff" if field == "line" else "could not be resolved"
    return custom("PullRequestReviewComment", f"{name} {what}", field=name)


def _append(
    state: State, review: Review, thread: Thread, by: By, body: str, *, reply: int | None = None
) -> ReviewComment:
    now = state.clock.now()
    pull = review.pull
    made = ReviewComment(state.new_id(), pull, review, thread, by.account, by.app, body, now, now, reply)
    thread.comments.append(made)
    if thread not in pull.threads:
        pull.threads.append(thread)
        state.threads[thread.id] = thread
    state.review_comments[made.id] = made
    state.touch(pull.issue)
    state.count("review_comment", pull.repo, by, issue=pull.issue.number, id=made.id)
    return made


def _tell_comment(state: State, one: ReviewComment, action: str, by: By, extra: dict[str, Any] | None = None) -> None:
    payload = {
        "comment": shapes.review_comment(state.web, one),
        "pull_request": shapes.pull_simple(state.web, one.pull),
        **(extra or {}),
    }
    state.emit(one.pull.repo, "pull_request_review_comment", action, by, payload)


def _tell_review(state: State, one: Review, action: str, by: By) -> None:
    body = shapes.review(state.web, one)
    body |= {"state": one.state.lower(), "body": one.body or None, "updated_at": body.get("submitted_at")}
    payload = {"review": body, "pull_request": shapes.pull_simple(state.web, one.pull)}
    state.emit(one.pull.repo, "pull_request_review", action, by, payload)


def _new_review(state: State, pull: Pull, by: By, *, word: str, body: str, commit: str) -> Review:
    now = state.clock.now()
    pending = word == "PENDING"
    review = Review(state.new_id(), pull, by.account, by.app, body, word, commit, now, None if pending else now)  # ty: ignore[invalid-argument-type]
    pull.reviews.append(review)
    state.reviews[review.id] = review
    return review


def _check_event(pull: Pull, by: By, event: str | None, body: str, drafts: Sequence[Draft]) -> None:
    own = by.account is pull.issue.author
    if own and event == "APPROVE":
        raise ApiError(422, "Unprocessable Entity", errors=["Can not approve your own pull request"])
    if own and event == "REQUEST_CHANGES":
        raise ApiError(422, "Unprocessable Entity", errors=["Can not request changes on your own pull request"])
    if event == "REQUEST_CHANGES" and not body.strip():
        raise ApiError(422, "Unprocessable Entity", errors=["Can not request changes without a body"])
    if event == "COMMENT" and not body.strip() and not drafts:
        raise ApiError(422, "Unprocessable Entity", errors=["Body can't be blank"])


def submit(
    state: State, pull: Pull, by: By, *, event: str | None, body: str = "", drafts: Sequence[Draft] = (), commit: str | None = None
) -> Review:  # fmt: skip
    """Review; no event leaves it pending. Raises ApiError 422 for one's own pull request, a blank body, a place outside the diff."""
    check_body("PullRequestReview", body)
    _check_event(pull, by, event, body, drafts)
    sha = commit or pull.head_sha
    if pull.repo.git.kind(sha) != "commit":
        raise ApiError(422, "Unprocessable Entity", errors=["The commit_id is not part of the pull request"])
    if event is None and any(one.state == "PENDING" and one.author is by.account for one in pull.reviews):
        raise ApiError(422, "Unprocessable Entity", errors=["User can only have one pending review per pull request"])
    threads = [(_thread(state, pull, draft, sha), draft) for draft in drafts]
    review = _new_review(state, pull, by, word=_STATES[event] if event else "PENDING", body=body, commit=sha)
    made = [_append(state, review, thread, by, draft.body) for thread, draft in threads]
    state.count("review", pull.repo, by, issue=pull.issue.number, id=review.id, detail=review.state)
    if by.account in pull.requested:
        pull.requested.remove(by.account)
    if event is not None:
        _tell_review(state, review, "submitted", by)
        for one in made:
            _tell_comment(state, one, "created", by)
    return review


def comment(state: State, pull: Pull, by: By, draft: Draft, *, commit: str) -> ReviewComment:
    """A comment on the diff by itself: GitHub wraps it into a review of state COMMENTED."""
    check_body("PullRequestReviewComment", draft.body)
    if pull.repo.git.kind(commit) != "commit":
        raise _unresolved("commit_id")
    thread = _thread(state, pull, draft, commit)
    review = _new_review(state, pull, by, word="COMMENTED", body="", commit=commit)
    made = _append(state, review, thread, by, draft.body)
    _tell_comment(state, made, "created", by)
    _tell_review(state, review, "submitted", by)
    return made


def reply(state: State, to: ReviewComment, by: By, body: str) -> ReviewComment:
    """Reply in a thread."""
    check_body("PullRequestReviewComment", body)
    if not body.strip():
        raise invalid("PullRequestReviewComment", "body", "missing_field")
    review = _new_review(state, to.pull, by, word="COMMENTED", body="", commit=to.pull.head_sha)
    made = _append(state, review, to.thread, by, body, reply=to.thread.comments[0].id)
    _tell_comment(state, made, "created", by)
    _tell_review(state, review, "submitted", by)
    return made


def edit_comment(state: State, one: ReviewComment, by: By, body: str) -> None:
    """Change a review comment."""
    check_body("PullRequestReviewComment", body)
    before, one.body, one.updated_at = one.body, body, state.clock.now()
    state.count("review_comment_edit", one.pull.repo, by, issue=one.pull.issue.number, id=one.id)
    _tell_comment(state, one, "edited", by, {"changes": {"body": {"from": before}}})


def delete_comment(state: State, one: ReviewComment, by: By) -> None:
    """Delete a review comment; a thread without comments is gone."""
    one.thread.comments.remove(one)
    del state.review_comments[one.id]
    if not one.thread.comments:
        one.pull.threads.remove(one.thread)
        del state.threads[one.thread.id]
    state.count("review_comment_delete", one.pull.repo, by, issue=one.pull.issue.number, id=one.id)
    _tell_comment(state, one, "deleted", by)


def resolve(state: State, thread: Thread, by: By, *, resolved: bool) -> None:
    """Resolve a thread or take that back."""
    if thread.resolved == resolved:
        return
    thread.resolved, thread.resolved_by = resolved, by.account if resolved else None
    pull = thread.pull
    state.count("resolve" if resolved else "unresolve", pull.repo, by, issue=pull.issue.number, id=thread.id)
    comments = [shapes.review_comment(state.web, one) for one in thread.comments]
    payload = {
        "thread": {"node_id": node_id("PRRT", thread.id), "comments": comments},
        "pull_request": shapes.pull_simple(state.web, pull),
    }
    word = "resolved" if resolved else "unresolved"
    state.emit(pull.repo, "pull_request_review_thread", word, by, payload)
