"""The stores' databases."""

from tests.databases import database, template

__all__ = ["database", "template"]
