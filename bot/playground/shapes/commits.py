"""Commits, trees, blobs, files and comparisons."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from bot.playground.clock import stamp
from bot.playground.data import Account, CommitStatus, Repo
from bot.playground.objects import Change, CommitInfo, TreeRow
from bot.playground.shapes.accounts import user
from bot.playground.shapes.repositories import repository
from bot.playground.shapes.web import Web, node_id

Json = dict[str, Any]
WhoWrote = Callable[[str], Account | None]
"""The account of a commit's e-mail address."""
_UNSIGNED: Json = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}


def utc(date: str) -> str:
    """git's date in GitHub's form."""
    return datetime.fromisoformat(date).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _identity(who: tuple[str, str, str]) -> Json:
    return {"name": who[0], "email": who[1], "date": utc(who[2])}


def git_commit(web: Web, repo: Repo, one: CommitInfo) -> Json:
    """`git-commit`."""
    api, html = web.repo_api(repo), web.repo_html(repo)
    return {
        "sha": one.sha,
        "node_id": f"C_{one.sha}",
        "url": f"{api}/git/commits/{one.sha}",
        "html_url": f"{html}/commit/{one.sha}",
        "author": _identity(one.author),
        "committer": _identity(one.committer),
        "tree": {"sha": one.tree, "url": f"{api}/git/trees/{one.tree}"},
        "message": one.message,
        "parents": [{"sha": p, "url": f"{api}/git/commits/{p}", "html_url": f"{html}/commit/{p}"} for p in one.parents],
        "verification": dict(_UNSIGNED),
    }


def change(web: Web, repo: Repo, head: str, one: Change) -> Json:
    """`diff-entry`."""
    path = quote(one.path)
    shape: Json = {
        "sha": one.sha,
        "filename": one.path,
        "status": one.status,
        "additions": one.added,
        "deletions": one.removed,
        "changes": one.added + one.removed,
        "blob_url": f"{web.repo_html(repo)}/blob/{head}/{path}",
        "raw_url": f"{web.repo_html(repo)}/raw/{head}/{path}",
        "contents_url": f"{web.repo_api(repo)}/contents/{path}?ref={head}",
    }
    if one.patch is not None:
        shape["patch"] = one.patch
    if one.previous is not None:
        shape["previous_filename"] = one.previous
    return shape


def commit(web: Web, repo: Repo, one: CommitInfo, who: WhoWrote, *, changes: Sequence[Change] | None = None) -> Json:
    """`commit`, with its files and their sums where `changes` are given."""
    api, html = web.repo_api(repo), web.repo_html(repo)
    author, committer = who(one.author[1]), who(one.committer[1])
    shape: Json = {
        "sha": one.sha,
        "node_id": f"C_{one.sha}",
        "commit": {
            "author": _identity(one.author),
            "committer": _identity(one.committer),
            "message": one.message,
            "tree": {"sha": one.tree, "url": f"{api}/git/trees/{one.tree}"},
            "url": f"{api}/git/commits/{one.sha}",
            "comment_count": 0,
            "verification": dict(_UNSIGNED),
        },
        "url": f"{api}/commits/{one.sha}",
        "html_url": f"{html}/commit/{one.sha}",
        "comments_url": f"{api}/commits/{one.sha}/comments",
        "author": user(web, author) if author else None,
        "committer": user(web, committer) if committer else None,
        "parents": [{"sha": p, "url": f"{api}/commits/{p}", "html_url": f"{html}/commit/{p}"} for p in one.parents],
    }
    if changes is not None:
        added, removed = sum(c.added for c in changes), sum(c.removed for c in changes)
        shape["stats"] = {"total": added + removed, "additions": added, "deletions": removed}
        shape["files"] = [change(web, repo, one.sha, c) for c in changes]
    return shape


def push_commit(web: Web, repo: Repo, one: CommitInfo, changes: Sequence[Change]) -> Json:
    """A commit as a push delivery lists it."""
    return {
        "id": one.sha,
        "tree_id": one.tree,
        "distinct": True,
        "message": one.message,
        "timestamp": utc(one.committer[2]),
        "url": f"{web.repo_html(repo)}/commit/{one.sha}",
        "author": {"name": one.author[0], "email": one.author[1], "date": utc(one.author[2])},
        "committer": {"name": one.committer[0], "email": one.committer[1], "date": utc(one.committer[2])},
        "added": [c.path for c in changes if c.status == "added"],
        "removed": [c.path for c in changes if c.status == "removed"],
        "modified": [c.path for c in changes if c.status not in ("added", "removed")],
    }


def ref(web: Web, repo: Repo, name: str, sha: str, kind: str) -> Json:
    """`git-ref`."""
    api = web.repo_api(repo)
    return {
        "ref": name,
        "node_id": f"REF_{base64.urlsafe_b64encode(f'{repo.id}:{name}'.encode()).decode()}",
        "url": f"{api}/git/{quote(name)}",
        "object": {"sha": sha, "type": kind, "url": f"{api}/git/{kind}s/{sha}"},
    }


def tree(web: Web, repo: Repo, sha: str, rows: Sequence[TreeRow], *, truncated: bool) -> Json:
    """`git-tree`."""
    api = web.repo_api(repo)
    entries = []
    for row in rows:
        entry: Json = {"path": row.path, "mode": row.mode, "type": row.type, "sha": row.sha}
        if row.size is not None:
            entry["size"] = row.size
        if row.type != "commit":
            entry["url"] = f"{api}/git/{row.type}s/{row.sha}"
        entries.append(entry)
    return {"sha": sha, "url": f"{api}/git/trees/{sha}", "tree": entries, "truncated": truncated}


def wrapped(data: bytes) -> str:
    """base64 in lines of 60 with a newline after each, as GitHub sends it."""
    text = base64.b64encode(data).decode()
    return "".join(f"{text[at : at + 60]}\n" for at in range(0, len(text), 60))


def blob(web: Web, repo: Repo, sha: str, data: bytes) -> Json:
    """`blob`."""
    return {
        "sha": sha,
        "node_id": f"B_{sha}",
        "size": len(data),
        "url": f"{web.repo_api(repo)}/git/blobs/{sha}",
        "content": wrapped(data),
        "encoding": "base64",
    }


def content(web: Web, repo: Repo, ref_name: str, row: TreeRow, data: bytes | None = None) -> Json:
    """An entry of `content-directory`, or with `data` a `content-file`."""
    api, html, path = web.repo_api(repo), web.repo_html(repo), quote(row.path)
    kind = {"blob": "symlink" if row.mode == "120000" else "file", "tree": "dir", "commit": "submodule"}[row.type]
    page = "tree" if row.type == "tree" else "blob"
    own = f"{api}/contents/{path}?ref={quote(ref_name, safe='')}"
    git = None if row.type == "commit" else f"{api}/git/{row.type}s/{row.sha}"
    shape: Json = {
        "name": row.path.rsplit("/", 1)[-1],
        "path": row.path,
        "sha": row.sha,
        "size": row.size or 0,
        "url": own,
        "html_url": f"{html}/{page}/{quote(ref_name)}/{path}",
        "git_url": git,
        "download_url": f"{html}/raw/{quote(ref_name)}/{path}" if row.type == "blob" else None,
        "type": kind,
    }
    if data is not None:
        large = len(data) > 1_000_000
        shape |= {"content": "" if large else wrapped(data), "encoding": "none" if large else "base64"}
    return shape | {"_links": {"self": own, "git": git, "html": shape["html_url"]}}


def status(web: Web, repo: Repo, one: CommitStatus) -> Json:
    """`status`, which also meets `simple-commit-status` without its creator."""
    return {
        "url": f"{web.repo_api(repo)}/statuses/{one.sha}",
        "avatar_url": f"{web.root}/avatars/{one.creator.id}",
        "id": one.id,
        "node_id": node_id("SC", one.id),
        "state": one.state,
        "description": one.description,
        "target_url": one.target_url,
        "context": one.context,
        "created_at": stamp(one.born),
        "updated_at": stamp(one.born),
        "creator": user(web, one.creator),
    }


def combined_status(web: Web, repo: Repo, sha: str, latest: Sequence[CommitStatus]) -> Json:
    """`combined-commit-status` over the newest status of each context."""
    states = {one.state for one in latest}
    failed, passed = bool(states & {"error", "failure"}), states == {"success"}
    state = "failure" if failed else "success" if passed else "pending"
    rows = [{k: v for k, v in status(web, repo, one).items() if k != "creator"} for one in latest]
    api = web.repo_api(repo)
    return {
        "state": state,
        "statuses": rows,
        "sha": sha,
        "total_count": len(rows),
        "repository": repository(web, repo),
        "commit_url": f"{api}/commits/{sha}",
        "url": f"{api}/commits/{sha}/status",
    }
