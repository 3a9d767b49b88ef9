"""Faults on demand: lost answers, dropped requests, 5xx, slowness, stale lists, secondary limits; around every server here."""

from __future__ import annotations

import asyncio
import fnmatch
import json
import random
import threading
from dataclasses import dataclass
from typing import Any, Literal, get_args

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.playground.limits import secondary

Kind = Literal["drop", "lose_answer", "error_before", "error_after", "slow", "stale", "secondary_limit"]
TRANSPORT = "playground.transport"
LAG = "playground.lag"


@dataclass(slots=True)
class Fault:
    """What goes wrong where. `path` is a shell pattern over the request's path below the server's root (`/api/repos/*/issues/*/comments`);
    `count` None means for ever; `seconds` is the slowness, the lag or the retry-after."""

    id: int
    kind: Kind
    method: str = "*"
    path: str = "*"
    count: int | None = 1
    probability: float = 1.0
    seconds: float = 0.0
    status: int = 502
    skip: int = 0
    hits: int = 0

    def meets(self, method: str, path: str) -> bool:
        """Whether the request is one that it is meant for."""
        return self.method in ("*", method) and fnmatch.fnmatchcase(path, self.path) and self.count != 0


class Faults:
    """The faults that are set, and the choice which of them strike a request."""

    def __init__(self) -> None:
        self._rows: list[Fault] = []
        self._lock = threading.Lock()
        self._random = random.Random(0)
        self._ids = 0

    def add(self, kind: Kind, **options: Any) -> Fault:
        """Set one; options are Fault's fields. Raises TypeError or ValueError for a wrong one."""
        if kind not in get_args(Kind):
            raise ValueError(f"no such fault: {kind}")
        with self._lock:
            self._ids += 1
            fault = Fault(self._ids, kind, **options)
            self._rows.append(fault)
            return fault

    def seed(self, seed: int) -> None:
        """Make the choices by probability repeatable."""
        with self._lock:
            self._random = random.Random(seed)

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._rows.clear()

    def rows(self) -> list[Fault]:
        """Those set, with their hits."""
        with self._lock:
            return list(self._rows)

    def strike(self, method: str, path: str) -> list[Fault]:
        """Those that strike this request; each counts itself down."""
        struck = []
        with self._lock:
            for fault in self._rows:
                if not fault.meets(method, path):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.probability < 1 and self._random.random() >= fault.probability:
                    continue
                if fault.count is not None:
                    fault.count -= 1
                fault.hits += 1
                struck.append(fault)
        return struck


class FaultyApp:
    """ASGI middleware: `app`, with the faults that are set."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_control"):
            await self._app(scope, receive, send)
            return
        struck = {fault.kind: fault for fault in self._faults.strike(scope["method"], scope["path"])}
        if slow := struck.get("slow"):
            await asyncio.sleep(slow.seconds)
        if stale := struck.get("stale"):
            scope[LAG] = stale.seconds
        if "drop" in struck:
            await _hang_up(scope, receive)
        elif before := struck.get("error_before"):
            await _read_all(receive)
            await _unicorn(send, before.status)
        elif limited := struck.get("secondary_limit"):
            await _read_all(receive)
            await _limited(send, limited)
        elif after := struck.get("error_after"):
            await self._app(scope, receive, _swallow)
            await _unicorn(send, after.status)
        elif "lose_answer" in struck:
            await self._app(scope, receive, _swallow)
            await _hang_up(scope, receive)
        else:
            await self._app(scope, receive, send)


async def _swallow(message: Message) -> None:
    """An answer that goes nowhere."""


async def _read_all(receive: Receive) -> None:
    while (message := await receive())["type"] == "http.request" and message.get("more_body"):
        pass


async def _hang_up(scope: Scope, receive: Receive) -> None:
    scope["extensions"][TRANSPORT].abort()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _unicorn(send: Send, status: int) -> None:
    await _answer(send, status, b"<html><body><h1>Unicorn!</h1></body></html>", "text/html", {})


async def _limited(send: Send, fault: Fault) -> None:
    error = secondary(int(fault.seconds) or 60, status=fault.status if fault.status in (403, 429) else 403)
    body = json.dumps(error.body("")).encode()
    await _answer(send, error.status, body, "application/json; charset=utf-8", error.headers)


async def _answer(send: Send, status: int, body: bytes, kind: str, headers: dict[str, str]) -> None:
    rows = {"content-type": kind, "content-length": str(len(body)), **headers}
    raw = [(name.encode(), value.encode()) for name, value in rows.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
