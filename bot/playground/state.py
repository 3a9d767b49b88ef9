"""Everything a playground knows, in memory under one lock, beside bare repositories in a directory."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.playground import pushes
from bot.playground.clock import PlaygroundClock
from bot.playground.data import (
    ROLES,
    Account,
    App,
    By,
    Comment,
    Installation,
    Issue,
    Pull,
    Repo,
    Review,
    ReviewComment,
    Role,
    Thread,
    Token,
    Write,
)
from bot.playground.faults import Faults
from bot.playground.limits import RateLimits
from bot.playground.shapes.accounts import user
from bot.playground.shapes.repositories import webhook_repository
from bot.playground.shapes.web import Web, node_id
from bot.playground.webhooks import Webhooks


class State:
    """The tables, the clock, the deliveries and the faults. Hold `lock` around anything that reads or writes more than one field."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.lock = threading.RLock()
        self.clock = PlaygroundClock()
        self.web = Web("http://127.0.0.1")
        self.webhooks = Webhooks(self.clock)
        self.faults = Faults()
        self.limits = RateLimits(self.clock)
        self.accounts: dict[str, Account] = {}
        self.apps: dict[int, App] = {}
        self.installations: dict[int, Installation] = {}
        self.tokens: dict[str, Token] = {}
        self.repos: dict[str, Repo] = {}
        self.comments: dict[int, Comment] = {}
        self.pulls: dict[int, Pull] = {}
        self.reviews: dict[int, Review] = {}
        self.review_comments: dict[int, ReviewComment] = {}
        self.threads: dict[int, Thread] = {}
        self.writes: list[Write] = []
        self._ids = 1000
        self.forgotten_issues: set[tuple[int, int]] = set()

    # ---- looking up

    def new_id(self) -> int:
        """A number that nothing else has."""
        with self.lock:
            self._ids += 1
            return self._ids

    def account(self, login: str) -> Account | None:
        """An account by login, any case."""
        return self.accounts.get(login.lower())

    def account_of(self, email: str) -> Account | None:
        """Whose address it is: `ID+LOGIN@users.noreply.github.com`."""
        local, _, domain = email.partition("@")
        if domain != "users.noreply.github.com":
            return None
        return self.account(local.split("+", 1)[-1])

    def add_account(self, login: str, kind: Any = "User") -> Account:
        """Make an account; an existing one is given back."""
        with self.lock:
            found = self.account(login)
            if found is None:
                found = Account(self.new_id(), login, kind, self.clock.now())
                self.accounts[login.lower()] = found
            return found

    def repo(self, full_name: str) -> Repo | None:
        """A repository by OWNER/NAME, any case, with or without `.git`."""
        return self.repos.get(full_name.removesuffix(".git").lower())

    def repo_by_id(self, number: int) -> Repo | None:
        """A repository by id."""
        return next((repo for repo in self.repos.values() if repo.id == number), None)

    def token(self, value: str | None) -> Token | None:
        """A living token, or None for an unknown or expired one."""
        found = self.tokens.get(value or "")
        if found is None or (found.expires_at is not None and found.expires_at <= self.clock.now()):
            return None
        return found

    def by(self, who: str | By) -> By:
        """Who acts: a login, or a token's value (which may be an App's). Raises KeyError for neither."""
        if isinstance(who, By):
            return who
        token = self.tokens.get(who)
        if token is not None:
            return By(token.account, token.installation.app if token.installation else None)
        account = self.account(who)
        if account is None:
            raise KeyError(who)
        app = next((app for app in self.apps.values() if app.bot is account), None)
        return By(account, app)

    def role(self, repo: Repo, account: Account | None) -> Role:
        """The effective role of an account; a public repository gives everybody read."""
        if account is not None:
            if account is repo.owner:
                return "admin"
            given = repo.collaborators.get(account.id)
            if given is not None:
                return given
        return "none" if repo.private else "read"

    def may(self, repo: Repo, account: Account | None, role: Role) -> bool:
        """Whether the account's role is at least `role`."""
        return ROLES.index(self.role(repo, account)) >= ROLES.index(role)

    def open_pulls(self, repo: Repo, *, sha: str = "", head_ref: str = "") -> list[Pull]:
        """Open pull requests at a head SHA or from a branch."""
        pulls = [issue.pull for issue in repo.issues.values() if issue.pull and issue.state == "open"]
        return [p for p in pulls if (not sha or p.head_sha == sha) and (not head_ref or p.head_ref == head_ref)]

    # ---- what every act does

    def new_token(self, account: Account, *, installation: Installation | None = None, **scope: Any) -> Token:
        """A person's token, or an installation's in GitHub's long new form."""
        if installation is None:
            value = f"ghp_{secrets.token_hex(18)}"
        else:
            parts = (secrets.token_urlsafe(27), secrets.token_urlsafe(160), secrets.token_urlsafe(192))
            value = f"ghs_{installation.app.id}_{'.'.join(parts)}"
        token = Token(value, account, installation, **scope)
        with self.lock:
            self.tokens[value] = token
        return token

    def count(self, kind: str, repo: Repo, by: By, *, issue: int = 0, detail: str = "", id: int = 0) -> None:
        """Write down one write: the oracle of tests that lose answers and kill processes."""
        self.writes.append(Write(kind, repo.full_name, issue, by.account.login, detail, id, self.clock.now()))

    def emit(
        self, repo: Repo, event: str, action: str | None, by: By, payload: dict[str, Any], *, only: App | None = None
    ) -> None:
        """Queue a delivery for every App that is installed on the repository and subscribed (or for `only` that one)."""
        for installation in list(self.installations.values()):
            app = installation.app
            if not installation.covers(repo) or installation.suspended_at is not None or (only and app is not only):
                continue
            if event not in installation.events or app.hook is None:
                continue
            body: dict[str, Any] = {} if action is None else {"action": action}
            body |= payload | {"repository": webhook_repository(self.web, repo, push=event == "push")}
            if repo.owner.type == "Organization":
                body["organization"] = organization(self.web, repo.owner)
            body["sender"] = user(self.web, by.account)
            body["installation"] = {"id": installation.id, "node_id": node_id("IN", installation.id)}
            self.webhooks.enqueue(app, event, body, installation_id=installation.id, repository_id=repo.id)

    def touch(self, issue: Issue) -> None:
        """The issue changed now."""
        issue.updated_at = self.clock.now()

    # ---- what the git server asks and tells

    def may_read(self, repo: str, token: str | None) -> bool:
        """Whether a bearer of `token` (or nobody) may fetch OWNER/NAME."""
        with self.lock:
            return pushes.may_read(self, repo, token)

    def may_push(
        self,
        repo: str,
        token: str | None,
        ref: str,
        old: str,
        new: str,
        *,
        environment: Mapping[str, str] | None = None,
    ) -> str | None:
        """GitHub's sentence where the push is refused, else None. `environment` reaches objects in quarantine; unset, it is found."""
        with self.lock:
            return pushes.refusal(self, repo, token, ref, old=old, new=new, environment=environment)

    def pushed(self, repo: str, ref: str, before: str, after: str, pusher: str) -> None:
        """A ref moved: pull requests follow, deliveries go out. `pusher` is a token or a login; zero SHAs mean made or deleted."""
        with self.lock:
            found = self.repo(repo)
            if found is not None:
                pushes.pushed(self, found, ref, self.by(pusher), before=before, after=after)

    def redeliver(self, delivery_id: int) -> None:
        """Send a recorded delivery again under its GUID. Raises KeyError for an unknown one."""
        self.webhooks.redeliver(delivery_id)

    @property
    def deliveries(self) -> list[Any]:
        """Every delivery attempt so far, oldest first."""
        return self.webhooks.deliveries


def organization(web: Web, account: Account) -> dict[str, Any]:
    """The organization of a delivery."""
    api = f"{web.api}/orgs/{account.login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node_id("O", account.id),
        "url": api,
        "repos_url": f"{api}/repos",
        "events_url": f"{api}/events",
        "hooks_url": f"{api}/hooks",
        "issues_url": f"{api}/issues",
        "members_url": f"{api}/members{{/member}}",
        "public_members_url": f"{api}/public_members{{/member}}",
        "avatar_url": f"{web.root}/avatars/{account.id}",
        "description": None,
    }
