"""The GitHub App as one object: `ports.GitHub` and what is asked of GitHub about the App itself."""

from dataclasses import dataclass

from githubkit.exception import GitHubException

from bot.core.redact import Secret
from bot.github.calls import Json, segment
from bot.github.checks import CheckCalls
from bot.github.errors import translate
from bot.github.issues import IssueCalls
from bot.github.pulls import PullCalls
from bot.github.tokens import GIT_READ, GIT_WRITE, METADATA, Scope, Tokens, load_key
from bot.github.transport import Connections
from bot.ports import Clock


@dataclass(frozen=True, slots=True)
class AppIdentity:
    """Who the App is: its id, its slug (the bot's login is `slug[bot]`) and the account that owns it."""

    id: int
    slug: str
    owner: str


class GitHubApp(IssueCalls, PullCalls, CheckCalls):
    """`ports.GitHub` over githubkit. Lives on one event loop; `aclose` when done.

    `api_base` is REST's base (`https://api.github.com`). Raises UserFacing where the private key can't be read.
    """

    def __init__(self, *, app_id: str, private_key: Secret, api_base: str, clock: Clock) -> None:
        connections = Connections(api_base)
        tokens = Tokens(app_id=app_id, key=load_key(private_key), connections=connections, clock=clock)
        super().__init__(tokens=tokens, connections=connections, clock=clock)
        self._identity: AppIdentity | None = None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connections.transport.shut()

    async def token(self, installation_id: int, repo_id: int, *, write: bool) -> str:
        """A token for git over HTTP: contents read, or contents write, for that one repository."""
        return await self._tokens.get(Scope.of(installation_id, repo_id, GIT_WRITE if write else GIT_READ))

    async def revoke(self, installation_id: int, repo_id: int) -> None:
        """End the tokens of a repository when the last run that used them has ended."""
        await self._tokens.revoke(installation_id, repo_id)

    async def drop_installation(self, installation_id: int) -> None:
        """Forget tokens and repository ids of an installation that was removed or suspended."""
        self._tokens.forget_installation(installation_id)
        for key in [key for key in self._repo_ids if key[0] == installation_id]:
            del self._repo_ids[key]

    async def app(self) -> AppIdentity:
        """Who the App is; asked once."""
        if self._identity is None:
            data = await self._as_app("/app")
            owner = data.get("owner") or {}
            # an enterprise that owns an App has a slug and no login
            name = owner.get("login") or owner.get("slug", "")
            self._identity = AppIdentity(id=data["id"], slug=data["slug"], owner=name)
        return self._identity

    async def app_owner(self) -> str:
        """Login of the account that owns the App."""
        return (await self.app()).owner

    async def app_slug(self) -> str:
        """The App's slug."""
        return (await self.app()).slug

    async def bot_user_id(self, installation_id: int) -> int:
        """User id of `slug[bot]`, by which the App's own comments and commits are known."""
        login = f"{await self.app_slug()}[bot]"
        scope = Scope.of(installation_id, None, METADATA)
        return (await self._json("GET", f"/users/{segment(login)}", scope=scope))["id"]

    async def any_installation(self) -> int:
        """Id of one installation, 0 where the App is installed nowhere yet."""
        rows = await self._as_app("/app/installations?per_page=1")
        return rows[0]["id"] if rows else 0

    async def installation(self, installation_id: int) -> str:
        """Login of the account that an installation is on."""
        account = (await self._as_app(f"/app/installations/{installation_id}")).get("account") or {}
        return account.get("login") or account.get("slug", "")

    async def _as_app(self, path: str) -> Json:
        github = self._connections.client(self._tokens.app_jwt())
        try:
            return (await github.arequest("GET", path)).json()
        except GitHubException as error:
            raise translate(error, now=self._clock.now(), as_app=True) from error
