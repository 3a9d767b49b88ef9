"""A playground as tests and the demo use it: start it, fill it, act as people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.types import ASGIApp

from bot.playground import server
from bot.playground.acts import installations, issues, labels, pulls, reviews
from bot.playground.app import create_app
from bot.playground.data import (
    ROLES,
    Account,
    App,
    Comment,
    Hook,
    Installation,
    Issue,
    Protection,
    Pull,
    Repo,
    Review,
    Role,
)
from bot.playground.objects import GitRepository
from bot.playground.seed import commit_files, copy_history, from_directory, from_files
from bot.playground.shapes.web import Web
from bot.playground.state import State
from bot.playground.webhooks import Webhooks, require_loopback

PERMISSIONS: Mapping[str, str] = {
    "actions": "read",
    "checks": "write",
    "contents": "write",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "read",
}
EVENTS: tuple[str, ...] = (
    "check_run",
    "check_suite",
    "issue_comment",
    "issues",
    "label",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_review_thread",
    "push",
    "repository",
    "status",
)
MountedApp = Callable[[State], ASGIApp]


@dataclass(frozen=True, slots=True)
class NewApp:
    """A made App: what its owner would copy from GitHub's page. `private_key` is PEM text."""

    id: int
    slug: str
    private_key: str
    app: App


class Playground:
    """A running playground. `.url` is the pages' root, `.api` the REST base, `.git` the git base."""

    def __init__(
        self, state: State, handle: server.Handle, *, hook: tuple[str | None, str], permissions: Mapping[str, str], events: Sequence[str]
    ) -> None:  # fmt: skip
        self.state = state
        self._handle = handle
        self._hook = hook
        self._permissions = dict(permissions)
        self._events = tuple(events)

    @classmethod
    def start(
        cls,
        directory: Path,
        *,
        webhook_url: str | None = None,
        webhook_secret: str = "playground",
        app_permissions: Mapping[str, str] = PERMISSIONS,
        events: Sequence[str] = EVENTS,
        port: int = 0,
        git_app: MountedApp | None = None,
        pages_app: MountedApp | None = None,
    ) -> Self:
        """Start one over `directory` (made if missing). `git_app` and `pages_app` are given the state and mounted. Raises NotLoopback."""
        if webhook_url is not None:
            require_loopback(webhook_url)
        directory.mkdir(parents=True, exist_ok=True)
        state = State(directory)

        def build(url: str) -> ASGIApp:
            state.web = Web(url)
            git = git_app(state) if git_app else None
            return create_app(state, git_app=git, pages_app=pages_app(state) if pages_app else None)

        handle = server.start(build, port=port)
        hook = (webhook_url, webhook_secret)
        return cls(state, handle, hook=hook, permissions=app_permissions, events=events)

    def stop(self) -> None:
        """End the server and the webhook worker."""
        self.state.webhooks.close()
        self._handle.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return self._handle.url

    @property
    def api(self) -> str:
        return self.state.web.api

    @property
    def git(self) -> str:
        return self.state.web.git

    @property
    def webhooks(self) -> Webhooks:
        return self.state.webhooks

    # ---- filling it

    def create_app(
        self,
        slug: str = "journeyman",
        *,
        owner: str = "octo-org",
        webhook_url: str | None = None,
        permissions: Mapping[str, str] | None = None,
        events: Sequence[str] | None = None,
        key: rsa.RSAPrivateKey | None = None,
    ) -> NewApp:
        """Make a GitHub App with the key given or a fresh one; the hook goes to the given address or the playground's own."""
        url, secret = webhook_url or self._hook[0], self._hook[1]
        key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        state = self.state
        if url is not None:
            require_loopback(url)
        with state.lock:
            number = state.new_id()
            app = App(
                number,
                slug,
                slug.replace("-", " ").title(),
                state.add_account(owner, "Organization"),
                state.add_account(f"{slug}[bot]", "Bot"),
                f"Iv23li{number:014d}",
                key.public_key(),
                dict(permissions if permissions is not None else self._permissions),
                tuple(events if events is not None else self._events),
                state.clock.now(),
                Hook(state.new_id(), url, secret) if url else None,
            )
            state.apps[number] = app
        return NewApp(number, slug, pem.decode(), app)

    def create_user(self, login: str, *, name: str | None = None) -> str:
        """Make a person; gives a personal token."""
        with self.state.lock:
            account = self.state.add_account(login)
            account.name = name or account.name
            return self.state.new_token(account).value

    def create_repo(
        self,
        full_name: str,
        *,
        default_branch: str = "main",
        private: bool = False,
        files: Mapping[str, bytes | str] | None = None,
        from_path: Path | None = None,
        by: str | None = None,
    ) -> Repo:
        """Make a repository and its owner: with one commit of `files`, or the HEAD of the repository at `from_path` (any other
        directory: one commit of its files); with neither it is empty.
        """
        state, (owner, _, name) = self.state, full_name.partition("/")
        with state.lock:
            account = state.add_account(owner, "Organization")
            git = GitRepository(state.directory / account.login / f"{name}.git")
            git.init(default_branch)
            now = state.clock.now()
            repo = Repo(state.new_id(), account, name, default_branch, private, git, now, now, now)
            state.repos[full_name.lower()] = repo
            if files is not None or from_path is not None:
                _seed(git, f"refs/heads/{default_branch}", account, files=files, path=from_path, at=int(now))
            installations.tell_new_repository(state, repo, state.by(by or account.login))
            return repo

    def install(self, app: NewApp | App, account: str, *, repos: Iterable[str] | None = None) -> Installation:
        """Install an App on an account, on all its repositories or on those named."""
        state, one = self.state, app.app if isinstance(app, NewApp) else app
        with state.lock:
            owner = state.add_account(account, "Organization")
            selected = None if repos is None else [self.repo(name) for name in repos]
            return installations.install(state, one, owner, state.by(owner.login), selected=selected)

    def add_collaborator(self, repo: str, login: str, role: Role) -> None:
        """Give a person a role; `none` takes it away."""
        if role not in ROLES:
            raise ValueError(f"no such role: {role}")
        with self.state.lock:
            account = self.state.add_account(login)
            if role == "none":
                self.repo(repo).collaborators.pop(account.id, None)
            else:
                self.repo(repo).collaborators[account.id] = role

    def protect(self, repo: str, branch: str, *, pushers: Sequence[str] = ()) -> None:
        """Protect a branch."""
        with self.state.lock:
            self.repo(repo).protected[branch] = Protection(tuple(pushers))

    # ---- finding

    def repo(self, full_name: str) -> Repo:
        """A repository. Raises KeyError."""
        found = self.state.repo(full_name)
        if found is None:
            raise KeyError(full_name)
        return found

    def account(self, login: str) -> Account:
        """An account. Raises KeyError."""
        found = self.state.account(login)
        if found is None:
            raise KeyError(login)
        return found

    def issue(self, repo: str, number: int) -> Issue:
        """An issue or pull request. Raises KeyError."""
        return self.repo(repo).issues[number]

    def pull(self, repo: str, number: int) -> Pull:
        """A pull request. Raises KeyError."""
        pull = self.issue(repo, number).pull
        if pull is None:
            raise KeyError(number)
        return pull

    # ---- acting as people

    def open_issue(self, repo: str, author: str, title: str, body: str | None = None) -> Issue:
        """Open an issue."""
        with self.state.lock:
            return issues.open_issue(self.state, self.repo(repo), self.state.by(author), title=title, body=body)

    def label(self, repo: str, number: int, label: str, *, by: str) -> None:
        """Put a label on an issue or pull request."""
        with self.state.lock:
            labels.add(self.state, self.issue(repo, number), self.state.by(by), [label])

    def unlabel(self, repo: str, number: int, label: str, *, by: str) -> None:
        """Take a label off."""
        with self.state.lock:
            labels.remove(self.state, self.issue(repo, number), self.state.by(by), label)

    def comment(self, repo: str, number: int, body: str, *, by: str) -> Comment:
        """Comment on an issue or pull request."""
        with self.state.lock:
            return issues.comment(self.state, self.issue(repo, number), self.state.by(by), body)

    def edit_comment(self, comment_id: int, body: str, *, by: str) -> None:
        """Edit a comment."""
        with self.state.lock:
            issues.edit_comment(self.state, self.state.comments[comment_id], self.state.by(by), body)

    def delete_comment(self, comment_id: int, *, by: str) -> None:
        """Delete a comment."""
        with self.state.lock:
            issues.delete_comment(self.state, self.state.comments[comment_id], self.state.by(by))

    def edit_issue(self, repo: str, number: int, *, by: str, title: str | None = None, body: str | None = None) -> None:
        """Edit title or body."""
        with self.state.lock:
            issues.edit_issue(self.state, self.issue(repo, number), self.state.by(by), title=title, body=body)

    def close_issue(self, repo: str, number: int, *, by: str, reason: str | None = None) -> None:
        """Close an issue or a pull request."""
        with self.state.lock:
            issues.close_issue(self.state, self.issue(repo, number), self.state.by(by), reason=reason)

    def reopen_issue(self, repo: str, number: int, *, by: str) -> None:
        """Open it again."""
        with self.state.lock:
            issues.reopen_issue(self.state, self.issue(repo, number), self.state.by(by))

    def delete_issue(self, repo: str, number: int, *, by: str) -> None:
        """Delete it."""
        with self.state.lock:
            issues.delete_issue(self.state, self.issue(repo, number), self.state.by(by))

    def review(
        self, repo: str, number: int, event: str, *, by: str, body: str = "", comments: Sequence[reviews.Draft] = ()
    ) -> Review:
        """Review a pull request: APPROVE, REQUEST_CHANGES or COMMENT."""
        with self.state.lock:
            return reviews.submit(
                self.state, self.pull(repo, number), self.state.by(by), event=event, body=body, drafts=comments
            )

    def merge(self, repo: str, number: int, *, by: str, method: pulls.Method = "merge") -> str:
        """Merge a pull request; gives the merge commit's SHA."""
        with self.state.lock:
            return pulls.merge(self.state, self.pull(repo, number), self.state.by(by), method=method)


def _seed(
    git: GitRepository, ref: str, owner: Account, *, files: Mapping[str, bytes | str] | None, path: Path | None, at: int
) -> None:
    if path is not None and (path / ".git").exists():
        copy_history(git, ref, path)
        return
    rows = from_files(files or {}) if path is None else from_directory(path)
    commit_files(git, ref, rows, who=(owner.login, owner.email, at), message="Initial commit\n")
