"""Repositories, branches and collaborators' permissions."""

from __future__ import annotations

from typing import Any

from bot.playground.acts import installations as acts
from bot.playground.api import Answer, Call, Route
from bot.playground.data import Account, Repo
from bot.playground.shapes import accounts
from bot.playground.shapes.commits import commit
from bot.playground.shapes.repositories import full_repository, permissions
from bot.playground.validation import ApiError, Body, invalid, not_found

HEADS = "refs/heads/"
_LEGACY = {"triage": "read", "maintain": "write"}


class RepositoryBody(Body):
    """What of a repository can be changed here."""

    name: str | None = None
    description: str | None = None
    private: bool | None = None
    default_branch: str | None = None
    archived: bool | None = None


def _role(call: Call) -> Any:
    return "none" if call.principal.kind == "installation" else call.state.role(call.repo, _account(call))


def _account(call: Call) -> Account | None:
    return call.principal.token.account if call.principal.token else None


def get_repo(call: Call) -> Answer:
    return Answer(200, full_repository(call.state.web, call.repo, role=_role(call)))


def update_repo(call: Call) -> Answer:
    body, repo, by = call.body(RepositoryBody), call.repo, call.by
    if body.default_branch is not None:
        if repo.git.tip(HEADS + body.default_branch) is None:
            raise invalid("Repository", "default_branch", "invalid")
        repo.default_branch = body.default_branch
        repo.git.run("symbolic-ref", "HEAD", HEADS + body.default_branch)
    if body.description is not None:
        repo.description = body.description
    if body.private is not None:
        acts.publicize(call.state, repo, by, private=body.private)
    if body.archived is not None:
        acts.archive(call.state, repo, by, archived=body.archived)
    if body.name is not None and body.name != repo.name:
        acts.rename(call.state, repo, by, body.name)
    return Answer(200, full_repository(call.state.web, repo, role="admin"))


def _protection(call: Call, repo: Repo, name: str) -> dict[str, Any]:
    on = name in repo.protected
    url = f"{call.state.web.repo_api(repo)}/branches/{name}/protection"
    checks = {"enforcement_level": "off", "contexts": [], "checks": []}
    return {"protected": on, "protection": {"enabled": on, "required_status_checks": checks}, "protection_url": url}


def list_branches(call: Call) -> Answer:
    repo, api = call.repo, call.state.web.repo_api(call.repo)
    rows = [(name.removeprefix(HEADS), sha) for name, sha, _ in repo.git.refs(HEADS)]
    if "protected" in call.query:
        rows = [row for row in rows if (row[0] in repo.protected) == (call.query["protected"] == "true")]

    def shape(row: tuple[str, str]) -> dict[str, Any]:
        head = {"sha": row[1], "url": f"{api}/commits/{row[1]}"}
        return {"name": row[0], "commit": head, **_protection(call, repo, row[0])}

    return call.page(rows, shape)


def get_branch(call: Call) -> Answer:
    repo, name, web = call.repo, call.params["branch"], call.state.web
    sha = repo.git.tip(HEADS + name)
    if sha is None:
        raise ApiError(404, "Branch not found")
    shape = {
        "name": name,
        "commit": commit(web, repo, repo.git.commit(sha), call.state.account_of),
        "_links": {"self": f"{web.repo_api(repo)}/branches/{name}", "html": f"{web.repo_html(repo)}/tree/{name}"},
        **_protection(call, repo, name),
    }
    return Answer(200, shape)


def get_permission(call: Call) -> Answer:
    """`permission` knows four words, `role_name` all of them."""
    account = call.state.account(call.params["username"])
    if account is None:
        raise not_found()
    role = call.state.role(call.repo, account)
    user = accounts.user(call.state.web, account) | {"permissions": permissions(role), "role_name": role}
    return Answer(200, {"permission": _LEGACY.get(role, role), "role_name": role, "user": user})


_REPO = "/repos/{owner}/{repo}"
ROUTES = (
    Route("GET", _REPO, get_repo, "repos/repos#get-a-repository"),
    Route("PATCH", _REPO, update_repo, "repos/repos#update-a-repository", needs="administration=write", role="admin"),
    Route("GET", f"{_REPO}/branches", list_branches, "branches/branches#list-branches", needs="contents=read"),
    Route("GET", f"{_REPO}/branches/{{branch:path}}", get_branch, "branches/branches#get-a-branch", needs="contents=read"),
    Route("GET", f"{_REPO}/collaborators/{{username}}/permission", get_permission,
        "collaborators/collaborators#get-repository-permissions-for-a-user", role="read"),
)  # fmt: skip
