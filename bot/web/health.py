"""GET /healthz, /readyz and the page that says what this is."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.store.heartbeat import read_beat

STALE_SECONDS = 15.0
"""An engine that has not beaten for so long counts as gone."""


async def healthz(_request: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("ok\n")


@dataclass(frozen=True, slots=True)
class Ready:
    """Whether deliveries are taken and somebody works on them; 503 names what is missing."""

    heartbeat: Path
    has_secret: bool
    clock: Callable[[], float] = time.time

    async def answer(self, _request: Request) -> Response:
        """200, or 503 with one line for each thing that is missing."""
        missing = list(self._missing())
        return PlainTextResponse("\n".join([*(missing or ["ready"]), ""]), 503 if missing else 200)

    def _missing(self) -> Iterator[str]:
        if not self.has_secret:
            yield "no webhook secret: set JOURNEYMAN_WEBHOOK_SECRET and restart"
        beat = read_beat(self.heartbeat)
        if beat is None:
            yield "no engine has started yet: run `journeyman serve`, or `journeyman engine` next to this process"
        elif (age := self.clock() - beat.at) > STALE_SECONDS:
            yield f"the engine {beat.engine} was last seen {age:.0f} s ago, with {beat.backlog} deliveries waiting"


async def front_page(_request: Request) -> Response:
    """What this is, for whoever opens the address in a browser."""
    return PlainTextResponse(
        "Journeyman is running and waits for GitHub's deliveries at /webhooks/github.\n"
        "Label an issue `agent` in a repository where the App is installed; the answer appears on the issue.\n"
        "/healthz says whether this process is alive, /readyz whether work is being done.\n"
    )
