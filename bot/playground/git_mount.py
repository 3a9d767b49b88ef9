"""Git over HTTP for a playground's own repositories: who may fetch and push is asked of its state."""

from collections.abc import Mapping
from pathlib import Path

from starlette.types import ASGIApp

from bot.playground.git_http import git_app
from bot.playground.state import State


def git_over(state: State) -> ASGIApp:
    """The git server to mount at `/git`."""

    def path(owner: str, name: str) -> Path | None:
        repo = state.repo(f"{owner}/{name}")
        return None if repo is None else repo.git.path

    def known(token: str) -> bool:
        return state.token(token) is not None

    def may_write(repo: str, token: str) -> bool:
        found = state.token(token)
        return found is not None and (found.installation is None or found.permissions.get("contents") == "write")

    def refused(repo: str, token: str, ref: str, old: str, new: str, environment: Mapping[str, str]) -> str | None:
        return state.may_push(repo, token or None, ref, old, new, environment=environment)

    return git_app(
        path,
        lambda repo, token: state.may_read(repo, token or None),
        authorize_push=refused,
        pushed=state.pushed,
        authenticate=known,
        authorize_write=may_write,
    )
