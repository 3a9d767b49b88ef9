"""Issues, comments, labels, reactions and events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from bot.playground.clock import stamp, stamp_or_none
from bot.playground.data import Account, Comment, Issue, IssueEvent, Label, Reaction, Repo
from bot.playground.shapes.accounts import app_or_none, user, user_or_none
from bot.playground.shapes.web import Web, node_id

Json = dict[str, Any]
CONTENTS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


def association(repo: Repo, account: Account) -> str:
    """`author_association`; as unreliable as GitHub's."""
    if account is repo.owner:
        return "OWNER"
    if account.id in repo.collaborators:
        return "MEMBER" if repo.owner.type == "Organization" else "COLLABORATOR"
    merged = any(i.pull and i.pull.merged_at and i.author is account for i in repo.issues.values())
    return "CONTRIBUTOR" if merged else "NONE"


def label(web: Web, repo: Repo, one: Label) -> Json:
    """`label`."""
    return {
        "id": one.id,
        "node_id": node_id("LA", one.id),
        "url": f"{web.repo_api(repo)}/labels/{quote(one.name, safe='')}",
        "name": one.name,
        "color": one.color,
        "default": one.default,
        "description": one.description,
        "archived_at": None,
        "archived_by": None,
    }


def reaction(web: Web, one: Reaction) -> Json:
    """`reaction`."""
    return {
        "id": one.id,
        "node_id": node_id("REA", one.id),
        "user": user(web, one.account),
        "content": one.content,
        "created_at": stamp(one.born),
    }


def rollup(url: str, reactions: Sequence[Reaction]) -> Json:
    """`reaction-rollup`."""
    counts = {content: sum(one.content == content for one in reactions) for content in CONTENTS}
    return {"url": f"{url}/reactions", "total_count": len(reactions), **counts}


def comment(web: Web, one: Comment) -> Json:
    """`issue-comment`."""
    repo, issue = one.issue.repo, one.issue
    api = web.repo_api(repo)
    url = f"{api}/issues/comments/{one.id}"
    kind = "pull" if issue.pull else "issues"
    return {
        "url": url,
        "html_url": f"{web.repo_html(repo)}/{kind}/{issue.number}#issuecomment-{one.id}",
        "issue_url": f"{api}/issues/{issue.number}",
        "id": one.id,
        "node_id": node_id("IC", one.id),
        "user": user(web, one.author),
        "created_at": stamp(one.born),
        "updated_at": stamp(one.updated_at),
        "body": one.body,
        "author_association": association(repo, one.author),
        "reactions": rollup(url, one.reactions),
        "performed_via_github_app": app_or_none(web, one.app),
    }


def _links(web: Web, issue: Issue) -> Json:
    api = web.repo_api(issue.repo)
    url = f"{api}/issues/{issue.number}"
    kind = "pull" if issue.pull else "issues"
    shape: Json = {
        "url": url,
        "repository_url": api,
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "timeline_url": f"{url}/timeline",
        "html_url": f"{web.repo_html(issue.repo)}/{kind}/{issue.number}",
    }
    if issue.pull:
        page = f"{web.repo_html(issue.repo)}/pull/{issue.number}"
        shape["draft"] = issue.pull.draft
        shape["pull_request"] = {
            "url": f"{api}/pulls/{issue.number}",
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "merged_at": stamp_or_none(issue.pull.merged_at),
        }
    return shape


def issue_shape(web: Web, issue: Issue) -> Json:
    """`issue`."""
    assignees = [user(web, account) for account in issue.assignees]
    links = _links(web, issue)
    return {
        **links,
        "id": issue.id,
        "node_id": node_id("PR" if issue.pull else "I", issue.pull.id if issue.pull else issue.id),
        "number": issue.number,
        "title": issue.title,
        "user": user(web, issue.author),
        "labels": [label(web, issue.repo, one) for one in issue.labels],
        "state": issue.state,
        "state_reason": issue.state_reason,
        "locked": issue.locked,
        "active_lock_reason": None,
        "assignee": assignees[0] if assignees else None,
        "assignees": assignees,
        "milestone": None,
        "comments": len(issue.comments),
        "created_at": stamp(issue.born),
        "updated_at": stamp(issue.updated_at),
        "closed_at": stamp_or_none(issue.closed_at),
        "closed_by": user_or_none(web, issue.closed_by),
        "author_association": association(issue.repo, issue.author),
        "type": None,
        "body": issue.body,
        "reactions": rollup(links["url"], issue.reactions),
        "performed_via_github_app": app_or_none(web, issue.app),
    }


def event(web: Web, issue: Issue, one: IssueEvent) -> Json:
    """One of `issue-event-for-issue`."""
    api = web.repo_api(issue.repo)
    shape: Json = {
        "id": one.id,
        "node_id": node_id("IE", one.id),
        "url": f"{api}/issues/events/{one.id}",
        "actor": user(web, one.actor),
        "event": one.event,
        "commit_id": one.commit_id,
        "commit_url": f"{api}/commits/{one.commit_id}" if one.commit_id else None,
        "created_at": stamp(one.born),
        "performed_via_github_app": app_or_none(web, one.app),
    }
    if one.label:
        shape["label"] = {"name": one.label.name, "color": one.label.color}
    if one.rename:
        shape["rename"] = {"from": one.rename[0], "to": one.rename[1]}
    if one.reviewer:
        shape |= {"review_requester": user(web, one.actor), "requested_reviewer": user(web, one.reviewer)}
    if one.event in ("closed", "reopened"):
        shape["state_reason"] = one.state_reason
    return shape


def timeline(web: Web, issue: Issue) -> list[tuple[float, Json]]:
    """`timeline-issue-events` with their times: events, comments and reviews, in order."""
    rows = [(one.born, event(web, issue, one)) for one in issue.events]
    for one in issue.comments:
        shape = comment(web, one)
        rows.append((one.born, shape | {"event": "commented", "actor": shape["user"]}))
    return sorted(rows, key=lambda row: row[0])
