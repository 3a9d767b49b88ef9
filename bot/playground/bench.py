"""`journeyman bench`: what this version can measure of the goals on one machine, one JSON object a line, medians of at least five."""

import asyncio
import hashlib
import hmac
import json
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from bot.git.adapter import EngineGit
from bot.playground.objects import GitRepository
from bot.playground.seed import commit_files, from_files
from bot.playground.stage import SECRET, Server, free_port
from bot.ports import Checkout, SandboxRun
from bot.sandbox.probes import AnySandbox, choose
from bot.store.inbox import Inbox, InboxRow

ROUNDS = 5
DELIVERIES = 2_000
BODY = json.dumps({"action": "labeled", "padding": "x" * 12_000}).encode()
FILES = 2_000
STARTS, AT_ONCE = 100, 16


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value; `of` says what it is a ratio of, empty for an absolute figure, which is context only."""

    name: str
    value: float
    unit: str
    of: str = ""
    samples: int = ROUNDS


def run_bench(say: Callable[[str], None]) -> int:
    """Measure everything; figures go out as they come."""
    folder = Path(tempfile.mkdtemp(prefix="journeyman-bench-"))
    try:
        for part in (_intake, _web, _turn, _checkouts):
            for figure in part(folder / part.__name__.strip("_")):
                say(json.dumps(asdict(figure)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _median(samples: list[float]) -> float:
    return round(statistics.median(samples), 3)


def _intake(folder: Path) -> Iterator[Figure]:
    """Durable rows: committed and fsynced before the answer, 64 writers at once."""
    folder.mkdir(parents=True)

    async def store(path: Path) -> float:
        inbox = Inbox.open(path)
        begin = time.perf_counter()
        slots = asyncio.Semaphore(64)

        async def one(number: int) -> None:
            async with slots:
                await inbox.put(InboxRow(f"{number}", "issues", BODY, 0.0, "labeled"))

        await asyncio.gather(*(one(it) for it in range(DELIVERIES)))
        took = time.perf_counter() - begin
        inbox.close()
        return took

    rates, cpu = [], []
    for nth in range(ROUNDS):
        used = time.process_time()
        took = asyncio.run(store(folder / f"inbox-{nth}.db"))
        rates.append(DELIVERIES / took)
        cpu.append((time.process_time() - used) / DELIVERIES * 1e6)
    yield Figure("G1/rows", _median(rates), "rows/s, fsynced")
    yield Figure("G1/cpu", _median(cpu), "us CPU a row")


def _web(folder: Path) -> Iterator[Figure]:
    """The web process: start to first answer, and idle memory before its first page."""
    starts, sizes = [], []
    for nth in range(ROUNDS):
        home, port = folder / f"home-{nth}", free_port()
        home.mkdir(parents=True)
        env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "JOURNEYMAN_HOME": str(home),
            "JOURNEYMAN_WEBHOOK_SECRET": SECRET,
        }
        server = Server(("web",), {**env, "PORT": str(port), "PYTHONSAFEPATH": "1"}, folder / "web.log", folder)
        begin = time.perf_counter()
        server.start()
        _first_answer(f"http://127.0.0.1:{port}/healthz")
        starts.append((time.perf_counter() - begin) * 1000)
        _deliver(f"http://127.0.0.1:{port}/webhooks/github")
        sizes.append(_resident_mib(server))
        server.stop()
    yield Figure("G6/start", _median(starts), "ms from exec to first answer")
    yield Figure("G6/memory", _median(sizes), "MiB resident after a delivery")


def _first_answer(url: str) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            httpx.get(url, timeout=1.0)
        except httpx.HTTPError:
            time.sleep(0.005)
        else:
            return
    raise TimeoutError(url)


def _deliver(url: str) -> None:
    headers = {
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": "bench",
        "X-Hub-Signature-256": f"sha256={hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()}",
        "Content-Type": "application/json",
    }
    httpx.post(url, content=BODY, headers=headers, timeout=5.0).raise_for_status()


def _resident_mib(server: Server) -> float:
    pid = server.process.pid if server.process else 0
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


async def _engine(folder: Path) -> tuple[AnySandbox, EngineGit, str]:
    """A sandbox, a git adapter, and a repository of many files in its mirror."""
    home, hub = folder / "home", folder / "hub"
    home.mkdir(parents=True)
    git = GitRepository(hub / "acme" / "big.git")
    git.init("main")
    files = from_files({f"pkg{n % 50}/file{n}.py": f"x = {n}\n" for n in range(FILES)})
    commit_files(git, "refs/heads/main", files, who=("bench", "bench@example.org", 1_700_000_000), message="Files\n")
    sha = git.tip("refs/heads/main") or ""
    sandbox = (await choose("auto", home, uid=61_743)).sandbox
    engine = EngineGit(
        home=home,
        git_base="http://127.0.0.1",
        owner=sandbox.owner(),
        supports_overlay=sandbox.supports_overlay,
        identity=("bench", "bench@example.org"),
    )
    mirror = home / "mirrors" / "acme" / "big.git"
    mirror.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(git.path, mirror, dirs_exist_ok=True)
    return sandbox, engine, sha


def _turn(folder: Path) -> Iterator[Figure]:
    """Our overhead a turn: one sandboxed command."""

    async def measure() -> list[float]:
        sandbox, engine, sha = await _engine(folder)
        checkout = await engine.checkout("acme/big", sha, "turn")
        samples = []
        for _ in range(30):
            begin = time.perf_counter()
            await sandbox.run(SandboxRun(checkout, ("true",)))
            samples.append((time.perf_counter() - begin) * 1000)
        await engine.close(checkout)
        engine.shutdown()
        return samples

    samples = asyncio.run(measure())
    yield Figure("G9/sandboxed command", _median(samples), "ms", samples=len(samples))


def _checkouts(folder: Path) -> Iterator[Figure]:
    """Checkouts opened and closed, sixteen at a time, and how many failed."""

    async def measure() -> tuple[float, int]:
        _, engine, sha = await _engine(folder)
        slots, failed = asyncio.Semaphore(AT_ONCE), 0

        async def one(number: int) -> Checkout:
            async with slots:
                checkout = await engine.checkout("acme/big", sha, f"k/{number}")
                await engine.close(checkout)
                return checkout

        first = await engine.checkout("acme/big", sha, "first")
        begin = time.perf_counter()
        results = await asyncio.gather(*(one(it) for it in range(STARTS)), return_exceptions=True)
        took = time.perf_counter() - begin
        failed = sum(isinstance(it, BaseException) for it in results)
        await engine.close(first)
        engine.shutdown()
        return took / STARTS * 1000, failed

    took, failed = asyncio.run(measure())
    yield Figure(
        "G8/checkout", round(took, 2), f"ms each, open and close, {FILES} files, {AT_ONCE} at a time", samples=STARTS
    )
    yield Figure("G8/failures", float(failed), f"of {STARTS}", samples=STARTS)
    whole = _full_worktree(folder)
    yield Figure(
        "G7/checkout", round(took / whole, 3), "ratio", of="one full git worktree add of the same files", samples=STARTS
    )


def _full_worktree(folder: Path) -> float:
    """Milliseconds of one full `git worktree add` of the same files."""
    bare = str(folder / "hub" / "acme" / "big.git")
    begin = time.perf_counter()
    argv = ["git", "-C", bare, "worktree", "add", "--quiet", "--detach", str(folder / "full"), "HEAD"]
    subprocess.run(argv, check=True, capture_output=True)
    return (time.perf_counter() - begin) * 1000
