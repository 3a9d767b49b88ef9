"""A CGI program as the rest of an ASGI response: the request's body streams in while the answer streams out."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.types import Message, Receive, Send

CHUNK = 64 * 1024
HEAD_LIMIT = 16 * 1024


class Cgi:
    """One run of a program. `body_limit` is in bytes; beyond it the program is ended.

    With `finish`, one that has got its whole request runs to the end although the client is gone: a push that was sent lands.
    """

    def __init__(
        self,
        argv: Sequence[str],
        environ: Mapping[str, str],
        *,
        pass_fds: Sequence[int] = (),
        body_limit: int,
        finish: bool = False,
    ) -> None:
        self._argv = argv
        self._environ = environ
        self._pass_fds = pass_fds
        self._body_limit = body_limit
        self._finish = finish

    async def run(
        self, receive: Receive, send: Send, *, before_end: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Run to the end; `before_end` is awaited when the program has said everything and the client does not know yet."""
        process = await asyncio.create_subprocess_exec(
            *self._argv,
            env=self._environ,
            pass_fds=self._pass_fds,
            start_new_session=True,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        feeding = asyncio.create_task(self._feed(process, receive))
        try:
            await self._answer(process, send, before_end)
        finally:
            feeding.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await feeding
            end(process)
            await process.wait()

    async def _feed(self, process: asyncio.subprocess.Process, receive: Receive) -> None:
        """Give the body to the program, then wait: a client that goes away ends it."""
        stdin, taken, complete = process.stdin, 0, False
        assert stdin is not None
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None if complete and self._finish else end(process)
            body = message.get("body", b"")
            taken += len(body)
            if taken > self._body_limit:
                return end(process)
            if body:
                # a program that has answered without reading everything closes its end; its answer still counts
                with contextlib.suppress(ConnectionError):
                    stdin.write(body)
                    await stdin.drain()
            if not message.get("more_body", False):
                complete = True
                stdin.close()

    async def _answer(
        self, process: asyncio.subprocess.Process, send: Send, before_end: Callable[[], Awaitable[None]] | None
    ) -> None:
        stdout = process.stdout
        assert stdout is not None
        status, headers = await self._head(stdout)
        await say(send, {"type": "http.response.start", "status": status, "headers": headers})
        while chunk := await stdout.read(CHUNK):
            await say(send, {"type": "http.response.body", "body": chunk, "more_body": True})
        if before_end is not None:
            await before_end()
        await say(send, {"type": "http.response.body", "body": b"", "more_body": False})

    async def _head(self, stdout: asyncio.StreamReader) -> tuple[int, list[tuple[bytes, bytes]]]:
        """Status and headers; a program that ends without any is a 500."""
        status, headers = 200, []
        for _ in range(HEAD_LIMIT):
            line = (await stdout.readline()).rstrip(b"\r\n")
            if not line:
                break
            name, _, value = line.partition(b":")
            if name.lower() == b"status":
                status = int(value.split()[0])
            else:
                headers.append((name.lower(), value.strip()))
        return (status, headers) if headers or status != 200 else (500, [])


async def say(send: Send, message: Message) -> None:
    """Send; a client that has gone away is no error of the program."""
    with contextlib.suppress(OSError):
        await send(message)


def end(process: asyncio.subprocess.Process) -> None:
    """Kill it if it still runs, with everything that it started: a child would hold its output open."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
