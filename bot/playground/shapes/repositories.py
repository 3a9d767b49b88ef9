"""Repositories."""

from __future__ import annotations

from typing import Any

from bot.playground.clock import stamp
from bot.playground.data import Repo, Role
from bot.playground.shapes.accounts import user
from bot.playground.shapes.web import Web, node_id

Json = dict[str, Any]
_TEMPLATES = {
    "archive_url": "{/archive_format}{/ref}",
    "assignees_url": "{/user}",
    "blobs_url": "git/blobs{/sha}",
    "branches_url": "{/branch}",
    "collaborators_url": "{/collaborator}",
    "comments_url": "{/number}",
    "commits_url": "{/sha}",
    "compare_url": "/{base}...{head}",
    "contents_url": "/{+path}",
    "contributors_url": "",
    "deployments_url": "",
    "downloads_url": "",
    "events_url": "",
    "forks_url": "",
    "git_commits_url": "git/commits{/sha}",
    "git_refs_url": "git/refs{/sha}",
    "git_tags_url": "git/tags{/sha}",
    "hooks_url": "",
    "issue_comment_url": "issues/comments{/number}",
    "issue_events_url": "issues/events{/number}",
    "issues_url": "{/number}",
    "keys_url": "{/key_id}",
    "labels_url": "{/name}",
    "languages_url": "",
    "merges_url": "",
    "milestones_url": "{/number}",
    "notifications_url": "{?since,all,participating}",
    "pulls_url": "{/number}",
    "releases_url": "{/id}",
    "stargazers_url": "",
    "statuses_url": "/{sha}",
    "subscribers_url": "",
    "subscription_url": "",
    "tags_url": "",
    "teams_url": "",
    "trees_url": "git/trees{/sha}",
}
_SEGMENT = {"archive_url": "", "hooks_url": "hooks", "subscription_url": "subscription"}


def _urls(api: str) -> Json:
    urls: Json = {}
    for name, tail in _TEMPLATES.items():
        if (tail and tail[0] not in "{/") or name == "archive_url":
            urls[name] = f"{api}/{tail}"
        else:
            urls[name] = f"{api}/{_SEGMENT.get(name, name.removesuffix('_url'))}{tail}"
    return urls


def permissions(role: Role) -> Json:
    """The five booleans of a role."""
    rank = ("none", "read", "triage", "write", "maintain", "admin").index(role)
    return {"admin": rank >= 5, "maintain": rank >= 4, "push": rank >= 3, "triage": rank >= 2, "pull": rank >= 1}


def _numbers(repo: Repo) -> Json:
    still_open = sum(issue.state == "open" for issue in repo.issues.values())
    zero = ("stargazers_count", "watchers_count", "size", "forks_count", "forks", "watchers")
    return {**dict.fromkeys(zero, 0), "open_issues_count": still_open, "open_issues": still_open}


def repository(web: Web, repo: Repo, *, role: Role | None = None) -> Json:
    """`repository`, which also meets `minimal-repository`; with `permissions` where somebody's role is known."""
    api, html = web.repo_api(repo), web.repo_html(repo)
    clone = f"{web.git}/{repo.full_name}.git"
    shape = {
        "id": repo.id,
        "node_id": node_id("R", repo.id),
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "owner": user(web, repo.owner),
        "html_url": html,
        "description": repo.description,
        "fork": False,
        "url": api,
        **_urls(api),
        "created_at": stamp(repo.created_at),
        "updated_at": stamp(repo.updated_at),
        "pushed_at": stamp(repo.pushed_at),
        "git_url": clone,
        "ssh_url": clone,
        "clone_url": clone,
        "svn_url": html,
        "homepage": None,
        "language": None,
        **_numbers(repo),
        **dict.fromkeys(("has_issues", "has_projects", "has_downloads", "has_wiki", "has_pull_requests"), True),
        **dict.fromkeys(
            ("has_pages", "has_discussions", "disabled", "is_template", "web_commit_signoff_required"), False
        ),
        "mirror_url": None,
        "archived": repo.archived,
        "license": None,
        "allow_forking": True,
        "topics": [],
        "visibility": "private" if repo.private else "public",
        "default_branch": repo.default_branch,
    }
    return shape if role is None else shape | {"permissions": permissions(role)}


def full_repository(web: Web, repo: Repo, *, role: Role) -> Json:
    """`full-repository`."""
    extra: Json = {"temp_clone_token": None, "network_count": 0, "subscribers_count": 0}
    if repo.owner.type == "Organization":
        extra["organization"] = user(web, repo.owner)
    if role in ("write", "maintain", "admin"):
        on = ("allow_squash_merge", "allow_merge_commit", "allow_rebase_merge")
        off = ("allow_auto_merge", "delete_branch_on_merge", "allow_update_branch", "use_squash_pr_title_as_default")
        extra |= dict.fromkeys(on, True) | dict.fromkeys(off, False)
        extra |= {"merge_commit_message": "PR_TITLE", "merge_commit_title": "MERGE_MESSAGE"}
        extra |= {"squash_merge_commit_message": "COMMIT_MESSAGES", "squash_merge_commit_title": "COMMIT_OR_PR_TITLE"}
    return repository(web, repo, role=role) | extra


def webhook_repository(web: Web, repo: Repo, *, push: bool = False) -> Json:
    """The repository of a delivery; a push has its times as numbers, and GitHub's two relics."""
    shape = repository(web, repo)
    if not push:
        return shape
    shape |= {"created_at": int(repo.created_at), "pushed_at": int(repo.pushed_at), "stargazers": 0}
    return shape | {"master_branch": repo.default_branch}
