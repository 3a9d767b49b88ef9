"""POST /webhooks/github, over real HTTP on loopback."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn

from bot.core.redact import Secret
from bot.store.inbox import Inbox
from bot.store.poke import Listener
from bot.web.app import INBOX, POKE, WebOptions, build_app
from bot.web.webhook import BODY_LIMIT
from tests import payloads

SECRET = "a webhook secret"
LABELED = json.dumps(payloads.issues("labeled")).encode()


def signed(raw: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def headers(raw: bytes, *, event: str = "issues", guid: str = "9b0f1c2e-0001", **changed: str | None) -> dict[str, str]:
    every = {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": guid,
        "X-Hub-Signature-256": signed(raw),
        "Content-Type": "application/json",
    }
    named = {name.replace("_", "-"): value for name, value in changed.items()}
    return {name: value for name, value in (every | named).items() if value is not None}


@dataclass
class Site:
    url: str
    home: Path
    inbox: Inbox

    async def post(self, raw: bytes, sent: dict[str, str]) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.url, timeout=30) as client:
            return await client.post("/webhooks/github", content=raw, headers=sent)


@contextlib.contextmanager
def serving(home: Path, *secrets: str) -> Iterator[Site]:
    inbox = Inbox.open(home / INBOX)
    app = build_app(WebOptions(home, [Secret(one) for one in secrets]), Inbox.open(home / INBOX))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", http="httptools", loop="uvloop"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            threading.Event().wait(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Site(f"http://127.0.0.1:{port}", home, inbox)
    finally:
        server.should_exit = True
        thread.join()
        inbox.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with serving(tmp_path, SECRET, "the next secret") as running:
        yield running


async def test_a_signed_delivery_is_stored_and_answered_202(site: Site):
    answer = await site.post(LABELED, headers(LABELED))

    assert answer.status_code == 202
    [row] = site.inbox.take()
    assert (row.guid, row.event, row.action, row.body) == ("9b0f1c2e-0001", "issues", "labeled", LABELED)


async def test_the_new_secret_of_a_rotation_is_taken_too(site: Site):
    answer = await site.post(LABELED, headers(LABELED, X_Hub_Signature_256=signed(LABELED, "the next secret")))
    assert answer.status_code == 202


async def test_the_engine_is_poked_after_the_commit(site: Site):
    seen: asyncio.Queue[int] = asyncio.Queue()
    listener = Listener(site.home / POKE, lambda: seen.put_nowait(site.inbox.backlog()))

    await site.post(LABELED, headers(LABELED))

    assert await asyncio.wait_for(seen.get(), 5) == 1
    listener.close()


async def test_the_same_delivery_again_is_answered_200_and_stored_once(site: Site):
    await site.post(LABELED, headers(LABELED))
    answer = await site.post(LABELED, headers(LABELED))

    assert (answer.status_code, answer.text) == (200, "stored before\n")
    assert site.inbox.backlog() == 1


async def test_the_same_delivery_50_times_at_once_is_one_row(site: Site):
    async with httpx.AsyncClient(base_url=site.url, timeout=30) as client:
        answers = await asyncio.gather(
            *(client.post("/webhooks/github", content=LABELED, headers=headers(LABELED)) for _ in range(50))
        )

    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [202]
    assert site.inbox.backlog() == 1


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("star", {"action": "created"}),
        ("issues", {"action": "pinned"}),
        ("ping", {"zen": "."}),
        ("issues", {"action": 7}),
    ],
)
async def test_what_nobody_acts_on_is_kept_and_answered_200(site: Site, event: str, payload: dict[str, object]):
    raw = json.dumps(payload).encode()

    answer = await site.post(raw, headers(raw, event=event))

    assert (answer.status_code, answer.text) == (200, "stored; nothing here acts on this event\n")
    assert site.inbox.find("9b0f1c2e-0001") is not None
    assert site.inbox.backlog() == 0


@pytest.mark.parametrize(
    "signature",
    [
        None,
        signed(LABELED, "a wrong secret"),
        "sha1=" + hmac.new(SECRET.encode(), LABELED, hashlib.sha1).hexdigest(),
        "sha256=nothex",
    ],
)
async def test_a_wrong_signature_is_answered_401_and_leaves_no_row(site: Site, signature: str | None):
    old = hmac.new(SECRET.encode(), LABELED, hashlib.sha1).hexdigest()
    sent = headers(LABELED, X_Hub_Signature_256=signature, X_Hub_Signature=f"sha1={old}")

    answer = await site.post(LABELED, sent)

    assert answer.status_code == 401
    assert site.inbox.find("9b0f1c2e-0001") is None


async def raw_http(site: Site, request: bytes) -> bytes:
    host, port = site.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    answer = await asyncio.wait_for(reader.readline(), 20)
    writer.close()
    return answer


async def test_a_signature_outside_ascii_is_answered_401(site: Site):
    head = "\r\n".join(
        [
            "POST /webhooks/github HTTP/1.1", "Host: x", "X-GitHub-Event: issues", "X-GitHub-Delivery: 1",
            "X-Hub-Signature-256: sha256=" + "é" * 64, "Content-Length: 2", "", "{}",
        ]
    )  # fmt: skip
    assert b" 401 " in await raw_http(site, head.encode("latin-1"))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"payload=%7B%7D",
        b"{",
        b"[]",
        b"null",
        b'"issues"',
        b'{"action": "labeled"} {}',
        b"\xff\xfe",
        b'{"action": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"action":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"action":' + b"9" * 100_000 + b"x}",
    ],
    ids=lambda raw: raw[:14].decode("latin-1"),
)
async def test_what_is_no_json_object_is_answered_400(site: Site, raw: bytes):
    answer = await site.post(raw, headers(raw))

    assert answer.status_code == 400
    assert site.inbox.find("9b0f1c2e-0001") is None


@pytest.mark.parametrize(
    "changed",
    [
        {"X_GitHub_Event": None},
        {"X_GitHub_Event": "../issues"},
        {"X_GitHub_Delivery": None},
        {"X_GitHub_Delivery": "a b"},
        {"X_GitHub_Delivery": "x" * 101},
        {"X_GitHub_Delivery": "cli-stop"},
        {"X_GitHub_Delivery": "timer-resume"},
    ],
)
async def test_missing_or_odd_headers_are_answered_400(site: Site, changed: dict[str, str | None]):
    answer = await site.post(LABELED, headers(LABELED, **changed))
    assert answer.status_code == 400
    assert site.inbox.backlog() == 0


async def test_a_body_announced_too_long_is_answered_413_unread(site: Site):
    head = (
        "POST /webhooks/github HTTP/1.1\r\nHost: x\r\nX-GitHub-Event: issues\r\nX-GitHub-Delivery: 1\r\n"
        f"X-Hub-Signature-256: sha256={'0' * 64}\r\nContent-Length: {BODY_LIMIT + 1}\r\n\r\n"
    )
    assert b" 413 " in await raw_http(site, head.encode())


async def test_a_body_of_unknown_length_is_cut_off_with_413(site: Site):
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(27):
            yield b" " * 1024 * 1024

    async with httpx.AsyncClient(base_url=site.url, timeout=30) as client:
        answer = await client.post("/webhooks/github", content=endless(), headers=headers(b""))

    assert answer.status_code == 413
    assert site.inbox.find("9b0f1c2e-0001") is None


async def test_without_a_secret_the_answer_is_503_and_says_what_to_set(tmp_path: Path):
    with serving(tmp_path) as site:
        answer = await site.post(LABELED, headers(LABELED))

    assert answer.status_code == 503
    assert answer.text == "No webhook secret is set: set JOURNEYMAN_WEBHOOK_SECRET and restart.\n"


async def test_a_get_is_not_a_delivery(site: Site):
    async with httpx.AsyncClient(base_url=site.url) as client:
        assert (await client.get("/webhooks/github")).status_code == 405
