"""The REST server: matching, authentication, limits, permissions, one handler, headers."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qsl, unquote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from bot.playground import auth
from bot.playground.auth import Principal
from bot.playground.data import By, Repo, Role
from bot.playground.faults import LAG
from bot.playground.state import State
from bot.playground.validation import ApiError, B, checked, not_found, read_json

T = TypeVar("T")
VERSIONS = ("2022-11-28", "2026-03-10")
_NO_USER_AGENT = (
    "Request forbidden by administrative rules. Please make sure your request has a User-Agent header "
    "(https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required)."
)
MAX_BODY = 10_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler gives: a status, a JSON-able body (None: no body), headers of its own."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    """Sent as it is instead of the body, where a raw or diff media type was asked for."""


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. `needs` are an App's permissions (`issues=write; pull_requests=write`), `role` is what a person must have;
    `docs` is the page under docs.github.com/rest; `content` counts against the secondary limit."""

    method: str
    path: str
    handler: Callable[[Call], Answer]
    docs: str
    needs: str = "metadata=read"
    role: Role = "read"
    auth: Literal["any", "app"] = "any"
    content: bool = False


@dataclass(slots=True)
class Call:
    """One request on its way through a handler."""

    state: State
    principal: Principal
    route: Route
    params: dict[str, str]
    query: dict[str, str]
    raw: bytes
    url: str
    accept: str = ""
    lag: float = 0.0
    found: Repo | None = None

    @property
    def repo(self) -> Repo:
        """The repository of the path, already checked."""
        if self.found is None:
            raise not_found()
        return self.found

    @property
    def by(self) -> By:
        """Who acts."""
        return self.principal.by

    def body(self, model: type[B]) -> B:
        """The request body, checked."""
        return checked(model, read_json(self.raw))

    def number(self, name: str) -> int:
        """A number of the path. Raises ApiError 404."""
        text = self.params[name]
        if not text.isdecimal() or len(text) > 18:
            raise not_found()
        return int(text)

    def page(self, rows: Iterable[T], shape: Callable[[T], Any], *, wrap: str = "") -> Answer:
        """One page of rows as an array, or with `wrap` as `{total_count, <wrap>: […]}`, with its Link header.

        Stale lists lack what is younger than the lag.
        """
        seen = [row for row in rows if not self.lag or getattr(row, "born", 0.0) <= self.state.clock.now() - self.lag]
        size, at = _whole(self.query.get("per_page"), 30, top=100), _whole(self.query.get("page"), 1)
        part = [shape(row) for row in seen[(at - 1) * size : at * size]]
        body = {"total_count": len(seen), wrap: part} if wrap else part
        link = self._link(at, max(1, -(-len(seen) // size)))
        return Answer(200, body, {"link": link} if link else {})

    def _link(self, at: int, last: int) -> str:
        pages: list[tuple[str, int]] = []
        if at > 1:
            pages.append(("prev", min(at - 1, last)))
        if at < last:
            pages += [("next", at + 1), ("last", last)]
        if at > 1:
            pages.append(("first", 1))
        return ", ".join(
            f'<{self.url}?{urlencode(self.query | {"page": str(page)})}>; rel="{name}"' for name, page in pages
        )


def _whole(text: str | None, default: int, *, top: int = 1_000_000) -> int:
    if text is None or not text.isdecimal() or int(text) < 1:
        return default
    return min(int(text), top)


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)(:path)?\}", path)
    text = ""
    for index in range(0, len(parts), 3):
        text += re.escape(parts[index])
        if index + 1 < len(parts):
            text += f"(?P<{parts[index + 1]}>{'.+' if parts[index + 2] else '[^/]+'})"
    return re.compile(text)


class Api:
    """The ASGI app under `/api`: routes in order, first match wins."""

    def __init__(self, state: State, routes: Sequence[Route]) -> None:
        self._state = state
        self._routes = [(route, _pattern(route.path)) for route in routes]

    def _match(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        for route, pattern in self._routes:
            if route.method == method and (match := pattern.fullmatch(path)):
                return route, {name: unquote(value) for name, value in match.groupdict().items()}
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = await read_body(receive)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1").partition("?")[0]
        path = path.removeprefix("/api").rstrip("/") or "/"
        answer = await run_in_threadpool(self._answer, scope, headers, path, raw)
        await write(send, answer)

    def _answer(self, scope: Scope, headers: dict[str, str], path: str, raw: bytes) -> Answer:
        out = base_headers(headers)
        matched = self._match(scope["method"], path)
        docs = matched[0].docs if matched else ""
        try:
            check_request(headers, raw)
            with self._state.lock:
                principal = auth.authenticate(self._state, headers.get("authorization"))
                if path != "/rate_limit":
                    self._state.limits.count(principal.key, "core")
                out |= self._state.limits.headers(principal.key, "core")
                self._state.limits.check(principal.key, "core", who=principal.who)
                if matched is None:
                    raise not_found()
                query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
                call = Call(self._state, principal, *matched, query, raw, f"{self._state.web.api}{path}")
                call.accept, call.lag = headers.get("accept", ""), scope.get(LAG, 0.0)
                answer = self._handle(call, out)
        except ApiError as error:
            return Answer(error.status, error.body(docs), out | error.headers)
        return self._conditional(answer, scope["method"], headers, out, principal)

    def _handle(self, call: Call, out: dict[str, str]) -> Answer:
        route, principal = call.route, call.principal
        if route.auth == "app":
            auth.check_app(principal)
        elif route.path.startswith("/repos/{owner}/{repo}"):
            if principal.kind == "installation":
                out["x-accepted-github-permissions"] = route.needs
            repo = self._state.repo(f"{call.params['owner']}/{call.params['repo']}")
            call.found = auth.visible(self._state, principal, repo)
            writes = route.method != "GET"
            auth.check(self._state, principal, call.found, needs=route.needs, role=route.role, writes=writes)
        if principal.kind == "user":
            out["x-oauth-scopes"] = "repo, workflow"
        if route.content:
            self._state.limits.take_content(principal.key)
        return route.handler(call)

    def _conditional(
        self, answer: Answer, method: str, headers: dict[str, str], out: dict[str, str], principal: Principal
    ) -> Answer:
        merged = out | answer.headers
        if method != "GET" or answer.status != 200:
            return Answer(answer.status, answer.body, merged, answer.raw)
        content = json.dumps(answer.body).encode() if answer.raw is None else answer.raw
        tag = f'W/"{hashlib.sha256(content).hexdigest()}"'
        merged |= {"etag": tag, "cache-control": "private, max-age=60, s-maxage=60"}
        asked = [one.strip() for one in headers.get("if-none-match", "").split(",")]
        if tag in asked or tag.removeprefix("W/") in asked:
            self._state.limits.give_back(principal.key, "core")
            return Answer(304, None, merged | self._state.limits.headers(principal.key, "core"))
        return Answer(200, answer.body, merged, answer.raw)


def base_headers(asked: dict[str, str]) -> dict[str, str]:
    """Headers of every answer to a request with the headers `asked`."""
    version = asked.get("x-github-api-version")
    return {
        "server": "github.com",
        "x-github-media-type": "github.v3; format=json",
        "x-github-request-id": ":".join(secrets.token_hex(2).upper() for _ in range(5)),
        "x-github-api-version-selected": version if version in VERSIONS else VERSIONS[0],
        "vary": "Accept, Authorization, Cookie, X-GitHub-OTP,Accept-Encoding, Accept, X-Requested-With",
    }


def check_request(headers: dict[str, str], raw: bytes) -> None:
    """Raises ApiError for what GitHub turns away before anything else."""
    if not headers.get("user-agent"):
        raise ApiError(403, _NO_USER_AGENT, docs="")
    version = headers.get("x-github-api-version")
    if version is not None and version not in VERSIONS:
        raise ApiError(400, "The provided API version is not supported.", docs="about-the-rest-api/api-versions")
    if len(raw) > MAX_BODY:
        raise ApiError(413, "Payload too large.", docs="")


async def read_body(receive: Receive) -> bytes:
    """The whole request body."""
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body"):
            return b"".join(chunks)


async def write(send: Send, answer: Answer) -> None:
    """Send an answer as JSON."""
    body = answer.raw or (b"" if answer.body is None else json.dumps(answer.body).encode())
    headers = dict(answer.headers)
    if answer.body is not None:
        headers.setdefault("content-type", "application/json; charset=utf-8")
    if answer.status not in (204, 304):
        headers["content-length"] = str(len(body))
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
