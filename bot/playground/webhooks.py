"""Deliveries: queued by acts, sent by one worker in order, recorded, and by hand held, repeated, shuffled or dropped."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import random
import secrets
import threading
import uuid
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import httpx

from bot.playground.clock import PlaygroundClock
from bot.playground.data import App, Hook

TIMEOUT = 10.0


class NotLoopback(ValueError):
    """A delivery would leave this machine."""


def require_loopback(url: str) -> None:
    """Raises NotLoopback unless the URL's host is a loopback address or `localhost`."""
    host = urlsplit(url).hostname or ""
    try:
        inside = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        inside = False
    if not inside:
        raise NotLoopback(f"The playground delivers to loopback only, not to {host or url!r}.")


@dataclass(slots=True)
class Delivery:
    """One attempt. `status_code` is 0 and `delivered_at` None until it was made; it stays 0 where nobody answered."""

    id: int
    guid: str
    event: str
    action: str | None
    hook: Hook
    app_id: int
    installation_id: int | None
    repository_id: int | None
    payload: dict[str, Any]
    body: bytes
    headers: dict[str, str]
    queued_at: float
    redelivery: bool = False
    delivered_at: float | None = None
    duration: float = 0.0
    status: str = "pending"
    status_code: int = 0
    response_headers: dict[str, str] = field(default_factory=dict)
    response_body: str = ""


def _headers(app: App, hook: Hook, event: str, guid: str, body: bytes) -> dict[str, str]:
    key = hook.secret.encode()
    return {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "User-Agent": f"GitHub-Hookshot/{secrets.token_hex(4)[:7]}",
        "X-GitHub-Delivery": guid,
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": str(hook.id),
        "X-GitHub-Hook-Installation-Target-ID": str(app.id),
        "X-GitHub-Hook-Installation-Target-Type": "integration",
        "X-Hub-Signature": f"sha1={hmac.new(key, body, hashlib.sha1).hexdigest()}",
        "X-Hub-Signature-256": f"sha256={hmac.new(key, body, hashlib.sha256).hexdigest()}",
    }


class Webhooks:
    """The queue and its worker. No retry: GitHub has none either."""

    def __init__(self, clock: PlaygroundClock) -> None:
        self.deliveries: list[Delivery] = []
        self.queue: deque[Delivery] = deque()
        self._clock = clock
        self._changed = threading.Condition()
        self._worker: threading.Thread | None = None
        self._held = False
        self._closed = False
        self._sending = 0
        self._repeat = 0
        self._drop = 0
        self._ids = 0

    # ---- queueing

    def enqueue(
        self, app: App, event: str, payload: dict[str, Any], *, installation_id: int | None, repository_id: int | None
    ) -> None:
        """Queue one delivery to the App's hook; `drop` and `repeat` take effect here."""
        if app.hook is None:
            return
        guid = str(uuid.uuid4())
        body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
        with self._changed:
            if self._drop:
                self._drop -= 1
                return
            delivery = Delivery(
                self._next_id(), guid, event, payload.get("action"), app.hook, app.id, installation_id, repository_id,
                json.loads(body), body, _headers(app, app.hook, event, guid, body), self._clock.now(),
            )  # fmt: skip
            self._put(delivery)
            if self._repeat:
                self._repeat -= 1
                self._put(replace(delivery, id=self._next_id()))

    def redeliver(self, delivery_id: int) -> None:
        """Queue a recorded delivery again: same GUID, same bytes. Raises KeyError."""
        with self._changed:
            found = next((one for one in self.deliveries if one.id == delivery_id), None)
            if found is None:
                raise KeyError(delivery_id)
            self._put(
                replace(
                    found, id=self._next_id(), redelivery=True, delivered_at=None, duration=0.0, status="pending",
                    status_code=0, response_headers={}, response_body="", queued_at=self._clock.now(),
                )
            )  # fmt: skip

    def _next_id(self) -> int:
        self._ids += 1
        return 7_000_000 + self._ids

    def _put(self, delivery: Delivery) -> None:
        self.queue.append(delivery)
        if self._worker is None and not self._held:
            self._start()
        self._changed.notify_all()

    # ---- by hand

    def hold(self) -> None:
        """Send nothing by itself from now on."""
        with self._changed:
            self._held = True

    def release(self) -> None:
        """Send by itself again, what waits first."""
        with self._changed:
            self._held = False
            if self._worker is None and self.queue:
                self._start()
            self._changed.notify_all()

    def pump(self, count: int | None = None) -> int:
        """Send what is queued (the first `count`) in this thread; gives how many were sent."""
        sent = 0
        while count is None or sent < count:
            with self._changed:
                if not self.queue:
                    break
                delivery = self.queue.popleft()
            self._send(delivery)
            sent += 1
        return sent

    def shuffle(self, seed: int) -> None:
        """Put what is queued into another order."""
        with self._changed:
            rows = list(self.queue)
            random.Random(seed).shuffle(rows)
            self.queue = deque(rows)

    def repeat(self, count: int = 1) -> None:
        """Send each of the next `count` twice, under one GUID."""
        with self._changed:
            self._repeat += count

    def drop(self, count: int = 1) -> None:
        """Lose the next `count` without a trace."""
        with self._changed:
            self._drop += count

    def drain(self, timeout: float = 30.0) -> bool:
        """Wait until nothing is queued or on its way; False when time ran out."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.queue and not self._sending, timeout)

    def close(self) -> None:
        """Stop the worker; what is queued stays unsent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            worker = self._worker
        if worker is not None:
            worker.join(TIMEOUT + 1)

    # ---- sending

    def _start(self) -> None:
        self._worker = threading.Thread(target=self._work, name="playground-webhooks", daemon=True)
        self._worker.start()

    def _work(self) -> None:
        with httpx.Client(timeout=TIMEOUT, trust_env=False) as client:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._closed or (self.queue and not self._held))
                    if self._closed:
                        return
                    delivery = self.queue.popleft()
                    self._sending += 1
                try:
                    self._send(delivery, client)
                finally:
                    with self._changed:
                        self._sending -= 1
                        self._changed.notify_all()

    def _send(self, delivery: Delivery, client: httpx.Client | None = None) -> None:
        require_loopback(delivery.hook.url)
        started = self._clock.now()
        post = client.post if client else httpx.post
        options: dict[str, Any] = {} if client else {"timeout": TIMEOUT, "trust_env": False}
        try:
            answer = post(delivery.hook.url, content=delivery.body, headers=delivery.headers, **options)
            delivery.status_code = answer.status_code
            delivery.status = "OK" if answer.is_success else f"Invalid HTTP Response: {answer.status_code}"
            delivery.response_headers = dict(answer.headers)
            delivery.response_body = answer.text[:10_000]
        except httpx.TimeoutException:
            delivery.status = "timed out"
        except httpx.HTTPError:
            delivery.status = "failed to connect to host"
        delivery.delivered_at = self._clock.now()
        delivery.duration = round(delivery.delivered_at - started, 2)
        with self._changed:
            self.deliveries.append(delivery)
