"""One call to one repository: the right token, the answer as JSON, failures as the errors of ports."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from githubkit import GitHub
from githubkit.exception import GitHubException

from bot.core.forge import RepositoryInfo
from bot.github.errors import Unauthorized, translate
from bot.github.tokens import METADATA, Permissions, Scope, Tokens
from bot.github.transport import Connections
from bot.ports import Clock, Permanent

Json = Any
Answer = TypeVar("Answer")


def segment(text: str) -> str:
    """A name as one path segment: labels hold slashes, and a login or SHA may be anything that was sent to us."""
    return quote(text, safe="")


def repo_path(repo: str) -> str:
    """`/repos/owner/name`. Raises Permanent where it is not two plain names."""
    owner, _, name = repo.partition("/")
    if not owner or not name or "/" in name or {owner, name} & {".", ".."}:
        raise Permanent(f"not a repository name: {repo!r}")
    return f"/repos/{segment(owner)}/{segment(name)}"


class Caller:
    """What all groups of calls stand on."""

    def __init__(self, *, tokens: Tokens, connections: Connections, clock: Clock) -> None:
        self._tokens = tokens
        self._connections = connections
        self._clock = clock
        self._repo_ids: dict[tuple[int, str], int] = {}

    def remember_repository(self, installation_id: int, repo: str, repo_id: int) -> None:
        """Learn a repository's id from a delivery, which saves the look-up before its first token."""
        self._repo_ids[installation_id, repo.lower()] = repo_id

    async def repository(self, installation_id: int, repo: str) -> RepositoryInfo:
        """The repository as GitHub has it now; also learns its id."""
        # the id is what scopes a token, so this one call needs a token without one: it may read metadata and nothing else
        scope = Scope.of(installation_id, None, METADATA)
        data = await self._json("GET", repo_path(repo), scope=scope)
        self.remember_repository(installation_id, repo, data["id"])
        return RepositoryInfo(
            id=data["id"],
            full_name=data["full_name"],
            default_branch=data["default_branch"],
            private=data["private"],
            archived=data.get("archived", False),
        )

    async def _scope(self, installation_id: int, repo: str, permissions: Permissions) -> Scope:
        known = self._repo_ids.get((installation_id, repo.lower()))
        if known is None:
            known = (await self.repository(installation_id, repo)).id
        return Scope.of(installation_id, known, permissions)

    async def _call(
        self,
        installation_id: int,
        repo: str,
        method: str,
        path: str,
        *,
        permissions: Permissions,
        json: Mapping[str, Json] | None = None,
        params: Mapping[str, str | int] | None = None,
    ) -> Json:
        """Call `/repos/owner/name` + `path`; JSON of the answer, None where it has no body."""
        scope = await self._scope(installation_id, repo, permissions)
        return await self._json(method, repo_path(repo) + path, scope=scope, json=json, params=params)

    async def _json(
        self,
        method: str,
        path: str,
        *,
        scope: Scope,
        json: Mapping[str, Json] | None = None,
        params: Mapping[str, str | int] | None = None,
    ) -> Json:
        response = await self._send(method, path, scope=scope, json=json, params=params)
        return response.json() if response.content else None

    async def _send(
        self,
        method: str,
        path: str,
        *,
        scope: Scope,
        json: Mapping[str, Json] | None = None,
        params: Mapping[str, str | int] | None = None,
    ) -> Any:
        return await self._with_token(scope, lambda github: github.arequest(method, path, json=json, params=params))

    async def _with_token(self, scope: Scope, work: Callable[[GitHub], Awaitable[Answer]]) -> Answer:
        # a token may have been revoked behind our back: 401 says that nothing was done, so one fresh token is safe for writes too
        try:
            return await self._attempt(scope, work)
        except Unauthorized:
            self._tokens.forget(scope)
        return await self._attempt(scope, work)

    async def _attempt(self, scope: Scope, work: Callable[[GitHub], Awaitable[Answer]]) -> Answer:
        github = self._connections.client(await self._tokens.get(scope))
        try:
            return await work(github)
        except GitHubException as error:
            raise translate(error, now=self._clock.now()) from error

    async def _pages(
        self,
        installation_id: int,
        repo: str,
        path: str,
        *,
        permissions: Permissions,
        params: Mapping[str, str | int] | None = None,
    ) -> Sequence[Json]:
        """Every item of a paged list, 100 a page, in GitHub's order."""
        scope = await self._scope(installation_id, repo, permissions)
        items: list[Json] = []
        page = 1
        while True:
            asked = {**(params or {}), "per_page": 100, "page": page}
            response = await self._send("GET", repo_path(repo) + path, scope=scope, params=asked)
            items += response.json()
            if "next" not in response.raw_response.links:
                return items
            page += 1

    async def _graphql(
        self, installation_id: int, repo: str, query: str, *, permissions: Permissions, node_id: str
    ) -> Json:
        scope = await self._scope(installation_id, repo, permissions)
        return await self._with_token(scope, lambda github: github.graphql.arequest(query, {"id": node_id}))
