"""Repositories to try things on, each with an issue and a script that plays the models. A script drives the edit; the machine is real."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.playground.samples.sample import Sample

NAMES = ("shop", "parse")


def load(name: str) -> "Sample":
    """The sample with that name; `parse` is fetched from the package index. Raises KeyError for an unknown one."""
    if name not in NAMES:
        raise KeyError(name)
    return import_module(f"{__name__}.{name}").sample()
