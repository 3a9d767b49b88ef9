"""`journeyman bench`: what this version can measure cheaply on the machine it stands on, one JSON object a line.

Figures are context, never a test: nothing fails for being slow. No peer is installed beside us yet, so `of` names git alone.
"""

import asyncio
import hashlib
import hmac
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from bot.core.redact import Secret
from bot.engine.supervisor import command
from bot.git.adapter import EngineGit
from bot.github.app import GitHubApp
from bot.playground.git_mount import git_over
from bot.playground.world import Playground
from bot.ports import Checkout, PortError, SandboxRun
from bot.sandbox.probes import AnySandbox, choose
from bot.store.blobs import SqlBlobs
from bot.store.database import open_database
from bot.store.journal import BlobJournal
from bot.store.migrate import migrate
from bot.wiring import WORKER_UID, SystemClock

SECRET = "bench"  # noqa: S105 - of a server that lives for a second on loopback
T = TypeVar("T")
REPO = "acme/bench"
FILES, TURNS, STARTS, AT_ONCE = 2_000, 60, 100, 16
SENDERS, DELIVERIES, SIZE = 32, 4_000, 12_000


@dataclass(frozen=True, slots=True)
class Figure:
    """One line. `name` is the goal's id or `id/detail`; `value` is the median of so many `samples`.

    `of` says what it is a ratio of; empty for an absolute figure, which is context only.
    """

    name: str
    value: float
    unit: str
    of: str = ""
    samples: int = 1


def figure(name: str, unit: str, samples: Sequence[float], *, of: str = "") -> Figure:
    """The median of the samples."""
    return Figure(name, round(statistics.median(samples), 3), unit, of, len(samples))


def run_bench(*, only: str, say: Callable[[str], None]) -> int:
    """Measure and say; `only` is a goal's id. 0 when everything could be measured, 1 when not, 2 for an unknown goal."""
    wanted = [goal for goal in MEASURED if only in ("", goal)]
    if not wanted:
        say(f"{only} is not measured by this version; what is: {', '.join(MEASURED)}")
        return 2
    well = True
    for goal in wanted:
        directory = Path(tempfile.mkdtemp(prefix="journeyman-bench-"))
        directory.chmod(0o711)
        try:
            for found in MEASURED[goal](directory):
                say(json.dumps(asdict(found)))
        except (PortError, OSError, subprocess.SubprocessError) as problem:
            well = False
            say(json.dumps({"name": goal, "problem": str(problem)}))
        finally:
            shutil.rmtree(directory, ignore_errors=True)
    return 0 if well else 1


# ---- the web process ---------------------------------------------------------------------------------------------------


@contextmanager
def web(home: Path) -> Generator[tuple[subprocess.Popen[str], str, float]]:
    """A web process on a free loopback port: the process, its address, and the seconds from its start to its first answer."""
    home.mkdir(exist_ok=True)
    env = {
        "PATH": os.environ.get("PATH", os.defpath),
        "JOURNEYMAN_HOME": str(home),
        "JOURNEYMAN_WEBHOOK_SECRET": SECRET,
        "PORT": "0",
    }
    begin = time.perf_counter()
    with subprocess.Popen(command(["web"]), env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            said = process.stdout.readline() if process.stdout else ""
            if "http" not in said:
                raise OSError("the web process did not start")
            url = said[said.index("http") :].strip().removesuffix("/webhooks/github")
            urllib.request.urlopen(f"{url}/healthz").read()  # noqa: S310 - our own loopback address
            yield process, url, time.perf_counter() - begin
        finally:
            process.terminate()


def resident_mib(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def web_process(directory: Path) -> Iterator[Figure]:
    """G6: from start to first answer, and memory at rest."""
    starts, sizes = [], []
    for n in range(5):
        with web(directory / f"web{n}") as (process, _, seconds):
            starts.append(seconds)
            sizes.append(resident_mib(process.pid))
    yield figure("G6/start", "s", starts)
    yield figure("G6/rss", "MiB", sizes)


def intake(directory: Path) -> Iterator[Figure]:
    """G1: deliveries a second, each committed to disk before its answer, and the process's own CPU for one."""
    rates, costs = [], []
    for n in range(5):
        with web(directory / f"web{n}") as (process, url, _):
            before, begin = cpu_seconds(process.pid), time.perf_counter()
            asyncio.run(_flood(url))
            rates.append(DELIVERIES / (time.perf_counter() - begin))
            costs.append((cpu_seconds(process.pid) - before) / DELIVERIES * 1e6)
    yield figure("G1/deliveries", "1/s", rates)
    yield figure("G1/cpu", "us", costs)


async def _flood(url: str) -> None:
    """Sends every delivery over connections that stay open. Raises OSError where one isn't stored."""
    where = urlsplit(url)
    body = json.dumps({"action": "labeled", "filler": "x" * SIZE}).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    head = (
        f"POST /webhooks/github HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Type: application/json\r\n"
        f"X-GitHub-Event: issues\r\nX-Hub-Signature-256: sha256={signature}\r\nContent-Length: {len(body)}\r\n"
    )

    async def sender(mine: range) -> None:
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        try:
            for n in mine:
                writer.write(f"{head}X-GitHub-Delivery: bench-{n}\r\n\r\n".encode() + body)
                answer = await reader.readuntil(b"\r\n\r\n")
                length = int(answer.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
                await reader.readexactly(length)
                if not answer.startswith(b"HTTP/1.1 202"):
                    raise OSError(f"a delivery was answered {answer.splitlines()[0].decode()}")
        finally:
            writer.close()

    await asyncio.gather(*(sender(range(n, DELIVERIES, SENDERS)) for n in range(SENDERS)))


# ---- turns and checkouts -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bench:
    """A repository in a mirror, and the sandbox that this machine allows."""

    git: EngineGit
    sandbox: AnySandbox
    sha: str


async def with_bench(directory: Path, work: Callable[[Bench], Awaitable[T]]) -> T:
    """Fetch a repository of 2,000 files from a playground as the engine does, then `work`."""
    home = directory / "home"
    home.mkdir(mode=0o711)
    files = {f"src/part{n % 40}/file{n}.py": f"VALUE = {n}\n" * 20 for n in range(FILES)}
    sandbox = (await choose("auto", home, WORKER_UID)).sandbox
    with Playground.start(directory / "hub", git_app=git_over) as hub:
        repo = hub.create_repo(REPO, files=files)
        app = hub.create_app()
        installation = hub.install(app, REPO.partition("/")[0])
        git = EngineGit(
            home=home,
            git_base=hub.git,
            owner=sandbox.owner(),
            supports_overlay=sandbox.supports_overlay,
            identity=("bench", "bench@example.invalid"),
        )
        github = GitHubApp(
            app_id=str(app.id), private_key=Secret(app.private_key), api_base=hub.api, clock=SystemClock()
        )
        try:
            token = await github.token(installation.id, repo.id, write=False)
            sha = (await git.fetch(REPO, ["refs/heads/main"], token))["refs/heads/main"]
            return await work(Bench(git, sandbox, sha))
        finally:
            await github.aclose()
            git.shutdown()
            sandbox.close()


async def _started(bench: Bench, key: str) -> Checkout:
    """A worker's start: its checkout, and a first command that sees a clean work tree. Raises OSError where it doesn't."""
    checkout = await bench.git.checkout(REPO, bench.sha, key)
    ended = await bench.sandbox.run(SandboxRun(checkout, ("git", "status", "--porcelain"), timeout=60))
    if ended.exit_code != 0 or ended.output.strip():
        raise OSError(f"checkout {key} is not usable: {ended.output[:200]!r}")
    return checkout


def turns(directory: Path) -> Iterator[Figure]:
    """G9: what we add to a turn. `G9` itself is one sandboxed command and the journal's two commits (the answer and the result)."""

    async def commands(bench: Bench) -> list[float]:
        checkout = await _started(bench, "bench/turns")
        return [await _milliseconds(bench.sandbox.run(SandboxRun(checkout, ("/bin/true",)))) for _ in range(TURNS)]

    sandboxed = asyncio.run(with_bench(directory, commands))
    journalled = _appends(directory)
    yield figure("G9/command", "ms", sandboxed)
    yield figure("G9/journal", "ms", journalled)
    whole = statistics.median(sandboxed) + 2 * statistics.median(journalled)
    yield Figure("G9", round(whole, 3), "ms", samples=TURNS)


async def _milliseconds(doing: Awaitable[object]) -> float:
    begin = time.perf_counter()
    await doing
    return (time.perf_counter() - begin) * 1e3


def _appends(directory: Path) -> list[float]:
    """Milliseconds of each of a journal's commits: 4 kB, encrypted, synchronous=FULL."""
    database = open_database(f"sqlite:///{directory / 'journal.db'}")
    migrate(database)
    journal, took = BlobJournal(SqlBlobs(database, Secret("7" * 64)), "bench", "turn/1/t1~1"), []
    for n in range(TURNS):
        begin = time.perf_counter()
        journal.append({"kind": "answer", "turn": n, "text": "x" * 4_000})
        took.append((time.perf_counter() - begin) * 1e3)
    database.dispose()
    return took


def starts(directory: Path) -> Iterator[Figure]:
    """G8 and G7: 100 worker starts, 16 at a time: how many failed, and one's share of the time, beside one full `git worktree add`."""

    async def work(bench: Bench) -> tuple[str, float, int]:
        await _started(bench, "bench/first")  # makes the base checkout, which all others share
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(n: int) -> None:
            async with slots:
                await _started(bench, f"bench/{n}")

        begin = time.perf_counter()
        ended = await asyncio.gather(*(one(n) for n in range(STARTS)), return_exceptions=True)
        took = (time.perf_counter() - begin) * 1e3 / STARTS
        return bench.sha, took, sum(isinstance(it, BaseException) for it in ended)

    sha, took, failed = asyncio.run(with_bench(directory, work))
    yield Figure("G8", float(failed), f"failures of {STARTS}", samples=STARTS)
    yield Figure("G8/start", round(took, 3), f"ms each, {AT_ONCE} at a time, {FILES} files", samples=STARTS)
    whole = statistics.median(_worktree(directory, sha, n) for n in range(5))
    yield Figure("G7/start", round(took / whole, 3), "ratio", "one full git worktree add of the same files", STARTS)


def _worktree(directory: Path, sha: str, nth: int) -> float:
    """Milliseconds of one full `git worktree add` from the mirror, removed again by whoever removes the directory."""
    (mirror,) = (directory / "home" / "mirrors").glob("*/*.git")
    argv = ["git", "-C", str(mirror), "worktree", "add", "--quiet", "--detach", str(directory / f"full{nth}"), sha]
    begin = time.perf_counter()
    subprocess.run(argv, check=True, capture_output=True)
    return (time.perf_counter() - begin) * 1e3


def demo(directory: Path) -> Iterator[Figure]:
    """G17: `journeyman demo` from start to end, after installation."""
    env = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    begin = time.perf_counter()
    done = subprocess.run(command(["demo"]), env=env, cwd=directory, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise OSError(f"the demo failed: {(done.stdout + done.stderr)[-300:]}")
    yield figure("G17/demo", "s", [time.perf_counter() - begin])


MEASURED: dict[str, Callable[[Path], Iterator[Figure]]] = {
    "G1": intake,
    "G6": web_process,
    "G8": starts,
    "G9": turns,
    "G17": demo,
}
"""Goal -> what measures it; each gets a directory of its own."""
