"""The first schema."""

from alembic import op

from bot.store.schema import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Everything at once."""
    metadata.create_all(op.get_bind())
