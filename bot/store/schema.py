"""Every table of ours, gathered on the one metadata."""

from bot.store import effects, projection, tables
from bot.store.metadata import metadata

__all__ = ["effects", "metadata", "projection", "tables"]
