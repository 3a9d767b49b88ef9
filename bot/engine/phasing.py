"""Runs a phase as a workflow: the epoch is checked first, an escaping error becomes a state, the run advances in one transaction."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

import sqlalchemy as sa

from bot.core import checkouts
from bot.core.advance import advance
from bot.core.results import Result
from bot.core.run import Phase
from bot.core.transition import PhaseCall
from bot.engine.durable import Body, Durable
from bot.phases.context import Context, PhaseRun
from bot.phases.holding import held
from bot.ports import Cancelled, Steps
from bot.store import runs, tables

PhaseBody = Callable[[PhaseRun], Awaitable[Result]]


class Phasing:
    """One per process. `woken` is called after every change of a run."""

    def __init__(
        self,
        ctx: Context,
        database: sa.Engine,
        durable: Durable,
        *,
        phases: Mapping[Phase, PhaseBody],
        woken: Callable[[], None],
    ) -> None:
        self._ctx, self._database, self._durable = ctx, database, durable
        self._phases, self._woken = phases, woken
        self._going: Counter[str] = Counter()
        self.last_success = 0.0

    def bodies(self) -> dict[Phase, Body]:
        """What the durable engine registers."""
        return {name: self._body(phase) for name, phase in self._phases.items()}

    def wanted(self, call: PhaseCall) -> bool:
        """Whether the run still stands at the epoch that this phase was started for."""
        query = sa.select(tables.run.c.epoch).where(tables.run.c.id == call.run_id)
        with self._database.connect() as conn:
            return conn.execute(query).scalar() == call.epoch

    def needs(self, key: str) -> bool:
        """Whether a checkout is in use, or its run goes on in it later."""
        run_id = checkouts.run_of(key)
        if self._going[run_id]:
            return True
        with self._database.connect() as conn:
            run = runs.load(conn, run_id)
        return run is not None and checkouts.needed(run, key)

    def _body(self, phase: PhaseBody) -> Body:
        async def body(call: PhaseCall, steps: Steps) -> None:
            self._going[call.run_id] += 1
            try:
                if await asyncio.to_thread(self.wanted, call):
                    await self._through(phase, call, steps)
            finally:
                self._going[call.run_id] -= 1
                self._woken()

        return body

    async def _through(self, phase: PhaseBody, call: PhaseCall, steps: Steps) -> None:
        run = await asyncio.to_thread(self._ctx.rows.load, call.run_id)
        try:
            result = await phase(PhaseRun(self._ctx, call, steps, run))
        except Cancelled:
            return
        except Exception as problem:
            result = held(problem, run, self._ctx.clock.now())
        try:
            await steps.once("advance", lambda: asyncio.to_thread(self._advance, call, result))
        except Exception as problem:
            # What can't be decided must not leave the run standing in a phase that nobody works on.
            failed = held(problem, run, self._ctx.clock.now())
            await steps.once("fail", lambda: asyncio.to_thread(self._advance, call, failed))
        self.last_success = self._ctx.clock.now()

    def _advance(self, call: PhaseCall, result: Result) -> bool:
        with self._database.begin() as conn:
            run = runs.lock(conn, call.run_id)
            if run is None or run.epoch != call.epoch:
                return False
            transition = advance(run, result, now=self._ctx.clock.stamp())
            runs.apply(conn, transition, self._durable.enqueue)
        return True
