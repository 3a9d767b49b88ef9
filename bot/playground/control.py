"""`/_control/*`: faults, the clock and the playground's own counts, for other processes on this machine."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.playground.state import State

Counts = dict[str, dict[str, dict[str, int]]]


def counts(state: State, *, actor: str | None = None) -> Counts:
    """`{repo: {issue: {kind: n}}}`; what belongs to no issue (pushes, check runs, labels) is under `-`."""
    found: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    with state.lock:
        for write in state.writes:
            if actor is None or write.actor == actor:
                found[write.repo][str(write.issue or "-")][write.kind] += 1
    return {repo: {issue: dict(kinds) for issue, kinds in rows.items()} for repo, rows in found.items()}


class Control:
    """The control endpoints of one playground."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """Their routes."""
        return [
            Route("/_control/faults", self.faults, methods=["GET", "POST", "DELETE"]),
            Route("/_control/counts", self.counts),
            Route("/_control/writes", self.writes),
            Route("/_control/clock", self.clock, methods=["GET", "POST"]),
            Route("/_control/webhooks/{verb}", self.webhooks, methods=["POST"]),
        ]

    async def faults(self, request: Request) -> JSONResponse:
        """GET lists them, POST adds one (Fault's fields as JSON), DELETE clears them."""
        faults = self._state.faults
        if request.method == "DELETE":
            faults.clear()
        elif request.method == "POST":
            try:
                given: dict[str, Any] = await request.json()
                if "seed" in given:
                    faults.seed(int(given.pop("seed")))
                if given:
                    faults.add(given.pop("kind"), **given)
            except (ValueError, TypeError, KeyError) as error:
                return JSONResponse({"message": f"No such fault: {error}"}, 422)
        return JSONResponse([asdict(fault) for fault in faults.rows()])

    async def counts(self, request: Request) -> JSONResponse:
        """Writes by repository and issue; `?actor=` for one account's alone."""
        return JSONResponse(counts(self._state, actor=request.query_params.get("actor")))

    async def writes(self, request: Request) -> JSONResponse:
        """Every write in order; `?kind=` filters."""
        kind = request.query_params.get("kind")
        with self._state.lock:
            rows = [asdict(write) for write in self._state.writes if kind in (None, write.kind)]
        return JSONResponse(rows)

    async def clock(self, request: Request) -> JSONResponse:
        """POST `{"advance": seconds}` moves it."""
        if request.method == "POST":
            self._state.clock.advance(float((await request.json())["advance"]))
        return JSONResponse({"now": self._state.clock.now()})

    async def webhooks(self, request: Request) -> JSONResponse:
        """`hold`, `release`, `pump`, `shuffle` (`{"seed"}`), `repeat` and `drop` (`{"count"}`), `redeliver` (`{"id"}`)."""
        body = await request.body()
        given: dict[str, Any] = (await request.json()) if body else {}
        hooks, verb = self._state.webhooks, request.path_params["verb"]
        count = int(given.get("count", 1))
        match verb:
            case "hold":
                hooks.hold()
            case "release":
                hooks.release()
            case "pump":
                sent = await run_in_threadpool(hooks.pump, given.get("count"))
                return JSONResponse({"sent": sent})
            case "shuffle":
                hooks.shuffle(int(given.get("seed", 0)))
            case "repeat":
                hooks.repeat(count)
            case "drop":
                hooks.drop(count)
            case "redeliver":
                hooks.redeliver(int(given["id"]))
            case _:
                return JSONResponse({"message": f"No such verb: {verb}"}, 404)
        return JSONResponse({"queued": len(hooks.queue), "deliveries": len(hooks.deliveries)})
