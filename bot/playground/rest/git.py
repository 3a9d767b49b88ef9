"""The git database: refs, commits, trees and blobs."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Literal

from bot.playground import pushes
from bot.playground.api import Answer, Call, Route
from bot.playground.clock import stamp
from bot.playground.objects import ZERO, GitRefused
from bot.playground.shapes import commits as shapes
from bot.playground.validation import ApiError, Body, custom, not_found

_SHA = re.compile(r"[0-9a-f]{40}")
_TREE_CAP = 100_000


class NewRef(Body):
    ref: str
    sha: str


class MovedRef(Body):
    sha: str
    force: bool = False


class Identity(Body):
    name: str
    email: str
    date: str | None = None


class NewCommit(Body):
    message: str
    tree: str
    parents: list[str] | None = None
    author: Identity | None = None
    committer: Identity | None = None


class NewEntry(Body):
    path: str
    mode: Literal["100644", "100755", "040000", "160000", "120000"]
    type: Literal["blob", "tree", "commit"] | None = None
    sha: str | None = None
    content: str | None = None


class NewTree(Body):
    tree: list[NewEntry]
    base_tree: str | None = None


class NewBlob(Body):
    content: str
    encoding: str = "utf-8"


def _ref(call: Call) -> tuple[str, str]:
    name = f"refs/{call.params['ref']}"
    sha = call.repo.git.tip(name)
    if sha is None:
        raise not_found()
    return name, sha


def get_ref(call: Call) -> Answer:
    name, sha = _ref(call)
    return Answer(200, shapes.ref(call.state.web, call.repo, name, sha, call.repo.git.kind(sha) or "commit"))


def matching_refs(call: Call) -> Answer:
    rows = call.repo.git.refs(f"refs/{call.params['ref']}")
    return Answer(200, [shapes.ref(call.state.web, call.repo, *row) for row in rows])


def _may(call: Call, ref: str, *, old: str, new: str) -> None:
    """Raises ApiError where a push of the same would be refused."""
    token = call.principal.token
    value = token.value if token else None
    refused = pushes.refusal(call.state, call.repo.full_name, value, ref, old=old, new=new, environment=None)
    if refused is not None:
        status = 422 if refused.startswith(("GH006", "refusing to delete")) else 403
        raise ApiError(status, refused if status == 422 else "Resource not accessible by integration")


def create_ref(call: Call) -> Answer:
    body, git = call.body(NewRef), call.repo.git
    if not body.ref.startswith("refs/") or body.ref.count("/") < 2:
        raise ApiError(422, "Reference name must start with 'refs' and contain at least two slashes.")
    if not git.well_named(body.ref):
        raise ApiError(422, f"{body.ref} is not a valid ref name.")
    if not _SHA.fullmatch(body.sha):
        raise ApiError(422, "The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
    kind = git.kind(body.sha)
    if kind is None or (body.ref.startswith("refs/heads/") and kind != "commit"):
        raise ApiError(422, "Object does not exist" if kind is None else "Reference cannot be updated")
    if git.tip(body.ref) is not None:
        raise ApiError(422, "Reference already exists")
    _may(call, body.ref, old=ZERO, new=body.sha)
    try:
        git.set_ref(body.ref, body.sha, ZERO)
    except GitRefused:
        raise ApiError(422, "Reference cannot be created") from None
    pushes.pushed(call.state, call.repo, body.ref, call.by, before=ZERO, after=body.sha)
    shape = shapes.ref(call.state.web, call.repo, body.ref, body.sha, kind)
    return Answer(201, shape, {"location": shape["url"]})


def update_ref(call: Call) -> Answer:
    body, git = call.body(MovedRef), call.repo.git
    name = f"refs/{call.params['ref']}"
    old = git.tip(name)
    if old is None:
        raise ApiError(422, "Reference does not exist")
    kind = git.kind(body.sha) if _SHA.fullmatch(body.sha) else None
    if kind is None:
        raise ApiError(422, "Object does not exist")
    if not body.force and not git.is_ancestor(old, body.sha):
        raise ApiError(422, "Update is not a fast forward")
    _may(call, name, old=old, new=body.sha)
    git.set_ref(name, body.sha, old)
    if old != body.sha:
        pushes.pushed(call.state, call.repo, name, call.by, before=old, after=body.sha)
    return Answer(200, shapes.ref(call.state.web, call.repo, name, body.sha, kind))


def delete_ref(call: Call) -> Answer:
    name = f"refs/{call.params['ref']}"
    old = call.repo.git.tip(name)
    if old is None:
        raise ApiError(422, "Reference does not exist")
    _may(call, name, old=old, new=ZERO)
    call.repo.git.delete_ref(name, old)
    pushes.pushed(call.state, call.repo, name, call.by, before=old, after=ZERO)
    return Answer(204)


def get_commit(call: Call) -> Answer:
    sha = call.params["sha"]
    if not _SHA.fullmatch(sha) or call.repo.git.kind(sha) != "commit":
        raise not_found()
    return Answer(200, shapes.git_commit(call.state.web, call.repo, call.repo.git.commit(sha)))


def create_commit(call: Call) -> Answer:
    body, git = call.body(NewCommit), call.repo.git
    if not _SHA.fullmatch(body.tree) or git.kind(body.tree) != "tree":
        raise ApiError(422, "Tree SHA does not exist")
    for parent in body.parents or []:
        if not _SHA.fullmatch(parent) or git.kind(parent) != "commit":
            raise ApiError(422, f"Parent SHA {parent} does not exist or is not a commit object")
    account, now = call.by.account, stamp(call.state.clock.now())
    own = Identity(name=account.name or account.login, email=account.email)
    author = body.author or own
    committer = body.committer or body.author or own
    sha = git.commit_tree(
        body.tree,
        parents=body.parents or [],
        message=body.message,
        author=(author.name, author.email, author.date or now),
        committer=(committer.name, committer.email, committer.date or now),
    )
    shape = shapes.git_commit(call.state.web, call.repo, git.commit(sha))
    return Answer(201, shape, {"location": shape["url"]})


def get_tree(call: Call) -> Answer:
    """Any non-empty `recursive` counts, also `0` and `false`, as GitHub says."""
    git = call.repo.git
    sha = git.resolve(call.params["sha"], "tree")
    if sha is None:
        raise not_found()
    rows = git.tree(sha, recursive=bool(call.query.get("recursive")))
    cut = len(rows) > _TREE_CAP
    return Answer(200, shapes.tree(call.state.web, call.repo, sha, rows[:_TREE_CAP], truncated=cut))


def create_tree(call: Call) -> Answer:
    body, git = call.body(NewTree), call.repo.git
    if body.base_tree is not None and git.resolve(body.base_tree, "tree") is None:
        raise ApiError(422, "base_tree is not a valid tree oid")
    entries: dict[str, tuple[str, str] | None] = {}
    for entry in body.tree:
        if entry.content is not None and entry.sha is not None:
            raise ApiError(422, "Must supply either tree.sha or tree.content, but not both")
        if entry.content is not None:
            entries[entry.path] = (entry.mode, git.write_blob(entry.content.encode()))
        elif entry.sha is None and "sha" in entry.model_fields_set:
            entries[entry.path] = None
        elif entry.sha is None or git.kind(entry.sha) is None:
            raise ApiError(422, f"tree.sha {entry.sha} is not a valid {entry.type or 'blob'}")
        else:
            entries[entry.path] = (entry.mode, entry.sha)
    base = git.resolve(body.base_tree, "tree") if body.base_tree else None
    try:
        sha = git.write_tree(entries, base=base)
    except GitRefused:
        raise ApiError(422, "tree.path contains a malformed path component") from None
    shape = shapes.tree(call.state.web, call.repo, sha, git.tree(sha), truncated=False)
    return Answer(201, shape, {"location": shape["url"]})


def get_blob(call: Call) -> Answer:
    sha, git = call.params["sha"], call.repo.git
    if not _SHA.fullmatch(sha) or git.kind(sha) != "blob":
        raise not_found()
    return Answer(200, shapes.blob(call.state.web, call.repo, sha, git.blob(sha)))


def create_blob(call: Call) -> Answer:
    body = call.body(NewBlob)
    if body.encoding not in ("utf-8", "base64"):
        raise custom("Blob", "encoding is not valid", field="encoding")
    try:
        data = body.content.encode() if body.encoding == "utf-8" else base64.b64decode(body.content)
    except binascii.Error:
        raise ApiError(422, "content is not valid Base64") from None
    sha = call.repo.git.write_blob(data)
    url = f"{call.state.web.repo_api(call.repo)}/git/blobs/{sha}"
    return Answer(201, {"sha": sha, "url": url}, {"location": url})


_GIT = "/repos/{owner}/{repo}/git"
_READ, _WRITE = "contents=read", "contents=write"
ROUTES = (
    Route("GET", f"{_GIT}/ref/{{ref:path}}", get_ref, "git/refs#get-a-reference", needs=_READ),
    Route("GET", f"{_GIT}/matching-refs/{{ref:path}}", matching_refs, "git/refs#list-matching-references", needs=_READ),
    Route("POST", f"{_GIT}/refs", create_ref, "git/refs#create-a-reference", needs=_WRITE, role="write"),
    Route("PATCH", f"{_GIT}/refs/{{ref:path}}", update_ref, "git/refs#update-a-reference", needs=_WRITE, role="write"),
    Route("DELETE", f"{_GIT}/refs/{{ref:path}}", delete_ref, "git/refs#delete-a-reference", needs=_WRITE, role="write"),
    Route("GET", f"{_GIT}/commits/{{sha}}", get_commit, "git/commits#get-a-commit-object", needs=_READ),
    Route("POST", f"{_GIT}/commits", create_commit, "git/commits#create-a-commit", needs=_WRITE, role="write"),
    Route("GET", f"{_GIT}/trees/{{sha}}", get_tree, "git/trees#get-a-tree", needs=_READ),
    Route("POST", f"{_GIT}/trees", create_tree, "git/trees#create-a-tree", needs=_WRITE, role="write"),
    Route("GET", f"{_GIT}/blobs/{{sha}}", get_blob, "git/blobs#get-a-blob", needs=_READ),
    Route("POST", f"{_GIT}/blobs", create_blob, "git/blobs#create-a-blob", needs=_WRITE, role="write"),
)  # fmt: skip
