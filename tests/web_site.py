"""The web application on a real socket, and signed deliveries to send to it."""

import contextlib
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn

from bot.core.redact import Secret
from bot.store.inbox import Inbox
from bot.web.app import INBOX, WebOptions, build_app
from bot.web.webhook import InFlight
from tests import payloads

Clock = Callable[[], float]
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
def serving(home: Path, *secrets: str, in_flight: InFlight | None = None, clock: Clock = time.time) -> Iterator[Site]:
    inbox = Inbox.open(home / INBOX)
    options = WebOptions(home, [Secret(one) for one in secrets])
    app = build_app(options, Inbox.open(home / INBOX), in_flight=in_flight or InFlight(), clock=clock)
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
