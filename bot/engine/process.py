"""The engine's process: take the lock, start the durable engine, run the loops, drain on SIGTERM."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.core.run import Phase
from bot.core.transition import PhaseCall
from bot.engine.durable import Body, Durable
from bot.engine.executor import ExecutorLock
from bot.ports import Clock
from bot.store.heartbeat import Beat, write_beat

log = logging.getLogger("journeyman.engine")
BEAT = 2.0


@dataclass(frozen=True, slots=True)
class Engine:
    """What `run` needs. `loops` run until the end; `listen` starts the poke socket and returns what closes it."""

    home: Path
    heartbeat: Path
    durable: Durable
    bodies: Mapping[Phase, Body]
    wanted: Callable[[PhaseCall], bool]
    queues: Mapping[str, int]
    loops: Sequence[Callable[[], Awaitable[None]]]
    listen: Callable[[], Callable[[], None]]
    name: str
    last_success: Callable[[], float]
    backlog: Callable[[], int]
    clock: Clock
    drain_seconds: int = 20


async def run(engine: Engine, *, ready: Callable[[], None] = lambda: None) -> None:
    """Until SIGTERM or SIGINT. Raises UserFacing when another engine holds the lock."""
    lock = ExecutorLock(engine.home)
    lock.take()
    engine.durable.bind(engine.bodies, engine.wanted)
    await engine.durable.start(engine.queues)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    close = engine.listen()
    tasks = [asyncio.ensure_future(it()) for it in (*engine.loops, lambda: _beat(engine))]
    ready()
    stopped = asyncio.ensure_future(stop.wait())
    done, _ = await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
    close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await engine.durable.drain(engine.drain_seconds)
    for task in done - {stopped}:
        task.result()  # a loop that ended by itself is a bug: its exception ends the process


async def _beat(engine: Engine) -> None:
    while True:
        write_beat(engine.heartbeat, Beat(engine.name, engine.clock.now(), engine.last_success(), engine.backlog()))
        await asyncio.sleep(BEAT)
