"""POST /webhooks/github, over real HTTP on loopback."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from bot.core.redact import Secret
from bot.store.poke import Listener
from bot.web.app import INBOX, POKE
from bot.web.webhook import BODY_LIMIT, InFlight, Refusal, Webhook
from tests.web_site import LABELED, SECRET, Site, headers, serving, signed

pytestmark = pytest.mark.fast


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(tmp_path_factory.mktemp("web"), SECRET, "the next secret") as site:
        yield site


@pytest.fixture
def site(running: Site) -> Iterator[Site]:
    """The running site with an empty inbox."""
    yield running
    with contextlib.closing(sqlite3.connect(running.home / INBOX)) as cleaner, cleaner:
        cleaner.execute("delete from inbox")


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.005)


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


async def test_a_body_without_a_proper_signature_is_never_held_in_memory(tmp_path: Path):
    with serving(tmp_path, SECRET, in_flight=InFlight(limit=0)) as site:
        assert (await site.post(LABELED, headers(LABELED, X_Hub_Signature_256="sha1=0"))).status_code == 401


async def from_a_bad_line(site: Site, *messages: dict[str, object]) -> Response:
    """The endpoint's answer to a request whose body comes as these messages and then stalls."""
    waiting = list(messages)

    async def receive() -> dict[str, object]:
        if not waiting:
            await asyncio.sleep(60)
        return waiting.pop(0)

    named = [(name.lower().encode(), value.encode()) for name, value in headers(LABELED).items()]
    endpoint = Webhook(site.inbox, [Secret(SECRET)], lambda: None, body_seconds=0.05)
    return await endpoint.receive(Request({"type": "http", "method": "POST", "headers": named}, receive))


async def test_a_body_that_stalls_is_given_up(site: Site):
    answer = await from_a_bad_line(site, {"type": "http.request", "body": LABELED[:9], "more_body": True})
    assert (answer.status_code, bytes(answer.body)) == (400, b"The payload did not arrive in time.\n")


async def test_a_connection_that_breaks_off_leaves_no_row(site: Site):
    part = {"type": "http.request", "body": LABELED, "more_body": True}
    answer = await from_a_bad_line(site, part, {"type": "http.disconnect"})
    assert answer.status_code == 400
    assert site.inbox.backlog() == 0


async def test_without_a_secret_the_answer_is_503_and_says_what_to_set(tmp_path: Path):
    with serving(tmp_path) as site:
        answer = await site.post(LABELED, headers(LABELED))

    assert answer.status_code == 503
    assert answer.text == "No webhook secret is set: set JOURNEYMAN_WEBHOOK_SECRET and restart.\n"


async def test_a_get_is_not_a_delivery(site: Site):
    async with httpx.AsyncClient(base_url=site.url) as client:
        assert (await client.get("/webhooks/github")).status_code == 405


async def test_bytes_in_flight_over_all_requests_are_bounded(tmp_path: Path):
    # Given room for 100 KB in all, and one sender that holds 90 of them by never finishing.
    in_flight = InFlight(100_000)
    with serving(tmp_path, SECRET, in_flight=in_flight) as site:
        host, port = site.url.removeprefix("http://").split(":")
        _, slow = await asyncio.open_connection(host, int(port))
        head = f"POST /webhooks/github HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: sha256={'0' * 64}\r\n"
        slow.write(f"{head}Content-Length: 99999\r\n\r\n".encode() + b" " * 90_000)
        await until(lambda: in_flight.held == 90_000)
        large = b'{"action": "' + b" " * 20_000 + b'"}'

        # When another comes that does not fit beside it, then it is turned away, and one that fits is taken.
        assert (await site.post(large, headers(large))).status_code == 503
        assert (await site.post(LABELED, headers(LABELED))).status_code == 202

        # And once the first has gone, there is room again.
        slow.close()
        await until(lambda: in_flight.held == 0)
        assert (await site.post(large, headers(large))).status_code == 200


def test_what_a_request_held_is_counted_back():
    in_flight = InFlight(10)
    in_flight.take(10)
    with pytest.raises(Refusal, match="Too many deliveries"):
        in_flight.take(1)
    assert in_flight.held == 10


async def test_a_delivery_that_can_not_be_stored_is_answered_503(site: Site):
    breaker = sqlite3.connect(site.home / INBOX)
    breaker.execute("alter table inbox rename to away")
    breaker.commit()

    answer = await site.post(LABELED, headers(LABELED))

    assert answer.status_code == 503
    assert answer.text.startswith("The delivery can't be stored: ")
    breaker.execute("alter table away rename to inbox")
    breaker.commit()
    breaker.close()
    assert (await site.post(LABELED, headers(LABELED))).status_code == 202


async def test_the_sender_of_a_refused_body_still_hears_why(site: Site):
    # Given a body far larger than any socket buffer; when it is refused at its headers, then no reset hides the answer.
    raw = b" " * 12 * 1024 * 1024
    for _ in range(3):
        answer = await site.post(raw, headers(raw, X_Hub_Signature_256=None))
        assert answer.status_code == 401
