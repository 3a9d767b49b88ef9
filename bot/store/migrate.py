"""The schema of the main database, moved forward by Alembic: SQLite at every start, Postgres by `journeyman db upgrade`."""

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from bot.ports import UserFacing


def migrate(database: sa.Engine) -> None:
    """Bring the schema to this version's. Raises UserFacing for a database that a newer version wrote."""
    config = Config()
    config.set_main_option("script_location", "bot.store:migrations")
    config.set_main_option("path_separator", "os")
    head = ScriptDirectory.from_config(config).get_current_head()
    with database.connect() as conn:
        here = MigrationContext.configure(conn).get_current_revision()
    if here == head:
        return
    with database.begin() as conn:
        config.attributes["connection"] = conn
        try:
            command.upgrade(config, "head")
        except CommandError as problem:
            raise UserFacing(
                f"The database was written by a newer Journeyman (schema {here}): start that version, or restore a backup.",
                verb="",
            ) from problem
