"""The schema that migrations make is the schema that the code means."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from bot.ports import UserFacing
from bot.store.database import open_database
from bot.store.migrate import migrate
from bot.store.schema import metadata

pytestmark = pytest.mark.fast


@pytest.fixture
def database(tmp_path: Path):
    engine = open_database(f"sqlite:///{tmp_path / 'journeyman.db'}")
    yield engine
    engine.dispose()


def test_a_migrated_database_is_what_the_tables_say(database: sa.Engine):
    migrate(database)
    with database.connect() as conn:
        assert compare_metadata(MigrationContext.configure(conn), metadata) == []


def test_migrating_again_changes_nothing(database: sa.Engine):
    migrate(database)
    with database.begin() as conn:
        conn.execute(sa.text("insert into handled (guid, at) values ('g', 'now')"))
    migrate(database)
    with database.connect() as conn:
        assert conn.execute(sa.text("select count(*) from handled")).scalar() == 1


def test_a_database_of_a_newer_version_is_refused_in_one_sentence(database: sa.Engine):
    migrate(database)
    with database.begin() as conn:
        conn.execute(sa.text("update alembic_version set version_num = '9999'"))
    with pytest.raises(UserFacing, match="written by a newer Journeyman"):
        migrate(database)


def test_an_issue_has_one_active_run_at_most(database: sa.Engine):
    migrate(database)
    row = "insert into run values (:id, 1, 42, :n, 1, 'Drafting', 1, 1, 1, '', '{}')"
    with database.begin() as conn:
        conn.execute(sa.text(row), {"id": "a", "n": 1})
    with pytest.raises(sa.exc.IntegrityError), database.begin() as conn:
        conn.execute(sa.text(row), {"id": "b", "n": 2})
