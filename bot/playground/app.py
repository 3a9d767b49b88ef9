"""The whole playground as one ASGI app: REST and GraphQL under `/api`, git under `/git`, pages at `/`, control at `/_control`."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.playground.api import Api
from bot.playground.control import Control
from bot.playground.faults import FaultyApp
from bot.playground.graphql import GraphQL
from bot.playground.rest import apps, checks, commits, git, issues, labels, pulls, repositories, reviews
from bot.playground.state import State

MODULES = (apps, checks, git, labels, issues, reviews, pulls, commits, repositories)
"""In the order that their routes are tried: a path that ends in a resource before one whose ref may hold slashes."""


class _Bare:
    """Hands a scope on as it came, without Mount's changes to its path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def create_app(state: State, *, git_app: ASGIApp | None = None, pages_app: ASGIApp | None = None) -> ASGIApp:
    """The app. `git_app` is mounted at `/git` (it sees `/OWNER/REPO.git/…` as its path), `pages_app` at `/`."""
    rest = Api(state, [route for module in MODULES for route in module.ROUTES])
    routes: list[BaseRoute] = [
        *Control(state).routes(),
        Route("/api/graphql", _Bare(GraphQL(state))),
        Mount("/api", rest),
    ]
    if git_app is not None:
        routes.append(Mount("/git", git_app))
    if pages_app is not None:
        routes.append(Mount("/", pages_app))
    return FaultyApp(Starlette(routes=routes), state.faults)
