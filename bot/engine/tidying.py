"""Checkouts that no run needs any more are removed: those of ended runs, and what a crash left half done."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.ports import PortError

log = logging.getLogger("journeyman.tidying")
AT_LEAST, AT_MOST = 1.0, 60.0
"""Seconds between two looks: a run that changes often is looked at no more often than the first, and every run by the second."""


class TidyingLoop:
    """Sweeps at the start, soon after each `poke()`, and once a minute."""

    def __init__(self, sweep: Callable[[], Awaitable[None]]) -> None:
        self._sweep = sweep
        self._woken = asyncio.Event()

    def poke(self) -> None:
        """A run changed, or a phase ended."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._woken.clear()
            try:
                await self._sweep()
            except PortError as problem:
                log.warning("checkouts are removed later: %s", problem)
            await asyncio.sleep(AT_LEAST)
            try:
                async with asyncio.timeout(AT_MOST):  # wait_for of Python 3.11 may swallow a cancellation
                    await self._woken.wait()
            except TimeoutError:
                continue
