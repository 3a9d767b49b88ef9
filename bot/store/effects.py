"""Rows of keyed effects: an intent before the act, its result after."""

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.metadata import metadata

effect = sa.Table(
    "effect",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("remote", sa.Text, nullable=True),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("done_at", sa.Float, nullable=True),
)


class SqlEffectRows:
    """Implements `EffectRows` on SQLite and Postgres. `now` gives seconds since the epoch."""

    def __init__(self, engine: sa.Engine, *, now: Callable[[], float]) -> None:
        self._engine = engine
        self._now = now

    def intend(self, key: str) -> tuple[bool, str | None]:
        """(fresh, remote): whether this call wrote the intent, and the result where there is one."""
        with self._engine.begin() as connection:
            made = connection.execute(self._insert(key)).first()
            if made is not None:
                return True, None
            return False, connection.execute(sa.select(effect.c.remote).where(effect.c.key == key)).scalar()

    def tried(self, key: str) -> int:
        """Count an attempt to act; returns how many there were."""
        change = effect.update().where(effect.c.key == key).values(tries=effect.c.tries + 1).returning(effect.c.tries)
        with self._engine.begin() as connection:
            return connection.execute(change).scalar_one()

    def finish(self, key: str, remote: str) -> None:
        """Write the result."""
        with self._engine.begin() as connection:
            connection.execute(effect.update().where(effect.c.key == key).values(remote=remote, done_at=self._now()))

    def _insert(self, key: str) -> sa.Executable:
        # RETURNING, never rowcount: psycopg says -1 for an insert whether it went in or not.
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        row = dialect.insert(effect).values(key=key, tries=0, created_at=self._now())
        return row.on_conflict_do_nothing().returning(effect.c.key)
