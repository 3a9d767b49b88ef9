"""POST /webhooks/github: check the signature, store the bytes, poke the engine, answer. Nothing is decided here."""

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.core import signature
from bot.core.deliveries import routed
from bot.core.redact import Secret
from bot.ports import Transient
from bot.store.inbox import Inbox, InboxRow

BODY_LIMIT = 25 * 1024 * 1024
"""GitHub's own cap of a payload, in bytes."""
IN_FLIGHT_LIMIT = 64 * 1024 * 1024
"""Bytes of bodies that all requests together may hold in memory."""
BODY_SECONDS = 10.0
"""GitHub gives up after that long, so whoever is slower is not GitHub."""

DISCARD_LIMIT = BODY_LIMIT
"""Bytes of a refused body that are let pass before the answer."""
DISCARD_SECONDS = 2.0

_DELIVERY = re.compile(r"(?!cli-|timer-)[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)
_EVENT = re.compile(r"[a-z][a-z_]{0,63}", re.ASCII)
_log = logging.getLogger(__name__)


class _Head(msgspec.Struct):
    action: object = None


class Refusal(Exception):
    """The delivery is not taken: an HTTP status and one sentence. `more` says that the rest of the body may still be under way."""

    def __init__(self, status: int, sentence: str, *, more: bool = False) -> None:
        super().__init__(sentence)
        self.status = status
        self.more = more


@dataclass(slots=True)
class InFlight:
    """Counts the bytes of bodies that are in memory now."""

    limit: int = IN_FLIGHT_LIMIT
    held: int = 0

    def take(self, size: int, *, more: bool = False) -> None:
        """Count `size` more bytes, with or without `more` to come. Raises Refusal when that is more than all requests may hold."""
        if self.held + size > self.limit:
            raise Refusal(503, "Too many deliveries are being read at once; try again.", more=more)
        self.held += size


@dataclass(frozen=True, slots=True)
class Webhook:
    """The endpoint with what it needs; `poke` tells the engine, without waiting, that something came."""

    inbox: Inbox
    secrets: Sequence[Secret]
    poke: Callable[[], None]
    clock: Callable[[], float] = time.time
    in_flight: InFlight = field(default_factory=InFlight)
    body_seconds: float = BODY_SECONDS

    async def receive(self, request: Request) -> Response:
        """Answer 202 or 200 once the delivery is on disk, or the reason why it is not."""
        try:
            return await self._take(request)
        except Refusal as refusal:
            if refusal.status >= 500:
                _log.warning("delivery refused: %s", refusal)
            if refusal.more:
                await _discard(request)
            # What is left of the body, if anything, is never read, so the connection can't be used again.
            return PlainTextResponse(f"{refusal}\n", refusal.status, headers={"Connection": "close"})

    async def _take(self, request: Request) -> Response:
        given = request.headers.get("x-hub-signature-256")
        if not any(self.secrets):
            raise Refusal(503, "No webhook secret is set: set JOURNEYMAN_WEBHOOK_SECRET and restart.", more=True)
        if not signature.well_formed(given):
            raise Refusal(401, "The X-Hub-Signature-256 header is missing or is no SHA-256 signature.", more=True)
        held = _Held(self.in_flight)
        try:
            raw = await held.body(request, seconds=self.body_seconds)
            if not signature.verify(raw, given, secrets=self.secrets):
                raise Refusal(401, "The signature does not match.")
            row = _row(request, raw, received_at=self.clock())
            return await self._store(row)
        finally:
            self.in_flight.held -= held.size

    async def _store(self, row: InboxRow) -> Response:
        try:
            stored = await self.inbox.put(row)
        except Transient as problem:
            raise Refusal(503, f"The delivery can't be stored: {problem}") from problem
        if stored == "duplicate":
            return PlainTextResponse("stored before\n", 200)
        if not row.routed:
            return PlainTextResponse("stored; nothing here acts on this event\n", 200)
        self.poke()
        return PlainTextResponse("stored\n", 202)


class _Held:
    """One request's share of the bytes in flight."""

    def __init__(self, in_flight: InFlight) -> None:
        self._in_flight = in_flight
        self.size = 0

    async def body(self, request: Request, *, seconds: float) -> bytes:
        """The whole body. Raises Refusal as soon as it is too long, too slow or one too many."""
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > BODY_LIMIT:
            raise Refusal(413, "The payload is larger than 25 MB.")
        chunks: list[bytes] = []
        try:
            async with asyncio.timeout(seconds):
                more = True
                while more:
                    message = await request.receive()
                    if message["type"] == "http.disconnect":
                        raise Refusal(400, "The connection was closed before the payload was whole.")
                    chunk, more = message.get("body", b""), message.get("more_body", False)
                    self._count(len(chunk), more=more)
                    chunks.append(chunk)
        except TimeoutError:
            raise Refusal(400, "The payload did not arrive in time.") from None
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _count(self, size: int, *, more: bool) -> None:
        if self.size + size > BODY_LIMIT:
            raise Refusal(413, "The payload is larger than 25 MB.", more=more)
        self._in_flight.take(size, more=more)
        self.size += size


async def _discard(request: Request) -> None:
    """Let the rest of a body pass by, unkept: a connection closed with unread bytes is reset, and the sender never sees the answer."""
    passed = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS):
            while passed < DISCARD_LIMIT:
                message = await request.receive()
                passed += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


def _row(request: Request, raw: bytes, *, received_at: float) -> InboxRow:
    delivery, event = request.headers.get("x-github-delivery", ""), request.headers.get("x-github-event", "")
    if not _EVENT.fullmatch(event):
        raise Refusal(400, "The X-GitHub-Event header is missing or no event name.")
    if not _DELIVERY.fullmatch(delivery):
        raise Refusal(400, "The X-GitHub-Delivery header is missing or no delivery id.")
    try:
        action = msgspec.json.decode(raw, type=_Head).action
    except (ValueError, RecursionError):
        # ValueError covers what is no JSON, no UTF-8, no object, and numbers that Python refuses to read.
        raise Refusal(400, "The payload is not a JSON object; set the webhook's content type to JSON.") from None
    action = action if isinstance(action, str) else ""
    return InboxRow(delivery, event, raw, received_at, action[:64], routed(event, action))
