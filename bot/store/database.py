"""The one SQLAlchemy engine: ours and the durable engine's tables live in the same database, which gives one-transaction hand-overs."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "busy_timeout=30000",
    "foreign_keys=ON",
    "journal_size_limit=67108864",
)


def open_database(url: str) -> sa.Engine:
    """An engine for a SQLite file or Postgres. On SQLite a transaction takes the write lock at its first DML: write first, then read."""
    if not url.startswith("sqlite"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
        return sa.create_engine(url, pool_size=20, max_overflow=0, pool_pre_ping=True)
    engine = sa.create_engine(
        url, pool_size=20, max_overflow=0, pool_timeout=30, connect_args={"check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in PRAGMAS:
            connection.execute("PRAGMA " + pragma)

    return engine
