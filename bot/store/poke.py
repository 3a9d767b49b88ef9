"""A nudge between two processes of one machine: `there is something in the inbox`. Losing one costs a poll's wait, nothing else."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Generator
from pathlib import Path

_LONGEST = 100
"""Bytes of a socket path that every kernel takes; longer ones go by way of an open directory."""


def poke(path: Path) -> None:
    """Send a nudge without waiting; nobody listening, or a full buffer, is no error."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        with _address(path) as address:
            sender.sendto(b"\0", address)


class Listener:
    """The receiving end, on the running loop: `on_poke` is called once for however many nudges came at once."""

    def __init__(self, path: Path, on_poke: Callable[[], None]) -> None:
        """Bind `path`, taking it over from a process that died; call from inside the loop. Raises OSError."""
        self._path = path
        self._on_poke = on_poke
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            path.unlink(missing_ok=True)
            with _address(path) as address:
                self._socket.bind(address)
            path.chmod(0o600)
        except OSError:
            self._socket.close()
            raise
        # uvloop has no datagram endpoint for unix sockets; a reader on our own socket works on every loop.
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._drain)

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError, InterruptedError):
            for _ in range(1000):
                self._socket.recv(1)
        self._on_poke()

    def close(self) -> None:
        """Stop listening and remove the socket."""
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()
        self._path.unlink(missing_ok=True)


@contextlib.contextmanager
def _address(path: Path) -> Generator[str, None, None]:
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)
