"""The one door: every input that may move a run is a row here, committed to disk before anybody is told that it arrived.

A SQLite file of its own, so that nothing that a run writes can delay a delivery. The web process writes through one thread that
commits whatever is queued as one transaction (one fsync for many deliveries); the engine reads. Standard library only: the web
process has to stay small.
"""

import asyncio
import contextlib
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.ports import Transient

Stored = Literal["stored", "duplicate"]

BATCH = 256
"""Rows that one transaction takes at most."""
PATIENCE_MS = 8_000
"""How long a writer waits for another one."""

_SCHEMA = """
create table if not exists inbox (
  id integer primary key autoincrement,
  guid text not null unique,
  event text not null,
  action text not null default '',
  body blob not null,
  received_at real not null,
  taken real,
  problem text
);
create index if not exists inbox_waiting on inbox (id) where taken is null;
"""
_INSERT = """
insert into inbox (guid, event, action, body, received_at, taken) values (?, ?, ?, ?, ?, ?) on conflict (guid) do nothing
"""


@dataclass(frozen=True, slots=True)
class InboxRow:
    """An input as it came. `guid` is GitHub's delivery id, or `cli-…`, `timer-…` for inputs of our own; `received_at` is in epoch seconds.

    `routed=False` keeps the row for the record, without its body and without ever handing it to the engine.
    """

    guid: str
    event: str
    body: bytes
    received_at: float
    action: str = ""
    routed: bool = True

    def values(self) -> tuple[object, ...]:
        """The row as the table's columns."""
        if self.routed:
            return (self.guid, self.event, self.action, self.body, self.received_at, None)
        return (self.guid, self.event, self.action, b"", self.received_at, self.received_at)


@dataclass(frozen=True, slots=True)
class _Waiting:
    row: InboxRow
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Stored]


class Inbox:
    """Both sides of the door; safe to use from several threads and processes at once."""

    def __init__(self, path: Path) -> None:
        """Use `Inbox.open`."""
        self._path = path
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._lock = threading.Lock()
        self._connection = connect(path)
        self._words_in_log = True

    @classmethod
    def open(cls, path: Path) -> "Inbox":
        """Open the file, making it (readable by its owner only) where it does not exist. Raises Transient when it can't be."""
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            return cls(path)
        except (OSError, sqlite3.Error) as problem:
            raise Transient(f"the inbox {path} can't be opened: {problem}") from problem

    def close(self) -> None:
        """Commit what is queued, then let go of the file."""
        if self._writer is not None:
            self._queue.put(None)
            self._writer.join()
            self._writer = None
        with self._lock:
            self._connection.close()

    # ---- writing ----------------------------------------------------------------------------------------------------

    async def put(self, row: InboxRow) -> Stored:
        """Store a row; when this returns, it survives a crash. Raises Transient when it can't be stored (disk full, locked)."""
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name="inbox", daemon=True)
            self._writer.start()
        loop = asyncio.get_running_loop()
        waiting = _Waiting(row, loop, loop.create_future())
        self._queue.put(waiting)
        return await waiting.answer

    def add(self, row: InboxRow) -> Stored:
        """`put` for callers without an event loop."""
        with self._lock:
            try:
                return _store(self._connection, [row])[0]
            except sqlite3.Error as problem:
                raise Transient(f"the inbox can't store a row: {problem}") from problem

    def _write(self) -> None:
        connection: sqlite3.Connection | None = None
        open_ = True
        while open_:
            first = self._queue.get()
            batch = [first] if first else []
            open_ = first is not None
            while open_ and len(batch) < BATCH and not self._queue.empty():
                following = self._queue.get()
                open_ = following is not None
                if following:
                    batch.append(following)
            if not batch:
                continue
            try:
                connection = connection or connect(self._path)
                answers: Sequence[Stored | Transient] = _store(connection, [one.row for one in batch])
            except sqlite3.Error as problem:
                answers = [Transient(f"the inbox can't store a row: {problem}")] * len(batch)
                # A fresh connection next time: the trouble may have been this one's.
                if connection:
                    connection.close()
                connection = None
            _tell(batch, answers)
        if connection:
            connection.close()

    # ---- reading ----------------------------------------------------------------------------------------------------

    def take(self, limit: int = 200) -> list[InboxRow]:
        """The oldest rows that nobody has marked as taken; reading them again after a crash is expected."""
        with self._lock:
            found = self._connection.execute(
                "select guid, event, action, body, received_at from inbox where taken is null order by id limit ?",
                (limit,),
            ).fetchall()
        return [InboxRow(guid, event, body, at, action) for guid, event, action, body, at in found]

    def find(self, guid: str) -> InboxRow | None:
        """One row, taken or not, for a replay."""
        with self._lock:
            found = self._connection.execute(
                "select event, action, body, received_at from inbox where guid = ?", (guid,)
            ).fetchone()
        return InboxRow(guid, found[0], found[2], found[3], found[1]) if found else None

    def mark_taken(self, guids: Iterable[str], problems: Mapping[str, str] | None = None) -> None:
        """These rows are dealt with: their bodies, people's words, go; `problems` keeps, by guid, why one could not be read."""
        problems = problems or {}
        now = time.time()
        with self._lock, _transaction(self._connection):
            self._connection.executemany(
                "update inbox set taken = ?, problem = coalesce(?, problem), body = x'' where guid = ?",
                [(now, problems.get(guid), guid) for guid in guids],
            )
            self._words_in_log = True

    def forget(self) -> None:
        """Take the bodies that went out of the write-ahead log too. For an idle moment: where somebody writes, it is left for the next."""
        with self._lock:
            if not self._words_in_log:
                return
            self._connection.execute("pragma busy_timeout=0").fetchall()
            try:
                busy, _, _ = self._connection.execute("pragma wal_checkpoint(truncate)").fetchone()
                self._words_in_log = bool(busy)
            except sqlite3.OperationalError:
                return
            finally:
                self._connection.execute(f"pragma busy_timeout={PATIENCE_MS}").fetchall()

    def backlog(self) -> int:
        """How many rows wait to be taken."""
        with self._lock:
            return self._connection.execute("select count(*) from inbox where taken is null").fetchone()[0]


def connect(path: Path) -> sqlite3.Connection:
    """A connection that commits to the disk (WAL, FULL), overwrites what goes, and makes the table where it is missing.

    Raises sqlite3.Error.
    """
    connection = sqlite3.connect(path, timeout=PATIENCE_MS / 1000, isolation_level=None, check_same_thread=False)
    _enter_wal(connection)
    for pragma in ("synchronous=FULL", "journal_size_limit=67108864", "secure_delete=on"):
        connection.execute(f"pragma {pragma}").fetchall()
    if not connection.execute("select 1 from sqlite_master where name = 'inbox_waiting'").fetchone():
        with _transaction(connection):
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
    return connection


def _enter_wal(connection: sqlite3.Connection, patience: float = PATIENCE_MS / 1000) -> None:
    """SQLite's busy timeout does not cover the change into WAL: two processes that make the file at once have to be patient themselves."""
    end = time.monotonic() + patience
    while True:
        try:
            connection.execute("pragma journal_mode=WAL").fetchall()
            return
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Generator[None, None, None]:
    # IMMEDIATE takes the write lock before anything is read, so that two writers wait for each other and neither fails.
    connection.execute("begin immediate")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise


def _store(connection: sqlite3.Connection, rows: Sequence[InboxRow]) -> list[Stored]:
    with _transaction(connection):
        return ["stored" if connection.execute(_INSERT, row.values()).rowcount == 1 else "duplicate" for row in rows]


def _tell(batch: Sequence[_Waiting], answers: Sequence[Stored | Transient]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Waiting, Stored | Transient]]] = {}
    for waiting, answer in zip(batch, answers, strict=True):
        by_loop.setdefault(waiting.loop, []).append((waiting, answer))
    for loop, told in by_loop.items():
        # The loop may have been closed while its rows were written: they are stored, and nobody is left to hear it.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle, told)


def _settle(told: list[tuple[_Waiting, Stored | Transient]]) -> None:
    for waiting, answer in told:
        if waiting.answer.done():
            continue
        if isinstance(answer, Transient):
            waiting.answer.set_exception(answer)
        else:
            waiting.answer.set_result(answer)
