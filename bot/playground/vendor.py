"""A scripted model vendor on loopback that speaks both vendors' wire formats, as strictly as they do.

`start_vendor(policy)` serves it from a thread; the policy decides what the model says or how the vendor misbehaves.
"""

import asyncio
import ipaddress
import itertools
import json
import socket
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.core.conversation import Json
from bot.playground import vendor_anthropic, vendor_openai
from bot.playground.vendor_cache import PrefixCache
from bot.playground.vendor_faults import Invalid, Refused, http_fault, refused
from bot.playground.vendor_replies import (
    HTTP_FAULTS,
    Answer,
    Call,
    Fault,
    Policy,
    Reply,
    Result,
    Script,
    Unscripted,
    as_answer,
    tools,
)

__all__ = ["ANTHROPIC_KEY", "OPENAI_KEY", "Answer", "Call", "Fault", "Policy", "Recorded", "Reply", "Result", "Script"]
__all__ += ["ScriptedVendor", "Unscripted", "start_vendor", "tools"]

ANTHROPIC_KEY = "sk-ant-playground"
OPENAI_KEY = "sk-playground"

_WIRE = MappingProxyType({"anthropic": vendor_anthropic, "openai": vendor_openai})
_KEYS = MappingProxyType({"anthropic": ANTHROPIC_KEY, "openai": OPENAI_KEY})
_ERRORS = MappingProxyType({"anthropic": ("error_event", "failed"), "openai": ("error_event", "window")})
"""The faults that end a stream with an error event."""
_REQUEST_ID = MappingProxyType({"anthropic": "request-id", "openai": "x-request-id"})


@dataclass(slots=True)
class Recorded:
    """A request as it came in and what became of it. `outcome` is `ok`, a fault's kind, or `refused`; `call` is None where it was refused
    before a policy saw it. `ended` turns True when everything was sent, `hung_up` when the caller closed before that."""

    vendor: str
    request_id: str
    headers: dict[str, str]
    body: Json
    call: Call | None = None
    outcome: str = "refused"
    status: int = 0
    error: str = ""
    usage: Json = field(default_factory=dict)
    ended: bool = False
    hung_up: bool = False


class _Dropped(Exception):
    """Ends a response in the middle, so that the server closes the connection without the last chunk."""


class _Vendor:
    """The state of one scripted vendor: who decides, what was asked, what is cached."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.calls: list[Recorded] = []
        self.cache = PrefixCache()
        self.numbers = itertools.count(1)

    async def complete(self, request: Request) -> Response:
        """`POST /v1/messages` and `POST /v1/responses`."""
        vendor = "anthropic" if request.url.path.startswith("/anthropic") else "openai"
        # The whole body first: a streaming response's disconnect listener eats what is left of it.
        raw = await request.body()
        number = next(self.numbers)
        try:
            body = json.loads(raw)
        except ValueError:
            body = {}
        seen = Recorded(vendor, f"req_{number:06d}", dict(request.headers), body)
        self.calls.append(seen)
        try:
            _authorize(vendor, request)
            _WIRE[vendor].check(body)
            seen.call = _WIRE[vendor].as_call(body, number)
            reply = self.policy(seen.call)
        except Invalid as error:
            return _refuse(seen, refused(vendor, error))
        except Unscripted as error:
            return _refuse(seen, refused(vendor, Invalid(str(error))))
        except Exception as error:  # a script is anybody's code; a 500 would be retried and hide what is wrong with it
            return _refuse(seen, refused(vendor, Invalid(f"the script failed: {error!r}")))
        return await self._reply(seen, reply, number)

    async def _reply(self, seen: Recorded, reply: Reply, number: int) -> Response:
        fault = reply if isinstance(reply, Fault) else None
        seen.outcome = fault.kind if fault else "ok"
        if fault and fault.kind in HTTP_FAULTS:
            return _refuse(seen, http_fault(seen.vendor, fault))
        answer = as_answer(reply.then if isinstance(reply, Fault) else reply)
        kind = fault.kind if fault else None
        prompt = _WIRE[seen.vendor].measure(seen.body, self.cache)
        whole = _WIRE[seen.vendor].finished(seen.body, answer, prompt, number, kind)
        seen.usage, seen.status = whole.get("usage") or {}, 200
        headers = {_REQUEST_ID[seen.vendor]: seen.request_id}
        if not seen.body.get("stream"):
            seen.ended = True
            return JSONResponse(whole, headers=headers)
        return StreamingResponse(_stream(seen, whole, fault), media_type="text/event-stream", headers=headers)

    async def control(self, request: Request) -> Response:
        """Every request so far, for a test in another process."""
        return JSONResponse([{**asdict(seen), "headers": {}} for seen in self.calls])

    async def models(self, request: Request) -> Response:
        """`GET /v1/models` of either vendor."""
        vendor = "anthropic" if request.url.path.startswith("/anthropic") else "openai"
        try:
            _authorize(vendor, request)
        except Invalid as error:
            answer = refused(vendor, error)
            return JSONResponse(answer.body, answer.status)
        names = _WIRE[vendor].MODELS
        if vendor == "openai":
            rows = [{"id": name, "object": "model", "created": 1_790_000_000, "owned_by": "openai"} for name in names]
            return JSONResponse({"object": "list", "data": rows})
        rows = [
            {
                "id": name,
                "type": "model",
                "display_name": name,
                "created_at": "2026-10-01T00:00:00Z",
                "lifecycle": "active",
            }
            for name in names
        ]
        return JSONResponse({"data": rows, "has_more": False, "first_id": names[0], "last_id": names[-1]})


def _authorize(vendor: str, request: Request) -> None:
    given = request.headers.get("authorization", "")
    if vendor == "anthropic" and "anthropic-version" not in request.headers:
        raise Invalid("anthropic-version: header is required")
    if given == f"Bearer {_KEYS[vendor]}":
        return
    if vendor == "anthropic":
        said = "invalid bearer token" if given else "Authentication is required"
        raise Invalid(said, status=401, kind="authentication_error")
    if not given:
        raise Invalid("You didn't provide an API key.", status=401)
    raise Invalid("Incorrect API key provided.", status=401, code="invalid_api_key")


def _refuse(seen: Recorded, answer: Refused) -> Response:
    seen.status, seen.ended = answer.status, True
    seen.error = answer.body["error"]["message"]
    body = {**answer.body, "request_id": seen.request_id} if seen.vendor == "anthropic" else answer.body
    return JSONResponse(body, answer.status, headers={**answer.headers, _REQUEST_ID[seen.vendor]: seen.request_id})


async def _stream(seen: Recorded, whole: Json, fault: Fault | None) -> AsyncIterator[bytes]:
    kind = fault.kind if fault else None
    errs = kind in _ERRORS[seen.vendor]
    events = list(_WIRE[seen.vendor].events(whole))
    if errs or kind in ("cut", "drop"):
        events = _before_the_last_delta(events)
    try:
        for index, (name, data) in enumerate(events):
            if index == 2 and fault and kind == "slow":
                await asyncio.sleep(fault.seconds)
            yield _sse(name, data)
            await asyncio.sleep(0)
    except (asyncio.CancelledError, GeneratorExit):
        seen.hung_up = True
        raise
    if kind == "drop":
        raise _Dropped
    if fault and errs:
        yield _sse("error", _WIRE[seen.vendor].error_event(fault.kind, len(events)))
    seen.ended = True


def _before_the_last_delta(events: list[tuple[str, Json]]) -> list[tuple[str, Json]]:
    deltas = [index for index, (name, _) in enumerate(events) if name.endswith("delta") and name != "message_delta"]
    return events[: deltas[-1] if deltas else 2]


def _sse(name: str, data: Json) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **data}, ensure_ascii=False)}\n\n".encode()


class _LoopbackOnly:
    """Turns away every client that is not on this machine, whatever the socket was bound to."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        client = scope.get("client")
        if scope["type"] == "http" and (client is None or not _is_loopback(client[0])):
            await Response(status_code=403)(scope, receive, send)
            return
        try:
            await self.app(scope, receive, send)
        except _Dropped:
            # Returning without the final chunk makes the server drop the connection, which is what was asked for.
            return


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class ScriptedVendor:
    """A running vendor: its base URLs as the SDKs want them, what it was asked, and the way to stop it."""

    def __init__(self, policy: Policy, host: str, port: int) -> None:
        if not _is_loopback(host):
            raise ValueError(f"the scripted vendor serves this machine only: {host} is not a loopback address")
        self._state = _Vendor(policy)
        self._socket = socket.create_server((host, port))
        base = f"http://{host}:{self._socket.getsockname()[1]}"
        self.url_anthropic = f"{base}/anthropic"
        self.url_openai = f"{base}/openai/v1"
        self.url_calls = f"{base}/_control/calls"
        config = uvicorn.Config(
            _LoopbackOnly(_app(self._state)),
            log_config=None,
            log_level="critical",
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="scripted-vendor", daemon=True
        )

    @property
    def calls(self) -> list[Recorded]:
        """Every request so far, oldest first."""
        return list(self._state.calls)

    def asked(self, name: str) -> list[Call]:
        """The calls of one `role/step`, oldest first."""
        return [seen.call for seen in self._state.calls if seen.call is not None and seen.call.name == name]

    def start(self, timeout: float = 10.0) -> None:
        """Serve until `stop`; returns when the first request can come."""
        self._thread.start()
        deadline = time.monotonic() + timeout
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("the scripted vendor did not start")
            time.sleep(0.005)

    def stop(self) -> None:
        """Stop serving and free the port."""
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()


def _app(state: _Vendor) -> Starlette:
    return Starlette(
        routes=[
            Route("/anthropic/v1/messages", state.complete, methods=["POST"]),
            Route("/openai/v1/responses", state.complete, methods=["POST"]),
            Route("/anthropic/v1/models", state.models),
            Route("/openai/v1/models", state.models),
            Route("/_control/calls", state.control),
        ]
    )


def start_vendor(policy: Policy, port: int = 0, *, host: str = "127.0.0.1") -> ScriptedVendor:
    """Start a scripted vendor in a thread of this process; port 0 takes a free one. Raises ValueError for a host that is not loopback."""
    vendor = ScriptedVendor(policy, host, port)
    vendor.start()
    return vendor
