"""Contents, commits and comparisons."""

from __future__ import annotations

from typing import Any

from bot.playground.api import Answer, Call, Route
from bot.playground.objects import CommitInfo
from bot.playground.shapes import commits as shapes
from bot.playground.validation import ApiError, not_found

_LIST_CAP = 10_000
_FILES_CAP = 300
_COMMITS_CAP = 250
_TOO_LARGE = "This API returns blobs up to 100 MB in size. The requested blob is too large to fetch via the API."
_LARGE = 100_000_000


def _revision(call: Call, name: str) -> str:
    """A commit's SHA. Raises ApiError as the commit endpoints do."""
    sha = call.repo.git.resolve(name)
    if sha is None:
        raise ApiError(422, f"No commit found for SHA: {name}")
    return sha


def get_contents(call: Call) -> Answer:
    git, path = call.repo.git, call.params.get("path", "").strip("/")
    ref = call.query.get("ref") or call.repo.default_branch
    sha = git.resolve(ref.removeprefix("refs/heads/"))
    if sha is None:
        if not git.refs("refs/heads/"):
            raise ApiError(404, "This repository is empty.")
        raise ApiError(404, f"No commit found for the ref {ref}")
    row = git.entry(sha, path) if path else None
    if path and row is None:
        raise not_found()
    if row is None or row.type == "tree":
        tree = row.sha if row else git.commit(sha).tree
        rows = git.tree(tree)
        prefix = f"{path}/" if path else ""
        placed = [type(one)(one.mode, one.type, one.sha, one.size, prefix + one.path) for one in rows]
        return Answer(200, [shapes.content(call.state.web, call.repo, ref, one) for one in placed[:1000]])
    if row.type == "commit":
        return Answer(200, shapes.content(call.state.web, call.repo, ref, row) | {"submodule_git_url": None})
    if (row.size or 0) > _LARGE:
        raise ApiError(403, _TOO_LARGE)
    data = git.blob(row.sha)
    if "raw" in call.accept:
        return Answer(200, headers=_media("raw"), raw=data)
    return Answer(200, shapes.content(call.state.web, call.repo, ref, row, data))


def _media(kind: str) -> dict[str, str]:
    """Headers of an answer in another media type."""
    return {
        "content-type": f"application/vnd.github.{kind}; charset=utf-8",
        "x-github-media-type": f"github.v3; param={kind}",
    }


def _commit(call: Call, one: CommitInfo) -> dict[str, Any]:
    return shapes.commit(call.state.web, call.repo, one, call.state.account_of)


def list_commits(call: Call) -> Answer:
    git = call.repo.git
    if not git.refs("refs/heads/"):
        raise ApiError(409, "Git Repository is empty.")
    name = call.query.get("sha") or call.repo.default_branch
    sha = git.resolve(name)
    if sha is None:
        raise not_found()
    options = [f"--{key}={call.query[key]}" for key in ("since", "until") if call.query.get(key)]
    rows = git.log(sha, limit=_LIST_CAP, options=options, path=call.query.get("path", ""))
    author = call.query.get("author")
    if author:
        rows = [one for one in rows if author.lower() in _names(call, one)]
    return call.page(rows, lambda one: _commit(call, one))


def _names(call: Call, one: CommitInfo) -> tuple[str, ...]:
    account = call.state.account_of(one.author[1])
    return (one.author[1].lower(), account.login.lower() if account else "")


def get_commit(call: Call) -> Answer:
    git = call.repo.git
    one = git.commit(_revision(call, call.params["ref"]))
    base = one.parents[0] if one.parents else git.run("hash-object", "-w", "-t", "tree", "--stdin").decode().strip()
    changes = git.diff(base, one.sha)
    web = call.state.web
    return Answer(200, shapes.commit(web, call.repo, one, call.state.account_of, changes=changes[:_FILES_CAP]))


def compare(call: Call) -> Answer:
    git, web, repo = call.repo.git, call.state.web, call.repo
    old_name, dots, new_name = call.params["basehead"].partition("...")
    old, new = git.resolve(old_name.rpartition(":")[2]), git.resolve(new_name.rpartition(":")[2])
    if not dots or old is None or new is None:
        raise not_found()
    middle = git.merge_base(old, new)
    if middle is None:
        raise ApiError(404, f"No common ancestor between {old_name} and {new_name}.")
    ahead, behind = git.count(middle, new), git.count(middle, old)
    words = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind", (False, False): "identical"}
    html, api = f"{web.repo_html(repo)}/compare", f"{web.repo_api(repo)}/compare"
    rows = git.log(f"{middle}..{new}", limit=_COMMITS_CAP)
    owner = repo.owner.login
    return Answer(
        200,
        {
            "url": f"{api}/{old_name}...{new_name}",
            "html_url": f"{html}/{old_name}...{new_name}",
            "permalink_url": f"{html}/{owner}:{old[:7]}...{owner}:{new[:7]}",
            "diff_url": f"{html}/{old_name}...{new_name}.diff",
            "patch_url": f"{html}/{old_name}...{new_name}.patch",
            "base_commit": _commit(call, git.commit(old)),
            "merge_base_commit": _commit(call, git.commit(middle)),
            "status": words[(ahead > 0, behind > 0)],
            "ahead_by": ahead,
            "behind_by": behind,
            "total_commits": ahead,
            "commits": [_commit(call, one) for one in reversed(rows)],
            "files": [shapes.change(web, repo, new, one) for one in git.diff(middle, new)[:_FILES_CAP]],
        },
    )


_REPO = "/repos/{owner}/{repo}"
_READ = "contents=read"
ROUTES = (
    Route("GET", f"{_REPO}/contents/{{path:path}}", get_contents, "repos/contents#get-repository-content", needs=_READ),
    Route("GET", f"{_REPO}/contents", get_contents, "repos/contents#get-repository-content", needs=_READ),
    Route("GET", f"{_REPO}/commits", list_commits, "commits/commits#list-commits", needs=_READ),
    Route("GET", f"{_REPO}/commits/{{ref:path}}", get_commit, "commits/commits#get-a-commit", needs=_READ),
    Route("GET", f"{_REPO}/compare/{{basehead:path}}", compare, "commits/commits#compare-two-commits", needs=_READ),
)
