"""What the inside asks of the outside, as Protocols, and the five errors that may cross them.

Adapters live in bot/github, bot/git, bot/sandbox, bot/models, bot/store, bot/engine and bot/publish; wiring hands them in.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from bot.core.budget import Charge, Spend
from bot.core.conversation import Json, ModelAnswer, ModelRequest
from bot.core.diff import FileDiff, Harvest, TreeEntry
from bot.core.errors import BudgetExhausted as BudgetExhausted
from bot.core.errors import Cancelled as Cancelled
from bot.core.errors import Permanent as Permanent
from bot.core.errors import PortError as PortError
from bot.core.errors import Transient as Transient
from bot.core.errors import UserFacing as UserFacing
from bot.core.forge import Comment, IssueText, PullRequest, RepositoryInfo
from bot.core.policy import Policy
from bot.core.run import Run

T = TypeVar("T")


# ---- clock, blobs, ledger ------------------------------------------------------------------------------------------


class Clock(Protocol):
    """Time as a port, so that tests own it."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def stamp(self) -> str:
        """RFC 3339 in UTC with seconds: `2026-11-24T09:14:02Z`."""
        ...


class Blobs(Protocol):
    """Encrypted bytes of a run: AES-256-GCM, a data key per run, AAD binds run, kind and sequence."""

    def put(self, run_id: str, kind: str, seq: int, data: bytes) -> None:
        """Store or replace."""
        ...

    def get(self, run_id: str, kind: str, seq: int) -> bytes | None:
        """The bytes, or None where nothing was stored."""
        ...

    def last(self, run_id: str, kind: str) -> int:
        """The highest sequence stored, -1 for none."""
        ...


class Ledger(Protocol):
    """Every model call is a row; the cap is checked before a call is sent."""

    def reserve(self, run_id: str, key: str, micros: int) -> None:
        """Reserve a call's worst case. Raises BudgetExhausted when spent + reserved would pass the run's cap."""
        ...

    def settle(self, charge: Charge) -> None:
        """Replace the reservation by what the call cost; the same key twice counts once."""
        ...

    def release(self, run_id: str, key: str) -> None:
        """Drop a reservation whose call never reached the vendor."""
        ...


# ---- models --------------------------------------------------------------------------------------------------------


class Model(Protocol):
    """A vendor. Raises Transient (5xx, 529, connection, rate limit with retry_at) after its own short backoff, UserFacing for a missing,
    wrong or exhausted key, Permanent for a request that the vendor will never take."""

    async def complete(self, request: ModelRequest) -> ModelAnswer:
        """Stream one call to its end; cancelling the task closes the connection."""
        ...

    def worst_case(self, request: ModelRequest) -> int:
        """Upper bound of the call's cost in micros, by local arithmetic only."""
        ...


# ---- git -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checkout:
    """A disposable place to work: `base` is the immutable tree of the SHA, `upper`/`scratch` the overlay's, `root` where it appears
    inside the sandbox (or, where overlays can't be mounted, the real copy at `copy`). `gitdir` is the worker's own."""

    key: str
    repo: str
    sha: str
    base: Path
    upper: Path
    scratch: Path
    home: Path
    objects: Path
    """The mirror's object directory, bound read-only so that the worker's own git finds history."""
    copy: Path | None = None


class Git(Protocol):
    """Git as the engine runs it: empty environment, no hooks, own stores. `repo` is `owner/name`; blocking work runs on its own threads."""

    async def fetch(self, repo: str, refs: Sequence[str], token: str) -> dict[str, str]:
        """Bring refs (`refs/heads/main`) into the mirror; returns ref -> SHA. Raises UserFacing for an empty repo or a missing ref."""
        ...

    async def tree(self, repo: str, sha: str) -> list[TreeEntry]:
        """Every entry at a commit or tree, sorted by path."""
        ...

    async def blob(self, repo: str, sha: str, path: str, limit: int = 1_000_000) -> bytes | None:
        """A file's bytes at a commit, up to `limit`; None where there is no such regular file. Symlinks are not followed."""
        ...

    async def checkout(self, repo: str, sha: str, key: str) -> Checkout:
        """Open (or reopen, after a crash) the checkout named `key` at `sha`."""
        ...

    async def close(self, checkout: Checkout) -> None:
        """Remove everything of a checkout but the shared base."""
        ...

    async def harvest(self, checkout: Checkout, pack: bytes, tree: str, policy: Policy) -> Harvest:
        """Import a worker's pack strictly and judge the difference of `tree` against the checkout's base SHA by `policy`."""
        ...

    async def commit(
        self, repo: str, *, tree: str, parents: Sequence[str], message: str, at: str, co_author: str = ""
    ) -> str:
        """The engine's own commit (stored dates: the same input gives the same SHA)."""
        ...

    async def diff(self, repo: str, old: str, new: str) -> tuple[FileDiff, ...]:
        """Raw difference with counts, renames not followed into content."""
        ...

    async def patch(self, repo: str, old: str, new: str, limit: int = 400_000) -> str:
        """The unified diff as text, clipped at `limit` bytes with a line that says so."""
        ...

    async def overlay_tree(self, repo: str, *, head: str, base: str, paths: Sequence[str]) -> str:
        """A tree that is `head` with `paths` as they stand at `base`: the base's tests on the new code."""
        ...

    async def push(self, repo: str, *, sha: str, branch: str, expected: str, token: str) -> None:
        """Push exactly `sha` to `refs/heads/<branch>` (`agent/` only) if it still is at `expected` (empty: must not exist).

        Raises Permanent for any other branch, UserFacing when somebody else moved it or the remote refuses.
        """
        ...

    async def remote_head(self, repo: str, branch: str, token: str) -> str:
        """SHA at the remote's branch, empty where there is none."""
        ...

    async def drop(self, repo: str) -> None:
        """Delete the mirror and everything made from it."""
        ...


# ---- sandbox -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SandboxRun:
    """One command in a checkout. `argv` runs without a shell; `cwd` is relative to the checkout. Output is clipped head and tail."""

    checkout: Checkout
    argv: tuple[str, ...]
    cwd: str = "."
    stdin: bytes = b""
    env: tuple[tuple[str, str], ...] = ()
    timeout: float = 120.0
    memory_mb: int = 2048
    processes: int = 256
    output_limit: int = 2 * 1024 * 1024
    separate_stderr: bool = False
    """True: `output` is stdout alone, byte for byte (used for packs), and stderr goes to `stderr`."""


@dataclass(frozen=True, slots=True)
class SandboxResult:
    """How it ended. `exit_code` is None when we killed it; `killed` then says why: `timeout`, `memory`, `output`, `cancelled`."""

    exit_code: int | None
    output: bytes
    seconds: float
    killed: str = ""
    stderr: bytes = b""
    output_sha256: str = ""
    clipped: int = 0
    """Bytes left out of the middle of `output`."""


class Sandbox(Protocol):
    """Where a worker's commands run."""

    level: str
    """`L2 bubblewrap`, `L0 none`: printed, stored with the run, shown in the PR."""

    async def run(self, command: SandboxRun) -> SandboxResult:
        """Run to the end or the limit; cancelling the task kills the whole group within 5 s. Never raises for a failing command."""
        ...


# ---- GitHub --------------------------------------------------------------------------------------------------------


class GitHub(Protocol):
    """The calls we make, for one installation and one repository a call. GET may be retried inside; writes never are.

    Raises Transient (5xx, secondary limits, lost answers), Permanent (404, 410, 422), UserFacing (suspended, permissions missing).
    """

    async def token(self, installation_id: int, repo_id: int, *, write: bool) -> str:
        """A token for git over HTTP: contents read, or contents write, for that one repository."""
        ...

    async def repository(self, installation_id: int, repo: str) -> RepositoryInfo: ...

    async def permission(self, installation_id: int, repo: str, login: str) -> str:
        """Effective role by the collaborator-permission endpoint: none, read, triage, write, maintain, admin."""
        ...

    async def issue(self, installation_id: int, repo: str, number: int) -> IssueText: ...

    async def comments(self, installation_id: int, repo: str, number: int) -> list[Comment]:
        """All of them, oldest first."""
        ...

    async def create_comment(self, installation_id: int, repo: str, number: int, body: str) -> Comment: ...

    async def update_comment(self, installation_id: int, repo: str, comment_id: int, body: str) -> bool:
        """False where the comment is gone."""
        ...

    async def delete_comment(self, installation_id: int, repo: str, comment_id: int) -> None: ...

    async def react(self, installation_id: int, repo: str, *, comment_id: int | None, issue: int, content: str) -> None:
        """To a comment, or to the issue itself where `comment_id` is None; GitHub answers 200 for one that is there already."""
        ...

    async def ensure_label(self, installation_id: int, repo: str, name: str, color: str, description: str) -> None: ...

    async def set_labels(
        self, installation_id: int, repo: str, number: int, *, add: Sequence[str], remove: Sequence[str]
    ) -> None: ...

    async def find_pull(self, installation_id: int, repo: str, head_branch: str) -> PullRequest | None:
        """The newest open pull request from that branch of the same repository, else the newest closed one."""
        ...

    async def create_pull(
        self, installation_id: int, repo: str, *, head: str, base: str, title: str, body: str, draft: bool
    ) -> PullRequest: ...

    async def update_pull(
        self, installation_id: int, repo: str, number: int, *, title: str | None = None, body: str | None = None
    ) -> None: ...

    async def mark_ready(self, installation_id: int, repo: str, pull: PullRequest) -> None:
        """Draft to ready, over GraphQL."""
        ...

    async def mark_draft(self, installation_id: int, repo: str, pull: PullRequest) -> None: ...

    async def request_reviewers(self, installation_id: int, repo: str, number: int, logins: Sequence[str]) -> None: ...

    async def put_check(
        self,
        installation_id: int,
        repo: str,
        *,
        name: str,
        sha: str,
        external_id: str,
        status: str,
        conclusion: str | None,
        title: str,
        summary: str,
        check_id: int | None = None,
    ) -> int:
        """Create the check run, or update `check_id`; returns its id."""
        ...

    async def find_check(self, installation_id: int, repo: str, *, sha: str, external_id: str) -> int | None: ...

    async def revoke(self, installation_id: int, repo_id: int) -> None:
        """End the tokens of a repository when the last run that used them has ended."""
        ...

    async def drop_installation(self, installation_id: int) -> None:
        """Forget cached tokens."""
        ...


# ---- engine --------------------------------------------------------------------------------------------------------


class Steps(Protocol):
    """What a phase may ask of the durable engine while it runs."""

    async def once(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        """Run `work` as a durable step: after a crash a finished step gives its recorded JSON-able result and does not run again."""
        ...

    async def still_mine(self) -> bool:
        """Whether this execution still owns the workflow and the run still wants this phase; ask right before what can't be undone."""
        ...


class Effects(Protocol):
    """GitHub writes that can't be recomputed, done once per key under a lock: intent row, look, act, result row."""

    async def once(
        self,
        key: str,
        find: Callable[[], Awaitable[str | None]],
        act: Callable[[], Awaitable[str]],
        still_mine: Callable[[], Awaitable[bool]],
    ) -> str:
        """The remote id, found or made. Raises Cancelled when ownership is lost."""
        ...


class Journal(Protocol):
    """A task's turns, encrypted, in order: what was sent is stored before, what came back after."""

    def entries(self) -> list[Json]:
        """All entries so far, oldest first."""
        ...

    def append(self, entry: Json) -> None:
        """Durable when it returns."""
        ...


class Gate(Protocol):
    """The one check of everything that is published. Raises UserFacing, naming the text and the rule, where it holds a secret; blocking."""

    def check(self, text: str, *, what: str, run_id: str = "") -> str:
        """The text itself; `what` names it in the sentence."""
        ...

    def check_branch(self, name: str, *, run_id: str = "") -> str:
        """A branch name of ours."""
        ...

    def check_patch(self, patch: str, *, run_id: str = "") -> None:
        """A unified diff: what it adds and the paths it touches."""
        ...

    def check_blob(self, path: str, data: bytes, *, run_id: str = "") -> None:
        """A file as it would be pushed."""
        ...


class RunRows(Protocol):
    """What a phase reads and notes of its run while it goes on; only `core.advance` moves it."""

    def load(self, run_id: str) -> Run:
        """The run as it stands."""
        ...

    def note(self, run_id: str, epoch: int, change: Callable[[Run], Run]) -> bool:
        """Change what is shown of a run (a revision, a log line) without moving it; False when the epoch is over."""
        ...

    def progress(self, run_id: str, line: int, task: str, turn: int, doing: str) -> None:
        """What a worker is doing now."""
        ...

    def attempt(self, run_id: str, line: int, task: str) -> int:
        """Count one more start of this task; a task that takes its machine down each time must not be passed round for ever."""
        ...

    def baseline(self, key: str) -> str | None:
        """A stored evidence row of a base SHA, as JSON."""
        ...

    def keep_baseline(self, key: str, doc: str) -> None: ...

    def spend(self, run_id: str) -> Spend:
        """What the run has cost so far."""
        ...

    def branches(self, repo_id: int, issue: int) -> tuple[str, ...]:
        """Branch names that runs of this issue have taken so far."""
        ...

    def open_paths(self, repo_id: int, run_id: str) -> tuple[tuple[str, str], ...]:
        """(path, branch) of every file in other open pull requests of ours in this repository."""
        ...

    def keep_config(self, repo_id: int, installation_id: int, repo: str, text: str) -> None:
        """Remember the repository's agent.yml for routing."""
        ...
