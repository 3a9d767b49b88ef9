"""Rows of the publisher: one JSON document an issue."""

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bot.core.projection import Projection
from bot.store.metadata import metadata

projection = sa.Table(
    "projection",
    metadata,
    sa.Column("repo_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("issue", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("doc", sa.LargeBinary, nullable=False),
)


class SqlProjectionRows:
    """Implements `ProjectionRows` on SQLite and Postgres."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def load(self, repo_id: int, issue: int) -> Projection:
        """The row, or an empty projection where nothing was published yet."""
        wanted = sa.select(projection.c.doc).where(projection.c.repo_id == repo_id, projection.c.issue == issue)
        with self._engine.connect() as connection:
            doc = connection.execute(wanted).scalar()
        return msgspec.json.decode(doc, type=Projection) if doc else Projection()

    def save(self, repo_id: int, issue: int, what: Projection) -> None:
        """Insert or replace."""
        doc = msgspec.json.encode(what)
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        row = dialect.insert(projection).values(repo_id=repo_id, issue=issue, doc=doc)
        put = row.on_conflict_do_update(index_elements=["repo_id", "issue"], set_={"doc": doc})
        with self._engine.begin() as connection:
            connection.execute(put)

    def drop(self, repo_id: int) -> None:
        """Forget everything of a repository."""
        with self._engine.begin() as connection:
            connection.execute(projection.delete().where(projection.c.repo_id == repo_id))
