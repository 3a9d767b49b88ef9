"""Pull requests, reviews and review comments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.playground.clock import stamp, stamp_or_none
from bot.playground.data import Pull, Review, ReviewComment
from bot.playground.shapes.accounts import user, user_or_none
from bot.playground.shapes.issues import association, label, rollup
from bot.playground.shapes.repositories import repository
from bot.playground.shapes.web import Web, node_id

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PullFacts:
    """What git knows of a pull request; `mergeable` is None while GitHub would still be computing."""

    commits: int
    added: int
    removed: int
    files: int
    mergeable: bool | None


def _side(web: Web, pull: Pull, ref: str, sha: str) -> Json:
    owner = pull.repo.owner
    return {
        "label": f"{owner.login}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": user(web, owner),
        "repo": repository(web, pull.repo),
    }


def _links(web: Web, pull: Pull) -> dict[str, str]:
    api, number = web.repo_api(pull.repo), pull.issue.number
    return {
        "self": f"{api}/pulls/{number}",
        "html": f"{web.repo_html(pull.repo)}/pull/{number}",
        "issue": f"{api}/issues/{number}",
        "comments": f"{api}/issues/{number}/comments",
        "review_comments": f"{api}/pulls/{number}/comments",
        "review_comment": f"{api}/pulls/comments{{/number}}",
        "commits": f"{api}/pulls/{number}/commits",
        "statuses": f"{api}/statuses/{pull.head_sha}",
    }


def pull_simple(web: Web, pull: Pull) -> Json:
    """`pull-request-simple`."""
    issue, links = pull.issue, _links(web, pull)
    assignees = [user(web, account) for account in issue.assignees]
    return {
        "url": links["self"],
        "id": pull.id,
        "node_id": node_id("PR", pull.id),
        "html_url": links["html"],
        "diff_url": f"{links['html']}.diff",
        "patch_url": f"{links['html']}.patch",
        "issue_url": links["issue"],
        "number": issue.number,
        "state": issue.state,
        "locked": issue.locked,
        "title": issue.title,
        "user": user(web, issue.author),
        "body": issue.body,
        "created_at": stamp(issue.born),
        "updated_at": stamp(issue.updated_at),
        "closed_at": stamp_or_none(issue.closed_at),
        "merged_at": stamp_or_none(pull.merged_at),
        "merge_commit_sha": pull.merge_commit_sha,
        "assignee": assignees[0] if assignees else None,
        "assignees": assignees,
        "requested_reviewers": [user(web, account) for account in pull.requested],
        "requested_teams": [],
        "labels": [label(web, pull.repo, one) for one in issue.labels],
        "milestone": None,
        "draft": pull.draft,
        "commits_url": links["commits"],
        "review_comments_url": links["review_comments"],
        "review_comment_url": links["review_comment"],
        "comments_url": links["comments"],
        "statuses_url": links["statuses"],
        "head": _side(web, pull, pull.head_ref, pull.head_sha),
        "base": _side(web, pull, pull.base_ref, pull.base_sha),
        "_links": {name: {"href": href} for name, href in links.items()},
        "author_association": association(pull.repo, issue.author),
        "auto_merge": None,
        "active_lock_reason": None,
    }


def pull_full(web: Web, pull: Pull, facts: PullFacts) -> Json:
    """`pull-request`."""
    state = "unknown"
    if facts.mergeable is not None:
        state = "draft" if pull.draft and facts.mergeable else "clean" if facts.mergeable else "dirty"
    return pull_simple(web, pull) | {
        "merged": pull.merged_at is not None,
        "mergeable": facts.mergeable,
        "rebaseable": facts.mergeable,
        "mergeable_state": state,
        "merged_by": user_or_none(web, pull.merged_by),
        "comments": len(pull.issue.comments),
        "review_comments": sum(len(thread.comments) for thread in pull.threads),
        "maintainer_can_modify": pull.maintainer_can_modify,
        "commits": facts.commits,
        "additions": facts.added,
        "deletions": facts.removed,
        "changed_files": facts.files,
    }


def pull_minimal(web: Web, pull: Pull) -> Json:
    """`pull-request-minimal`, as checks list it."""
    api = web.repo_api(pull.repo)
    repo = {"id": pull.repo.id, "url": api, "name": pull.repo.name}
    return {
        "url": f"{api}/pulls/{pull.issue.number}",
        "id": pull.id,
        "number": pull.issue.number,
        "head": {"ref": pull.head_ref, "sha": pull.head_sha, "repo": repo},
        "base": {"ref": pull.base_ref, "sha": pull.base_sha, "repo": repo},
    }


def review(web: Web, one: Review) -> Json:
    """`pull-request-review`."""
    html = f"{web.repo_html(one.pull.repo)}/pull/{one.pull.issue.number}#pullrequestreview-{one.id}"
    url = f"{web.repo_api(one.pull.repo)}/pulls/{one.pull.issue.number}"
    shape = {
        "id": one.id,
        "node_id": node_id("PRR", one.id),
        "user": user(web, one.author),
        "body": one.body,
        "state": one.state,
        "html_url": html,
        "pull_request_url": url,
        "author_association": association(one.pull.repo, one.author),
        "_links": {"html": {"href": html}, "pull_request": {"href": url}},
        "commit_id": one.commit_id,
    }
    return shape if one.submitted_at is None else shape | {"submitted_at": stamp(one.submitted_at)}


def review_comment(web: Web, one: ReviewComment) -> Json:
    """`pull-request-review-comment`."""
    thread, repo, number = one.thread, one.pull.repo, one.pull.issue.number
    pull_url = f"{web.repo_api(repo)}/pulls/{number}"
    url = f"{web.repo_api(repo)}/pulls/comments/{one.id}"
    html = f"{web.repo_html(repo)}/pull/{number}#discussion_r{one.id}"
    shape: Json = {
        "url": url,
        "pull_request_review_id": one.review.id,
        "id": one.id,
        "node_id": node_id("PRRC", one.id),
        "diff_hunk": thread.diff_hunk,
        "path": thread.path,
        "commit_id": one.pull.head_sha if not thread.outdated else thread.commit_id,
        "original_commit_id": thread.commit_id,
        "user": user(web, one.author),
        "body": one.body,
        "created_at": stamp(one.born),
        "updated_at": stamp(one.updated_at),
        "html_url": html,
        "pull_request_url": pull_url,
        "author_association": association(repo, one.author),
        "_links": {"self": {"href": url}, "html": {"href": html}, "pull_request": {"href": pull_url}},
        "reactions": rollup(url, one.reactions),
        "start_line": thread.start_line if thread.line else None,
        "original_start_line": thread.start_line,
        "start_side": thread.side if thread.start_line else None,
        "line": thread.line,
        "original_line": thread.original_line,
        "side": thread.side,
        "position": None if thread.outdated else thread.position,
        "original_position": thread.position,
        "subject_type": thread.subject,
    }
    return shape if one.in_reply_to is None else shape | {"in_reply_to_id": one.in_reply_to}
