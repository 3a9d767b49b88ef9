"""The web process as it really runs: small, quick to start, and never a liar about what it stored."""

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bot.store.inbox import Inbox
from bot.web.app import INBOX
from tests.web_site import LABELED, SECRET, headers

ROOT = Path(__file__).parents[2]
RUN = """
import sys
from pathlib import Path
from bot.core.redact import Secret
from bot.web.app import WebOptions, serve_web
serve_web(WebOptions(Path(sys.argv[1]), [Secret(sys.argv[2])], port=0), announce=lambda url: print(url, flush=True))
"""
HEAVY = {
    "anthropic", "openai", "githubkit", "dbos", "sqlalchemy", "pydantic", "httpx", "httpx2", "jinja2", "ruamel", "markdown_it",
    "cryptography", "alembic",
}  # fmt: skip


@contextmanager
def web(home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A web process of its own, with its address; killed at the end if it still runs."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", RUN, str(home), SECRET]
    with subprocess.Popen(command, env=env, cwd=home, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def test_it_loads_nothing_that_taking_deliveries_does_not_need(tmp_path: Path):
    code = "import sys, json, bot.web.app; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    out = subprocess.run([sys.executable, "-c", code], env=env, cwd=tmp_path, capture_output=True, check=True).stdout
    assert HEAVY & set(json.loads(out)) == set()


def resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def test_it_stays_small_while_it_works(tmp_path: Path):
    with web(tmp_path) as (process, url), httpx.Client(base_url=url) as client:
        for n in range(300):
            sent = headers(LABELED, guid=f"guid-{n}")
            assert client.post("/webhooks/github", content=LABELED, headers=sent).status_code == 202
        assert resident_mib(process.pid) < 60


def test_a_flood_of_oversized_bodies_leaves_its_memory_flat(tmp_path: Path):
    def body() -> Iterator[bytes]:
        for _ in range(27):
            yield b" " * 2**20

    with web(tmp_path) as (process, url), httpx.Client(base_url=url, timeout=30) as client:
        for _ in range(6):
            assert client.post("/webhooks/github", content=body(), headers=headers(b"")).status_code == 413
        assert resident_mib(process.pid) < 60 + 2 * 25


def test_sigterm_ends_it_in_peace(tmp_path: Path):
    with web(tmp_path) as (process, url):
        assert httpx.get(f"{url}/healthz").status_code == 200
        process.terminate()
        assert process.wait(15) in (0, -signal.SIGTERM)


async def deliver_until_it_dies(url: str, sender: str, acknowledged: set[str]) -> None:
    """Sends one delivery after another, noting those that were acknowledged."""
    async with httpx.AsyncClient(base_url=url, timeout=10) as client:
        for n in itertools.count():
            guid = f"{sender}-{n}"
            try:
                answer = await client.post("/webhooks/github", content=LABELED, headers=headers(LABELED, guid=guid))
            except httpx.HTTPError:
                return
            assert answer.status_code == 202
            acknowledged.add(guid)


async def test_killed_under_load_it_has_every_delivery_that_it_acknowledged(tmp_path: Path):
    acknowledged: set[str] = set()
    for round_ in range(1, 4):
        with web(tmp_path) as (process, url):
            names = [f"round{round_}-sender{n}" for n in range(16)]
            senders = [asyncio.create_task(deliver_until_it_dies(url, name, acknowledged)) for name in names]
            async with asyncio.timeout(60):
                while len(acknowledged) < round_ * 80:
                    await asyncio.sleep(0.001)
            process.send_signal(signal.SIGKILL)
            await asyncio.gather(*senders)

    inbox = Inbox.open(tmp_path / INBOX)
    stored = {row.guid for row in inbox.take(1_000_000)}
    inbox.close()
    assert acknowledged - stored == set()
