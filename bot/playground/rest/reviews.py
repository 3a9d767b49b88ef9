"""Reviews and review comments."""

from __future__ import annotations

from typing import Any, Literal

from bot.playground.acts import issues as issue_acts
from bot.playground.acts import reviews as acts
from bot.playground.acts.reviews import Draft
from bot.playground.api import Answer, Call, Route
from bot.playground.data import Review, ReviewComment
from bot.playground.rest.issues import ReactionBody, may_edit, since
from bot.playground.rest.pulls import pull_of
from bot.playground.shapes import issues as issue_shapes
from bot.playground.shapes import pulls as shapes
from bot.playground.validation import Body, custom, invalid, not_found


class DraftBody(Body):
    path: str
    body: str
    line: int
    side: Literal["LEFT", "RIGHT"] = "RIGHT"
    start_line: int | None = None
    start_side: Literal["LEFT", "RIGHT"] | None = None


class NewReview(Body):
    commit_id: str | None = None
    body: str | None = None
    event: Literal["APPROVE", "REQUEST_CHANGES", "COMMENT"] | None = None
    comments: list[DraftBody] | None = None


class NewComment(Body):
    body: str
    commit_id: str
    path: str
    line: int | None = None
    side: Literal["LEFT", "RIGHT"] = "RIGHT"
    start_line: int | None = None
    start_side: Literal["LEFT", "RIGHT"] | None = None
    in_reply_to: int | None = None
    subject_type: Literal["line", "file"] = "line"


class Reply(Body):
    body: str


def _seen(call: Call, rows: list[Review]) -> list[Review]:
    """A pending review is seen by its author alone."""
    token = call.principal.token
    me = token.account if token else None
    return [one for one in rows if one.state != "PENDING" or one.author is me]


def list_reviews(call: Call) -> Answer:
    return call.page(_seen(call, pull_of(call).reviews), lambda one: shapes.review(call.state.web, one))


def get_review(call: Call) -> Answer:
    number = call.number("review_id")
    found = next((one for one in _seen(call, pull_of(call).reviews) if one.id == number), None)
    if found is None:
        raise not_found()
    return Answer(200, shapes.review(call.state.web, found))


def create_review(call: Call) -> Answer:
    pull, body = pull_of(call), call.body(NewReview)
    drafts = [Draft(one.path, one.body, one.line, one.side, one.start_line) for one in body.comments or []]
    made = acts.submit(
        call.state, pull, call.by, event=body.event, body=body.body or "", drafts=drafts, commit=body.commit_id
    )
    return Answer(200, shapes.review(call.state.web, made))


def _shape(call: Call, one: ReviewComment) -> dict[str, Any]:
    return shapes.review_comment(call.state.web, one)


def _published(call: Call, rows: list[ReviewComment]) -> list[ReviewComment]:
    return [one for one in rows if one.review.state != "PENDING"]


def list_comments(call: Call) -> Answer:
    after = since(call)
    rows = [one for thread in pull_of(call).threads for one in thread.comments if one.updated_at >= after]
    rows = sorted(_published(call, rows), key=lambda one: one.id)
    if call.query.get("direction") == "desc":
        rows = rows[::-1]
    return call.page(rows, lambda one: _shape(call, one))


def comment_of(call: Call) -> ReviewComment:
    """The review comment of the path. Raises ApiError 404."""
    found = call.state.review_comments.get(call.number("comment_id"))
    if found is None or found.pull.repo is not call.repo:
        raise not_found()
    return found


def create_comment(call: Call) -> Answer:
    pull, body = pull_of(call), call.body(NewComment)
    if body.in_reply_to is not None:
        found = call.state.review_comments.get(body.in_reply_to)
        if found is None or found.pull is not pull:
            raise not_found()
        return _made(call, acts.reply(call.state, found, call.by, body.body))
    if body.subject_type == "line" and body.line is None:
        raise custom("PullRequestReviewComment", "line is missing", field="line")
    line = body.line if body.subject_type == "line" else None
    draft = Draft(body.path, body.body, line, body.side, body.start_line)
    return _made(call, acts.comment(call.state, pull, call.by, draft, commit=body.commit_id))


def _made(call: Call, one: ReviewComment) -> Answer:
    shape = _shape(call, one)
    return Answer(201, shape, {"location": shape["url"]})


def create_reply(call: Call) -> Answer:
    """Only the first comment of a thread can be replied to."""
    pull, one, body = pull_of(call), comment_of(call), call.body(Reply)
    if one.pull is not pull or one.in_reply_to is not None:
        raise not_found()
    return _made(call, acts.reply(call.state, one, call.by, body.body))


def get_comment(call: Call) -> Answer:
    return Answer(200, _shape(call, comment_of(call)))


def update_comment(call: Call) -> Answer:
    one, body = comment_of(call), call.body(Reply)
    may_edit(call, one.author)
    if not body.body.strip():
        raise invalid("PullRequestReviewComment", "body", "missing_field")
    acts.edit_comment(call.state, one, call.by, body.body)
    return Answer(200, _shape(call, one))


def delete_comment(call: Call) -> Answer:
    one = comment_of(call)
    may_edit(call, one.author)
    acts.delete_comment(call.state, one, call.by)
    return Answer(204)


def list_reactions(call: Call) -> Answer:
    wanted = call.query.get("content")
    rows = [one for one in comment_of(call).reactions if wanted in (None, one.content)]
    return call.page(rows, lambda one: issue_shapes.reaction(call.state.web, one))


def react(call: Call) -> Answer:
    one, content = comment_of(call), call.body(ReactionBody).content
    number = one.pull.issue.number
    made, new = issue_acts.react(call.state, call.repo, one, call.by, content, issue=number, id=one.id)
    return Answer(201 if new else 200, issue_shapes.reaction(call.state.web, made))


_ONE = "/repos/{owner}/{repo}/pulls/{number}"
_COMMENT = "/repos/{owner}/{repo}/pulls/comments/{comment_id}"
_READ, _WRITE = "pull_requests=read", "pull_requests=write"
_R, _C = "pulls/reviews", "pulls/comments"
ROUTES = (
    Route("GET", f"{_ONE}/reviews", list_reviews, f"{_R}#list-reviews-for-a-pull-request", needs=_READ),
    Route("GET", f"{_ONE}/reviews/{{review_id}}", get_review, f"{_R}#get-a-review-for-a-pull-request", needs=_READ),
    Route("POST", f"{_ONE}/reviews", create_review, f"{_R}#create-a-review-for-a-pull-request", needs=_WRITE, content=True),
    Route("GET", f"{_ONE}/comments", list_comments, f"{_C}#list-review-comments-on-a-pull-request", needs=_READ),
    Route("POST", f"{_ONE}/comments", create_comment, f"{_C}#create-a-review-comment-for-a-pull-request", needs=_WRITE, content=True),
    Route("POST", f"{_ONE}/comments/{{comment_id}}/replies", create_reply,
        f"{_C}#create-a-reply-for-a-review-comment", needs=_WRITE, content=True),
    Route("GET", _COMMENT, get_comment, f"{_C}#get-a-review-comment-for-a-pull-request", needs=_READ),
    Route("PATCH", _COMMENT, update_comment,
        f"{_C}#update-a-review-comment-for-a-pull-request", needs=_WRITE, content=True),
    Route("DELETE", _COMMENT, delete_comment, f"{_C}#delete-a-review-comment-for-a-pull-request", needs=_WRITE),
    Route("GET", f"{_COMMENT}/reactions", list_reactions,
        "reactions/reactions#list-reactions-for-a-pull-request-review-comment", needs=_READ),
    Route("POST", f"{_COMMENT}/reactions", react,
        "reactions/reactions#create-reaction-for-a-pull-request-review-comment", needs=_WRITE),
)  # fmt: skip
