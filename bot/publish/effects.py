"""GitHub writes that can't be recomputed, done once a key: intent row, lock, look, ownership, act, result row.

The durable engine fences the checkpoints of a process that lost its workflow, never its effects: the lock, the intent row and the
question whether the workflow is still ours do. The order matters.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from bot.ports import Cancelled, Transient

Find = Callable[[], Awaitable[str | None]]
Act = Callable[[], Awaitable[str]]
StillMine = Callable[[], Awaitable[bool]]


class EffectRows(Protocol):
    """Intent and result rows; each call is one short transaction, durable (synchronous=FULL) when it returns."""

    def intend(self, key: str) -> tuple[bool, str | None]:
        """(fresh, remote): whether this call wrote the intent, and the result where there is one."""
        ...

    def tried(self, key: str) -> int:
        """Count an attempt to act; returns how many there were."""
        ...

    def finish(self, key: str, remote: str) -> None:
        """Write the result."""
        ...


@dataclass(slots=True)
class _Holder:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class KeyLocks:
    """One lock a key within this process; a fleet hands in one that holds an advisory lock besides."""

    def __init__(self) -> None:
        self._held: dict[str, _Holder] = {}

    @asynccontextmanager
    async def __call__(self, key: str) -> AsyncGenerator[None]:
        """Hold the key; others wait."""
        holder = self._held.setdefault(key, _Holder())
        holder.users += 1
        try:
            async with holder.lock:
                yield
        finally:
            holder.users -= 1
            if not holder.users:
                self._held.pop(key, None)


class KeyedEffects:
    """The adapter of `ports.Effects`.

    `waits` are the seconds before each look for an effect whose answer was lost: GitHub's lists lag behind its writes. `tries` bounds
    the acts of one call.
    """

    def __init__(
        self,
        rows: EffectRows,
        *,
        lock: Callable[[str], AbstractAsyncContextManager[None]] | None = None,
        waits: tuple[float, ...] = (1.0, 3.0, 6.0),
        tries: int = 3,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._rows = rows
        self._lock = lock or KeyLocks()
        self._waits = waits
        self._tries = tries
        self._sleep = sleep

    async def once(self, key: str, find: Find, act: Act, still_mine: StillMine) -> str:
        """The remote id, found or made. Raises Cancelled when ownership is lost, Transient when the tries are used up."""
        async with self._lock(key):
            fresh, remote = await asyncio.to_thread(self._rows.intend, key)
            if remote is not None:
                return remote
            # A fresh, durable intent means that nobody can have acted: one read is saved.
            remote = None if fresh else await self._look(find)
            if remote is None:
                remote = await self._act(key, find, act, still_mine)
            await asyncio.to_thread(self._rows.finish, key, remote)
            return remote

    async def _act(self, key: str, find: Find, act: Act, still_mine: StillMine) -> str:
        for left in reversed(range(self._tries)):
            if not await still_mine():
                raise Cancelled(f"{key} belongs to somebody else now")
            await asyncio.to_thread(self._rows.tried, key)
            try:
                return await act()
            except Transient as lost:
                # Unanswered is unknown: it may have been done.
                found = await self._look(find)
                if found is not None:
                    return found
                if not left or lost.retry_at is not None:
                    raise
        raise Transient(f"{key} was not tried")

    async def _look(self, find: Find) -> str | None:
        for wait in self._waits:
            await self._sleep(wait)
            found = await find()
            if found is not None:
                return found
        return None
