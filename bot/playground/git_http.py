"""Git over smart HTTP: a real `git http-backend` a request, behind tokens, with every push judged before it lands."""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.playground.cgi import Cgi
from bot.playground.objects import clean_environment
from bot.playground.push_desk import PushDesk, RefChange, install_hooks

BODY_LIMIT = 512 * 1024 * 1024
SERVICES = ("git-upload-pack", "git-receive-pack")

ReadCheck = Callable[[str, str], bool]
PushCheck = Callable[[str, str, str, str, str, Mapping[str, str]], str | None]
Pushed = Callable[[str, str, str, str, str], None]


@dataclass(frozen=True, slots=True)
class GitAccess:
    """Who may do what: see `git_app`."""

    repo_path: Callable[[str, str], Path | None]
    authorize_read: ReadCheck
    authorize_push: PushCheck
    pushed: Pushed
    authenticate: Callable[[str], bool]
    authorize_write: ReadCheck


def git_app(
    repo_path: Callable[[str, str], Path | None],
    authorize_read: ReadCheck,
    *,
    authorize_push: PushCheck,
    pushed: Pushed,
    authenticate: Callable[[str], bool] = bool,
    authorize_write: ReadCheck = lambda repo, token: True,
    body_limit: int = BODY_LIMIT,
) -> Starlette:
    """An app that serves `/OWNER/NAME(.git)/…` to git clients; mount it anywhere.

    `repo_path(owner, name)` gives the bare repository. All others get `owner/name` and a token, empty for somebody who sent none:
    `authenticate(token)` says whether there is such a token (else 401), `authorize_read` and `authorize_write` whether it reaches the
    repository (else 403). `authorize_push(repo, token, ref, old, new, environment)` says why a ref may not go there (None: it may) before
    anything lands; git sees the new objects in that environment. `pushed(repo, ref, old, new, token)` is called for every ref that has
    landed, before the client hears of it. These two run in a thread.
    """
    access = GitAccess(repo_path, authorize_read, authorize_push, pushed, authenticate, authorize_write)
    endpoint = GitEndpoint(access, body_limit=body_limit)
    return Starlette(
        routes=[
            Route("/{owner}/{name}/info/refs", endpoint.advertise, methods=["GET"]),
            Route("/{owner}/{name}/{service}", endpoint.serve, methods=["POST"]),
        ]
    )


def token_of(authorization: str) -> str | None:
    """The password of Basic credentials, whatever the user name; empty where none were sent, None where they make no sense."""
    scheme, _, coded = authorization.partition(" ")
    if not authorization:
        return ""
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(coded, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None


class Refused(Exception):
    """A request that gets no git."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status

    def response(self) -> Response:
        """What the client is told."""
        headers = {"www-authenticate": 'Basic realm="GitHub"'} if self.status == 401 else {}
        return PlainTextResponse(f"{self}\n", status_code=self.status, headers=headers)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may talk to git."""

    repo: str
    path: Path
    token: str
    service: str


class GitEndpoint:
    """The two requests of the protocol: what refs are there, and the exchange itself."""

    def __init__(self, access: GitAccess, *, body_limit: int) -> None:
        self._access = access
        self._body_limit = body_limit

    async def advertise(self, request: Request) -> Response:
        """`GET info/refs?service=…`."""
        return await self._answer(request, request.query_params.get("service", ""))

    async def serve(self, request: Request) -> Response:
        """`POST git-upload-pack` or `git-receive-pack`."""
        return await self._answer(request, request.path_params["service"])

    async def _answer(self, request: Request, service: str) -> Response:
        try:
            admitted = self._admit(request, service)
        except Refused as refused:
            return refused.response()
        return Exchange(self._access, admitted, request, body_limit=self._body_limit)

    def _admit(self, request: Request, service: str) -> Admitted:
        access = self._access
        owner, name = request.path_params["owner"], request.path_params["name"].removesuffix(".git")
        repo, path = f"{owner}/{name}", access.repo_path(owner, name)
        if path is None or service not in SERVICES:
            raise Refused(404, "Repository not found.")
        token = token_of(request.headers.get("authorization", ""))
        if token is None or (token and not access.authenticate(token)):
            raise Refused(401, "Invalid username or token.")
        writing = service == "git-receive-pack"
        if not token and (writing or not access.authorize_read(repo, token)):
            raise Refused(401, "Authentication is needed.")
        if not access.authorize_read(repo, token):
            raise Refused(403, f"This token can't read {repo}.")
        if writing and not access.authorize_write(repo, token):
            raise Refused(403, f"Permission to {repo}.git denied: this token can't write contents.")
        return Admitted(repo, path, token, service)


class Exchange(Response):
    """One run of http-backend as a response: bodies stream both ways, and a client that goes away ends the process."""

    def __init__(self, access: GitAccess, admitted: Admitted, request: Request, *, body_limit: int) -> None:
        super().__init__()
        self._access = access
        self._admitted = admitted
        self._request = request
        self._body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run git; for a push, judge it on the way and tell of what landed before the client hears the end."""
        length = self._request.headers.get("content-length", "0")
        if length.isdigit() and int(length) > self._body_limit:
            await PlainTextResponse("This push is too large.\n", status_code=413)(scope, receive, send)
            return
        writing = self._admitted.service == "git-receive-pack" and self._request.method == "POST"
        if not writing:
            await self._run(receive, send, self._environ(), pass_fds=(), before_end=None)
            return
        await asyncio.to_thread(install_hooks, self._admitted.path)
        async with PushDesk(self._admitted.path, self._judge) as desk:

            async def tell() -> None:
                for ref in await desk.landed():
                    told = (self._admitted.repo, ref.name, ref.old, ref.new, self._admitted.token)
                    await asyncio.to_thread(self._access.pushed, *told)

            await self._run(receive, send, self._environ() | desk.environ, pass_fds=desk.fds, before_end=tell)

    async def _run(
        self,
        receive: Receive,
        send: Send,
        environ: dict[str, str],
        *,
        pass_fds: tuple[int, ...],
        before_end: Callable[[], Awaitable[None]] | None,
    ) -> None:
        cgi = Cgi(
            ["git", "http-backend"],
            environ,
            pass_fds=pass_fds,
            body_limit=self._body_limit,
            finish=before_end is not None,
        )
        await cgi.run(receive, send, before_end=before_end)

    def _judge(self, ref: RefChange, environment: Mapping[str, str]) -> str | None:
        admitted = self._admitted
        return self._access.authorize_push(admitted.repo, admitted.token, ref.name, ref.old, ref.new, environment)

    def _environ(self) -> dict[str, str]:
        request, admitted = self._request, self._admitted
        path = "/info/refs" if request.method == "GET" else f"/{admitted.service}"
        settings = {"receive.fsckObjects": "true", "receive.hideRefs": "refs/pull", "receive.autogc": "false"}
        environ = {
            **clean_environment(),
            **git_config(settings),
            "GIT_PROJECT_ROOT": str(admitted.path),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GATEWAY_INTERFACE": "CGI/1.1",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REQUEST_METHOD": request.method,
            "PATH_INFO": path,
            "QUERY_STRING": request.url.query,
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "REMOTE_USER": "playground",
            "REMOTE_ADDR": "127.0.0.1",
        }
        wanted = {"content-length": "CONTENT_LENGTH", "content-encoding": "HTTP_CONTENT_ENCODING"}
        wanted["git-protocol"] = "HTTP_GIT_PROTOCOL"
        return environ | {name: request.headers[header] for header, name in wanted.items() if header in request.headers}


def git_config(settings: dict[str, str]) -> dict[str, str]:
    """Settings as environment variables, which git and everything that it starts obey."""
    environ = {"GIT_CONFIG_COUNT": str(len(settings))}
    for at, (name, value) in enumerate(settings.items()):
        environ |= {f"GIT_CONFIG_KEY_{at}": name, f"GIT_CONFIG_VALUE_{at}": value}
    return environ
