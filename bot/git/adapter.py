"""`EngineGit`: the adapter of `ports.Git`."""

import asyncio
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from bot.core.diff import FileDiff, Harvest, TreeEntry
from bot.core.policy import Policy
from bot.git import checkout as checkouts
from bot.git import mirror as mirrors
from bot.git import objects, push
from bot.git.failures import told
from bot.git.harvest import harvest
from bot.git.locks import flocked
from bot.git.names import Layout, agent_branch, folded, oid, ref
from bot.git.remove import remove_tree
from bot.git.run import GitFailed, Runner
from bot.ports import Checkout, UserFacing

T = TypeVar("T")


class EngineGit:
    """Git for one engine. `home` must be reachable (x) for `owner`, the worker's uid and gid; None: workers run as we do.

    `identity` is the name and address of our commits. Blocking work runs on `threads` threads of our own, since the durable engine
    replaces the event loop's default executor by a small pool.
    """

    def __init__(
        self,
        *,
        home: Path,
        git_base: str,
        owner: tuple[int, int] | None,
        supports_overlay: bool,
        identity: tuple[str, str],
        threads: int = 8,
    ) -> None:
        program = shutil.which("git")
        if program is None:
            raise UserFacing("git was not found on PATH: install git 2.39 or newer.")
        self._at = Layout(home.absolute())
        self._ground = checkouts.Ground(self._at, owner, supports_overlay, identity)
        self._identity = identity
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="git")
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._runner = Runner(
            program=program,
            path=os.environ.get("PATH", os.defpath),
            empty=self._at.empty,
            base_url=git_base.rstrip("/"),
            http=_plain_http(git_base),
        )
        checkouts.prepare(self._ground)

    def shutdown(self) -> None:
        """End the threads; call it after the last await."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def fetch(self, repo: str, refs: Sequence[str], token: str) -> dict[str, str]:
        """See ports.Git."""
        for name in refs:
            ref(name)
        return await self._locked(
            repo,
            lambda git, lock: mirrors.fetch(git, self._at, repo, refs=refs, token=token, lock=lock),
            f"fetching {repo}",
        )

    async def tree(self, repo: str, sha: str) -> list[TreeEntry]:
        """See ports.Git."""
        return await self._read(repo, lambda git, store: objects.tree(git, store, sha))

    async def blob(self, repo: str, sha: str, path: str, limit: int = 1_000_000) -> bytes | None:
        """See ports.Git."""
        return await self._read(repo, lambda git, store: objects.blob(git, store, sha, path=path, limit=limit))

    async def diff(self, repo: str, old: str, new: str) -> tuple[FileDiff, ...]:
        """See ports.Git. Exact renames only."""

        def work(git: Runner, store: Path) -> tuple[FileDiff, ...]:
            raw = objects.raw_diff(git, store, old, new, most=65536, renames=True)
            return objects.files(git, store, old=old, new=new, raw=raw)

        return await self._read(repo, work)

    async def patch(self, repo: str, old: str, new: str, limit: int = 400_000) -> str:
        """See ports.Git."""
        return await self._read(repo, lambda git, store: objects.patch(git, store, old, new, limit=limit))

    async def overlay_tree(self, repo: str, *, head: str, base: str, paths: Sequence[str]) -> str:
        """See ports.Git. `paths` are literal files or directories."""
        return await self._read(
            repo, lambda git, store: objects.overlay_tree(git, store, head=head, base=base, paths=paths)
        )

    async def commit(
        self, repo: str, *, tree: str, parents: Sequence[str], message: str, at: str, co_author: str = ""
    ) -> str:
        """See ports.Git."""
        full = objects.with_co_author(message, co_author)
        return await self._read(
            repo,
            lambda git, store: objects.commit(
                git, store, tree=tree, parents=parents, message=full, at=at, identity=self._identity
            ),
        )

    async def checkout(self, repo: str, sha: str, key: str) -> Checkout:
        """See ports.Git. The same key at another SHA starts over."""
        place = self._at.bases(repo) / oid(sha)
        if not checkouts.is_complete(place):
            await self._locked(
                repo,
                lambda git, _: checkouts.ensure_base(git, self._ground, repo, sha=sha),
                f"checking out {repo}",
            )
        return await self._keyed(
            repo,
            key,
            lambda git: checkouts.open_checkout(git, self._ground, repo, sha=sha, key=key),
            "opening a checkout",
        )

    async def close(self, checkout: Checkout) -> None:
        """See ports.Git."""
        await self._keyed(
            checkout.repo,
            checkout.key,
            lambda git: checkouts.close_checkout(git, self._ground, checkout),
            "removing a checkout",
        )

    async def sweep(self, keep: Callable[[str], bool]) -> None:
        """Remove the checkouts whose keys are not kept; `keep` is asked under the checkout's lock, on a thread."""

        def work(git: Runner) -> None:
            for place in checkouts.left(self._ground):
                with flocked(self._at.place_lock(place), git.stop):
                    checkouts.sweep_one(git, place, keep)

        await self._offload(work, "removing checkouts")

    async def harvest(self, checkout: Checkout, pack: bytes, tree: str, policy: Policy) -> Harvest:
        """See ports.Git. Objects are kept unless there are problems; a hold keeps them, for the person who releases it."""
        return await self._offload(
            lambda git: harvest(
                git, self._at, checkout.repo, base=oid(checkout.sha), pack=pack, tree=tree, policy=policy
            ),
            "importing a worker's change",
        )

    async def push(self, repo: str, *, sha: str, branch: str, expected: str, token: str) -> None:
        """See ports.Git."""
        agent_branch(branch)
        await self._locked(
            repo,
            lambda git, lock: push.push(
                git,
                self._at,
                repo,
                sha=sha,
                branch=branch,
                expected=expected,
                token=token,
                identity=self._identity,
                lock=lock,
            ),
            f"pushing to {repo}",
        )

    async def remote_head(self, repo: str, branch: str, token: str) -> str:
        """See ports.Git."""
        ref(f"refs/heads/{branch}")
        return await self._read(repo, lambda git, store: push.remote_head(git, store, repo, branch=branch, token=token))

    async def drop(self, repo: str) -> None:
        """See ports.Git."""

        def work(git: Runner, _: int) -> None:
            for place in (self._at.checkouts(repo), self._at.bases(repo), self._at.mirror(repo)):
                remove_tree(place, tool_path=git.path)

        await self._locked(repo, work, f"removing {repo}")

    def _lock(self, name: str) -> asyncio.Lock:
        return self._locks.setdefault(name, asyncio.Lock())

    async def _locked(self, repo: str, work: Callable[[Runner, int], T], doing: str) -> T:
        """One writer per mirror: waiters of this process queue up without a thread each, other processes by a lock file."""

        def under_lock(git: Runner) -> T:
            with flocked(self._at.lock(repo), git.stop) as lock:
                return work(git, lock)

        async with self._lock(folded(repo)):
            return await self._offload(under_lock, doing)

    async def _keyed(self, repo: str, key: str, work: Callable[[Runner], T], doing: str) -> T:
        """One opener or closer per checkout, in all processes."""

        def under_lock(git: Runner) -> T:
            with flocked(self._at.checkout_lock(repo, key), git.stop):
                return work(git)

        async with self._lock(f"{folded(repo)} {key}"):
            return await self._offload(under_lock, doing)

    async def _read(self, repo: str, work: Callable[[Runner, Path], T]) -> T:
        store = self._at.mirror(repo)
        return await self._offload(lambda git: work(git, store), f"reading {repo}")

    async def _offload(self, work: Callable[[Runner], T], doing: str) -> T:
        """Run on our threads. A cancelled caller waits until the child is dead, so that locks are never left behind."""
        stop = threading.Event()
        git = replace(self._runner, stop=stop)

        def told_work() -> T:
            try:
                return work(git)
            except GitFailed as failure:
                raise told(failure, doing) from failure

        future = asyncio.get_running_loop().run_in_executor(self._pool, told_work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            stop.set()
            with suppress(BaseException):
                await future
            raise


def _plain_http(git_base: str) -> bool:
    """Whether the base is plain http, which is for a loopback host only. Raises UserFacing for any other transport."""
    parts = urlsplit(git_base)
    host = parts.hostname or ""
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UserFacing("The git base URL may hold no credentials, query or fragment.")
    if parts.scheme == "https" and host:
        return False
    if parts.scheme == "http" and (host in ("localhost", "::1") or host.startswith("127.")):
        return True
    raise UserFacing("The git base URL must be https (plain http is for a loopback host only).")
