"""A task's turns as encrypted blobs, one a row, in order."""

import msgspec

from bot.core.conversation import Json
from bot.ports import Blobs


class BlobJournal:
    """`ports.Journal` over blobs of one kind (`turn/1/t1/1`: line, task, attempt)."""

    def __init__(self, blobs: Blobs, run_id: str, kind: str) -> None:
        self._blobs, self._run, self._kind = blobs, run_id, kind
        self._next = blobs.last(run_id, kind) + 1

    def entries(self) -> list[Json]:
        """All entries so far, oldest first."""
        rows = (self._blobs.get(self._run, self._kind, seq) for seq in range(self._next))
        return [msgspec.json.decode(row) for row in rows if row is not None]

    def append(self, entry: Json) -> None:
        """Durable when it returns."""
        self._blobs.put(self._run, self._kind, self._next, msgspec.json.encode(entry))
        self._next += 1
