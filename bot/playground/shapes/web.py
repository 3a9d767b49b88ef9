"""Addresses and node ids that every shape shares."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from bot.playground.data import Repo


@dataclass(frozen=True, slots=True)
class Web:
    """Where the playground answers: REST base, pages base and git base, none with a trailing slash."""

    root: str

    @property
    def api(self) -> str:
        return f"{self.root}/api"

    @property
    def git(self) -> str:
        return f"{self.root}/git"

    def repo_api(self, repo: Repo) -> str:
        """REST address of a repository."""
        return f"{self.api}/repos/{repo.full_name}"

    def repo_html(self, repo: Repo) -> str:
        """Page of a repository."""
        return f"{self.root}/{repo.full_name}"


def node_id(prefix: str, number: int) -> str:
    """A global id: the kind's prefix and an opaque tail, decoded by `read_node_id`."""
    tail = base64.urlsafe_b64encode(number.to_bytes(9, "big")).decode()
    return f"{prefix}_{tail}"


def read_node_id(text: str) -> tuple[str, int] | None:
    """(prefix, number), or None where it is no id of ours."""
    prefix, _, tail = text.partition("_")
    if len(tail) != 12:
        return None
    try:
        return prefix, int.from_bytes(base64.urlsafe_b64decode(tail), "big")
    except ValueError:
        return None
