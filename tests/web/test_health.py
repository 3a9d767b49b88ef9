"""What a load balancer, an operator and a curious person see."""

from pathlib import Path

import httpx
import pytest
from inline_snapshot import snapshot

from bot.store.heartbeat import Beat, read_beat, write_beat
from bot.web.app import HEARTBEAT
from tests.web_site import SECRET, serving

pytestmark = pytest.mark.fast

NOW = 1_700_000_000.0


async def get(url: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(url)


async def test_the_process_is_alive(tmp_path: Path):
    with serving(tmp_path, SECRET) as site:
        answer = await get(f"{site.url}/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


async def test_before_anything_is_set_up_each_missing_thing_is_named(tmp_path: Path):
    with serving(tmp_path) as site:
        answer = await get(f"{site.url}/readyz")
    assert answer.status_code == 503
    assert answer.text == snapshot("""\
no webhook secret: set JOURNEYMAN_WEBHOOK_SECRET and restart
no engine has started yet: run `journeyman serve`, or `journeyman engine` next to this process
""")


async def readiness(home: Path, beat: Beat) -> httpx.Response:
    write_beat(home / HEARTBEAT, beat)
    with serving(home, SECRET, clock=lambda: NOW) as site:
        return await get(f"{site.url}/readyz")


async def test_with_a_beating_engine_it_is_ready(tmp_path: Path):
    answer = await readiness(tmp_path, Beat("engine-1", NOW - 14))
    assert (answer.status_code, answer.text) == (200, "ready\n")


async def test_an_engine_that_stopped_beating_is_missing(tmp_path: Path):
    answer = await readiness(tmp_path, Beat("engine-1", NOW - 95, backlog=3))
    assert answer.status_code == 503
    assert answer.text == snapshot("the engine engine-1 was last seen 95 s ago, with 3 deliveries waiting\n")


async def test_the_front_page_says_what_this_is(tmp_path: Path):
    with serving(tmp_path, SECRET) as site:
        answer = await get(site.url)
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text == snapshot("""\
Journeyman is running and waits for GitHub's deliveries at /webhooks/github.
Label an issue `agent` in a repository where the App is installed; the answer appears on the issue.
/healthz says whether this process is alive, /readyz whether work is being done.
""")


def test_a_beat_is_read_back(tmp_path: Path):
    beat = Beat("engine-1", NOW, NOW - 1, 7)
    write_beat(tmp_path / "engine.json", beat)
    assert read_beat(tmp_path / "engine.json") == beat
    assert [one.name for one in tmp_path.iterdir()] == ["engine.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"engine": 1}', b"\xff"])
def test_a_broken_beat_is_no_beat(tmp_path: Path, content: bytes):
    (tmp_path / "engine.json").write_bytes(content)
    assert read_beat(tmp_path / "engine.json") is None
