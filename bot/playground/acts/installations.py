"""Apps on accounts, and what befalls repositories as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from bot.playground.data import Account, App, By, Installation, Repo
from bot.playground.shapes import accounts
from bot.playground.shapes.web import node_id
from bot.playground.validation import ApiError, invalid

if TYPE_CHECKING:
    from bot.playground.state import State


def _brief(repos: Iterable[Repo]) -> list[dict[str, Any]]:
    return [
        {
            "id": repo.id,
            "node_id": node_id("R", repo.id),
            "name": repo.name,
            "full_name": repo.full_name,
            "private": repo.private,
        }
        for repo in repos
    ]


def repositories(state: State, installation: Installation) -> list[Repo]:
    """What the installation covers, oldest first."""
    return sorted((repo for repo in state.repos.values() if installation.covers(repo)), key=lambda repo: repo.id)


def _tell(state: State, installation: Installation, event: str, action: str, by: By, extra: dict[str, Any]) -> None:
    """These reach the App whatever it subscribed to."""
    payload = {
        "action": action,
        "installation": accounts.installation(state.web, installation),
        **extra,
        "sender": accounts.user(state.web, by.account),
    }
    state.webhooks.enqueue(installation.app, event, payload, installation_id=installation.id, repository_id=None)


def install(
    state: State, app: App, account: Account, by: By, *, selected: Iterable[Repo] | None = None
) -> Installation:
    """Install the App on an account, on all its repositories or on those selected."""
    now = state.clock.now()
    installation = Installation(
        state.new_id(), app, account, dict(app.permissions), app.events, now, now,
        "all" if selected is None else "selected", {repo.id for repo in selected or ()},
    )  # fmt: skip
    state.installations[installation.id] = installation
    extra = {"repositories": _brief(repositories(state, installation)), "requester": None}
    _tell(state, installation, "installation", "created", by, extra)
    return installation


def uninstall(state: State, installation: Installation, by: By) -> None:
    """Remove the installation; its tokens die."""
    extra = {"repositories": _brief(repositories(state, installation)), "requester": None}
    del state.installations[installation.id]
    for value in [value for value, token in state.tokens.items() if token.installation is installation]:
        del state.tokens[value]
    _tell(state, installation, "installation", "deleted", by, extra)


def suspend(state: State, installation: Installation, by: By, *, suspended: bool) -> None:
    """Suspend or unsuspend."""
    installation.suspended_at = state.clock.now() if suspended else None
    installation.suspended_by = by.account if suspended else None
    installation.updated_at = state.clock.now()
    extra = {"repositories": _brief(repositories(state, installation)), "requester": None}
    _tell(state, installation, "installation", "suspend" if suspended else "unsuspend", by, extra)


def select(
    state: State, installation: Installation, by: By, *, add: Iterable[Repo] = (), remove: Iterable[Repo] = ()
) -> None:
    """Add repositories to a selected installation, or take some away."""
    added, removed = list(add), list(remove)
    installation.selection = "selected"
    installation.repo_ids |= {repo.id for repo in added}
    installation.repo_ids -= {repo.id for repo in removed}
    for action, rows in (("added", added), ("removed", removed)):
        if rows:
            extra = {
                "repository_selection": installation.selection,
                "repositories_added": _brief(rows if action == "added" else ()),
                "repositories_removed": _brief(rows if action == "removed" else ()),
                "requester": None,
            }
            _tell(state, installation, "installation_repositories", action, by, extra)


def tell_new_repository(state: State, repo: Repo, by: By) -> None:
    """A repository was made: Apps on all repositories of the account hear of it twice, as from GitHub."""
    for installation in state.installations.values():
        if installation.selection == "all" and installation.covers(repo):
            extra = {
                "repository_selection": "all",
                "repositories_added": _brief([repo]),
                "repositories_removed": [],
                "requester": None,
            }
            _tell(state, installation, "installation_repositories", "added", by, extra)
    state.emit(repo, "repository", "created", by, {})


def rename(state: State, repo: Repo, by: By, name: str) -> None:
    """Rename a repository. The old address is gone at once, which is harder than GitHub's redirect."""
    if f"{repo.owner.login}/{name}".lower() in state.repos:
        raise invalid("Repository", "name", "already_exists")
    was = repo.name
    state.repos.pop(repo.full_name.lower())
    new_path = repo.git.path.with_name(f"{name}.git")
    repo.git.path.rename(new_path)
    repo.git.path = new_path
    repo.name = name
    state.repos[repo.full_name.lower()] = repo
    state.emit(repo, "repository", "renamed", by, {"changes": {"repository": {"name": {"from": was}}}})


def archive(state: State, repo: Repo, by: By, *, archived: bool) -> None:
    """Archive a repository or bring it back."""
    if repo.archived == archived:
        raise ApiError(422, "Repository is already archived" if archived else "Repository is not archived")
    repo.archived = archived
    state.emit(repo, "repository", "archived" if archived else "unarchived", by, {})


def publicize(state: State, repo: Repo, by: By, *, private: bool) -> None:
    """Make a repository private or public."""
    if repo.private != private:
        repo.private = private
        state.emit(repo, "repository", "privatized" if private else "publicized", by, {})


def delete_repository(state: State, repo: Repo, by: By) -> None:
    """Delete a repository; its objects stay on disk, out of reach."""
    state.emit(repo, "repository", "deleted", by, {})
    del state.repos[repo.full_name.lower()]
