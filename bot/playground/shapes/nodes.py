"""GraphQL objects: dicts whose callables the executor calls."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any

from graphql import GraphQLError

from bot.playground.clock import stamp
from bot.playground.data import Account, Issue, Pull, Repo, ReviewComment, Thread
from bot.playground.shapes.web import Web, node_id

Json = dict[str, Any]
_PREFIX = {"User": "U", "Bot": "BOT", "Organization": "O"}
MOST = 100


def refuse(kind: str, message: str) -> GraphQLError:
    """An error of GitHub's: `type` and a sentence."""
    return GraphQLError(message, extensions={"type": kind})


def connection(name: str, rows: Sequence[Any], shape: Callable[[Any], Json]) -> Callable[..., Json]:
    """A connection that insists on `first` or `last`, at most 100."""

    def resolve(
        _info: Any,
        first: int | None = None,
        last: int | None = None,
        after: str | None = None,
        before: str | None = None,
    ) -> Json:
        _check_bounds(name, first, last)
        start = _at(after) if after else 0
        stop = _at(before) - 1 if before else len(rows)
        if first is not None:
            stop = min(stop, start + first)
        elif last is not None:
            start = max(start, stop - last)
        info = {
            "hasNextPage": stop < len(rows),
            "hasPreviousPage": start > 0,
            "startCursor": _cursor(start + 1) if stop > start else None,
            "endCursor": _cursor(stop) if stop > start else None,
        }
        return {"nodes": [shape(row) for row in rows[start:stop]], "totalCount": len(rows), "pageInfo": info}

    return resolve


def _check_bounds(name: str, first: int | None, last: int | None) -> None:
    if first is None and last is None:
        sentence = f"You must provide a `first` or `last` value to properly paginate the `{name}` connection."
        raise refuse("MISSING_PAGINATION_BOUNDARIES", sentence)
    for word, value in (("first", first), ("last", last)):
        if value is not None and not 0 <= value <= MOST:
            sentence = (
                f"Requesting {value} records on the `{name}` connection exceeds the `{word}` limit of {MOST} records."
            )
            raise refuse("EXCESSIVE_PAGINATION", sentence)


def _cursor(at: int) -> str:
    return base64.b64encode(f"cursor:{at}".encode()).decode()


def _at(cursor: str) -> int:
    try:
        return int(base64.b64decode(cursor).decode().removeprefix("cursor:"))
    except ValueError:
        raise refuse("INVALID_CURSOR_ARGUMENTS", f"`{cursor}` does not appear to be a valid cursor.") from None


def actor(web: Web, account: Account) -> Json:
    """A user, bot or organization. GraphQL's login of a bot has no `[bot]`, as on GitHub."""
    return {
        "__typename": account.type,
        "id": node_id(_PREFIX[account.type], account.id),
        "databaseId": account.id,
        "login": account.login.removesuffix("[bot]"),
        "url": f"{web.root}/{account.login}",
    }


def repository(web: Web, repo: Repo) -> Json:
    """A repository, with its pull requests and issues by number."""

    def numbered(kind: str) -> Callable[..., Json]:
        def resolve(_info: Any, number: int) -> Json:
            found = repo.issues.get(number)
            if found is None or (found.pull is not None) != (kind == "PullRequest"):
                article = "a PullRequest" if kind == "PullRequest" else "an Issue"
                raise refuse("NOT_FOUND", f"Could not resolve to {article} with the number of {number}.")
            return pull_request(web, found.pull) if found.pull else issue(web, found)

        return resolve

    return {
        "__typename": "Repository",
        "id": node_id("R", repo.id),
        "databaseId": repo.id,
        "name": repo.name,
        "nameWithOwner": repo.full_name,
        "url": web.repo_html(repo),
        "isPrivate": repo.private,
        "isArchived": repo.archived,
        "pullRequest": numbered("PullRequest"),
        "issue": numbered("Issue"),
    }


def issue(web: Web, one: Issue) -> Json:
    """An issue."""
    return {
        "__typename": "Issue",
        "id": node_id("I", one.id),
        "databaseId": one.id,
        "number": one.number,
        "title": one.title,
        "body": one.body or "",
        "state": one.state.upper(),
        "closed": one.state == "closed",
        "url": f"{web.repo_html(one.repo)}/issues/{one.number}",
        "author": actor(web, one.author),
    }


def pull_request(web: Web, pull: Pull) -> Json:
    """A pull request with its review threads."""
    one = pull.issue
    return issue(web, one) | {
        "__typename": "PullRequest",
        "id": node_id("PR", pull.id),
        "databaseId": pull.id,
        "state": "MERGED" if pull.merged_at else one.state.upper(),
        "isDraft": pull.draft,
        "merged": pull.merged_at is not None,
        "url": f"{web.repo_html(one.repo)}/pull/{one.number}",
        "headRefName": pull.head_ref,
        "headRefOid": pull.head_sha,
        "baseRefName": pull.base_ref,
        "baseRefOid": pull.base_sha,
        "repository": lambda _info: repository(web, pull.repo),
        "reviewThreads": connection("reviewThreads", pull.threads, lambda thread: review_thread(web, thread)),
    }


def review_thread(web: Web, one: Thread) -> Json:
    """A review thread with its comments."""
    return {
        "__typename": "PullRequestReviewThread",
        "id": node_id("PRRT", one.id),
        "isResolved": one.resolved,
        "isOutdated": one.outdated,
        "isCollapsed": one.resolved or one.outdated,
        "path": one.path,
        "line": one.line,
        "originalLine": one.original_line,
        "startLine": one.start_line if one.line else None,
        "diffSide": one.side,
        "resolvedBy": actor(web, one.resolved_by) | {"__typename": "User"} if one.resolved_by else None,
        "viewerCanResolve": not one.resolved,
        "viewerCanUnresolve": one.resolved,
        "viewerCanReply": True,
        "pullRequest": lambda _info: pull_request(web, one.pull),
        "repository": lambda _info: repository(web, one.pull.repo),
        "comments": connection("comments", one.comments, lambda comment: review_comment(web, comment)),
    }


def review_comment(web: Web, one: ReviewComment) -> Json:
    """A review comment."""
    return {
        "__typename": "PullRequestReviewComment",
        "id": node_id("PRRC", one.id),
        "databaseId": one.id,
        "body": one.body,
        "path": one.thread.path,
        "line": one.thread.line,
        "originalLine": one.thread.original_line,
        "outdated": one.thread.outdated,
        "url": f"{web.repo_html(one.pull.repo)}/pull/{one.pull.issue.number}#discussion_r{one.id}",
        "author": actor(web, one.author),
        "createdAt": stamp(one.born),
        "updatedAt": stamp(one.updated_at),
        "diffHunk": one.thread.diff_hunk,
    }
