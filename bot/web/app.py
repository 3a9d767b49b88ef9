"""The web process: takes deliveries, and loads nothing that taking them does not need."""

import contextlib
import socket
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from bot.core.redact import Secret
from bot.store.inbox import Inbox
from bot.store.poke import poke
from bot.web.health import Ready, front_page, healthz
from bot.web.webhook import InFlight, Webhook

INBOX = "inbox.db"
POKE = "poke.sock"
HEARTBEAT = "engine.json"


@dataclass(frozen=True, slots=True)
class WebOptions:
    """`home` is JOURNEYMAN_HOME, `secrets` the webhook secrets (two during a rotation); port 0 takes a free one."""

    home: Path
    secrets: Sequence[Secret] = ()
    host: str = "127.0.0.1"
    port: int = 8000


def build_app(
    options: WebOptions,
    inbox: Inbox,
    *,
    in_flight: InFlight | None = None,
    clock: Callable[[], float] = time.time,
) -> Starlette:
    """The routes over an open inbox, which is closed with the application; `clock` gives epoch seconds."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None, None]:
        yield
        inbox.close()

    webhook = Webhook(inbox, options.secrets, partial(poke, options.home / POKE), clock, in_flight or InFlight())
    ready = Ready(options.home / HEARTBEAT, any(options.secrets), clock)
    return Starlette(
        routes=[
            Route("/webhooks/github", webhook.receive, methods=["POST"]),
            Route("/healthz", healthz),
            Route("/readyz", ready.answer),
            Route("/", front_page),
        ],
        lifespan=lifespan,
    )


def serve_web(options: WebOptions, *, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `announce` gets the address once connections are taken. Raises OSError when it is in use."""
    options.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((options.host, options.port))
        listening.listen(2048)
        app = build_app(options, Inbox.open(options.home / INBOX))
        config = uvicorn.Config(
            app,
            loop="uvloop",
            http="httptools",
            ws="none",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            log_level="warning",
            timeout_graceful_shutdown=10,
        )
        shown = f"[{options.host}]" if family == socket.AF_INET6 else options.host
        announce(f"http://{shown}:{listening.getsockname()[1]}")
        uvicorn.Server(config).run(sockets=[listening])
