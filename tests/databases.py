"""A migrated main database in a file, as the engine opens it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.store.database import open_database
from bot.store.migrate import migrate


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("template") / "main.db"
    database = open_database(f"sqlite:///{path}")
    migrate(database)
    with database.connect() as conn:
        conn.execute(sa.text("pragma wal_checkpoint(truncate)"))
    database.dispose()
    return path.read_bytes()


@pytest.fixture
def database(template: bytes, tmp_path: Path) -> Iterator[sa.Engine]:
    path = tmp_path / "main.db"
    path.write_bytes(template)
    made = open_database(f"sqlite:///{path}")
    yield made
    made.dispose()
