"""Places in a diff: which hunk a line stands in, and where a line went."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a diff: its hunk up to it, and GitHub's `position` (1 is the line under the first hunk header)."""

    hunk: str
    position: int


def locate(patch: str, line: int, side: str) -> Place | None:
    """Where line `line` of the old (LEFT) or new (RIGHT) file stands in the diff, or None where it is not part of it."""
    old = new = 0
    hunk: list[str] = []
    for position, text in enumerate(patch.splitlines()):
        if match := _HUNK.match(text):
            old, new, hunk = int(match[1]), int(match[3]), [text]
            continue
        hunk.append(text)
        sign = text[:1]
        on_left, on_right = sign in (" ", "-", ""), sign in (" ", "+", "")
        if (side == "LEFT" and on_left and old == line) or (side == "RIGHT" and on_right and new == line):
            return Place("\n".join(hunk), position)
        old, new = old + on_left, new + on_right
    return None


def moved(patch: str, line: int) -> int | None:
    """Where line `line` of the old file stands in the new one, or None where the change took it away."""
    old = new = 1
    for text in patch.splitlines():
        if match := _HUNK.match(text):
            start_old, start_new = int(match[1]), int(match[3])
            if line < start_old:
                return line + new - old
            old, new = start_old, start_new
            continue
        sign = text[:1]
        if sign in (" ", "-", "") and old == line:
            return None if sign == "-" else new
        old, new = old + (sign in (" ", "-", "")), new + (sign in (" ", "+", ""))
    return line + new - old
