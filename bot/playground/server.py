"""Runs the playground on a loopback port, in a thread of this process."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bot.playground.faults import TRANSPORT

START_TIMEOUT = 10.0


class NotLoopback(ValueError):
    """The playground was asked to listen where others could reach it."""


class _Protocol(HttpToolsProtocol):
    """uvicorn's, with the connection in reach of the faults that hang up."""

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self.scope.setdefault("extensions", {})[TRANSPORT] = self.transport  # ty: ignore[invalid-assignment]  # an extension of our own


@dataclass(slots=True)
class Handle:
    """A running server: its root address, and how to end it."""

    url: str
    port: int
    _server: uvicorn.Server
    _thread: threading.Thread

    def stop(self) -> None:
        """End it; open connections are closed."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(START_TIMEOUT)


def listen(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """A listening socket. Raises NotLoopback for any address that others can reach, names included."""
    try:
        inside = ipaddress.ip_address(host).is_loopback
    except ValueError:
        inside = False
    if not inside:
        raise NotLoopback(f"The playground listens on loopback addresses only, not on {host!r}.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio sets TCP_NODELAY by this number
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((host, port))
    made.listen(256)
    return made


def start(build: Callable[[str], ASGIApp], *, host: str = "127.0.0.1", port: int = 0) -> Handle:
    """Serve `build(root address)` in a thread; gives the handle once it answers. Raises NotLoopback, TimeoutError."""
    bound = listen(host, port)
    number = bound.getsockname()[1]
    url = f"http://[{host}]:{number}" if ":" in host else f"http://{host}:{number}"
    options: dict[str, Any] = {"log_level": "error", "access_log": False, "lifespan": "off", "server_header": False}
    config = uvicorn.Config(build(url), http=_Protocol, ws="none", loop="asyncio", **options)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=_serve, args=(server, bound), name="playground-server", daemon=True)
    thread.start()
    waited = threading.Event()
    for _ in range(int(START_TIMEOUT / 0.01)):
        if server.started or not thread.is_alive():
            break
        waited.wait(0.01)
    if not server.started:
        server.should_exit = True
        raise TimeoutError("The playground's server did not start.")
    return Handle(url, number, server, thread)


def _serve(server: uvicorn.Server, bound: socket.socket) -> None:
    try:
        server.run(sockets=[bound])
    finally:
        bound.close()
