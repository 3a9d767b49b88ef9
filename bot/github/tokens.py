"""Tokens: the App's JWT, and installation tokens for one repository and one subset of permissions, minted once and kept in memory."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from githubkit.exception import GitHubException

from bot.core.redact import Secret
from bot.github.errors import BAD_KEY, translate
from bot.github.transport import Connections
from bot.ports import Clock, Permanent, UserFacing

Permissions = Mapping[str, str]

METADATA: Permissions = {"metadata": "read"}
GIT_READ: Permissions = {"contents": "read"}
GIT_WRITE: Permissions = {"contents": "write"}
TALK: Permissions = {"issues": "write", "pull_requests": "write"}
"""Issues, comments, labels and reactions: GitHub asks for `pull_requests` where the number is a pull request's."""
PULLS: Permissions = {"contents": "read", "pull_requests": "write"}
DRAFTS: Permissions = {"contents": "write", "pull_requests": "write"}
"""Draft to ready and back: GitHub refuses these two mutations without `contents: write`."""
CHECKS: Permissions = {"checks": "write"}

KEPT = 55 * 60.0
MARGIN = 5 * 60.0


def load_key(private_key: Secret) -> RSAPrivateKey:
    """The key object, parsed once. Raises UserFacing where it is not an RSA key in PEM."""
    try:
        key = serialization.load_pem_private_key(private_key.reveal().encode(), password=None)
    except (ValueError, TypeError):
        raise UserFacing(BAD_KEY) from None
    if not isinstance(key, RSAPrivateKey):
        raise UserFacing(BAD_KEY)
    return key


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token is for. `repo_id` None: the whole installation, used with METADATA alone."""

    installation_id: int
    repo_id: int | None
    permissions: tuple[tuple[str, str], ...]

    @staticmethod
    def of(installation_id: int, repo_id: int | None, permissions: Permissions) -> "Scope":
        """The same scope for the same rights, in whatever order they were written."""
        return Scope(installation_id, repo_id, tuple(sorted(permissions.items())))


@dataclass(frozen=True, slots=True)
class Held:
    """A token and when to stop using it, in seconds since the epoch."""

    token: Secret
    until: float


class Tokens:
    """Mints, keeps and revokes tokens. One event loop, memory only: a restart mints anew."""

    def __init__(self, *, app_id: str, key: RSAPrivateKey, connections: Connections, clock: Clock) -> None:
        self._app_id = str(app_id)
        self._key = key
        self._connections = connections
        self._clock = clock
        self._held: dict[Scope, Held] = {}
        self._minting: dict[Scope, asyncio.Task[Held]] = {}

    def app_jwt(self) -> str:
        """A JWT that speaks for the App for 9 minutes; backdated a minute, since clocks differ."""
        now = int(self._clock.now())
        return jwt.encode({"iss": self._app_id, "iat": now - 60, "exp": now + 540}, self._key, algorithm="RS256")

    async def get(self, scope: Scope) -> str:
        """The token of a scope: kept, or minted once however many ask at the same time."""
        held = self._held.get(scope)
        if held is None or held.until <= self._clock.now():
            held = await self._mint_once(scope)
        return held.token.reveal()

    async def _mint_once(self, scope: Scope) -> Held:
        task = self._minting.get(scope)
        if task is None:
            task = asyncio.create_task(self._mint(scope))
            self._minting[scope] = task
            task.add_done_callback(lambda done: self._minted(scope, done))
        # shielded: one caller's cancellation must not take the token from the others
        return await asyncio.shield(task)

    def _minted(self, scope: Scope, task: asyncio.Task[Held]) -> None:
        # asked for even when nobody waits any more: an exception that is never looked at is reported as lost
        failed = task.cancelled() or task.exception() is not None
        if self._minting.get(scope) is task:
            del self._minting[scope]
            if not failed:
                self._held[scope] = task.result()

    async def _mint(self, scope: Scope) -> Held:
        body: dict[str, object] = {"permissions": dict(scope.permissions)}
        if scope.repo_id is not None:
            body["repository_ids"] = [scope.repo_id]
        github = self._connections.client(self.app_jwt())
        path = f"/app/installations/{scope.installation_id}/access_tokens"
        try:
            answer = (await github.arequest("POST", path, json=body)).json()
        except GitHubException as error:
            raise translate(error, now=self._clock.now(), as_app=True) from error
        now = self._clock.now()
        try:
            expires = datetime.fromisoformat(answer["expires_at"]).timestamp()
            return Held(Secret(answer["token"]), min(now + KEPT, expires - MARGIN))
        except (KeyError, TypeError, ValueError) as error:
            raise Permanent("GitHub's answer to a token request has no token or no date") from error

    def forget(self, scope: Scope) -> None:
        """Drop one token, because GitHub no longer takes it."""
        self._held.pop(scope, None)

    def forget_installation(self, installation_id: int) -> None:
        """Drop every token of an installation; one that is being minted is not kept."""
        for kept in (self._held, self._minting):
            for scope in [s for s in kept if s.installation_id == installation_id]:
                del kept[scope]

    async def revoke(self, installation_id: int, repo_id: int) -> None:
        """End every token of a repository, at GitHub too; an answer that is lost or refused leaves them to expire."""
        for scope in [s for s in self._held if (s.installation_id, s.repo_id) == (installation_id, repo_id)]:
            github = self._connections.client(self._held.pop(scope).token.reveal())
            try:
                await github.arequest("DELETE", "/installation/token")
            except GitHubException:
                continue
