"""Markdown's own syntax: cells, tables, code spans, details. What goes in is either ours or defanged before."""

import re
from collections.abc import Iterable, Sequence


def cell(text: str) -> str:
    """Text inside a table: on one line, pipes escaped (GitHub takes `\\|` inside code spans too)."""
    return re.sub(r"\\*\|", r"\\|", " ".join(text.split()))


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, cells escaped here."""
    lines = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    lines += [f"| {' | '.join(cell(each) for each in row)} |" for row in rows]
    return "\n".join(lines)


def code(text: str) -> str:
    """A code span around any text, on one line."""
    flat = " ".join(text.split())
    if "`" not in flat:
        return f"`{flat}`" if flat else ""
    longest, run = 0, 0
    for char in flat:
        run = run + 1 if char == "`" else 0
        longest = max(longest, run)
    ticks = "`" * (longest + 1)
    return f"{ticks} {flat} {ticks}"


def details(summary: str, body: str) -> str:
    """A folded section."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n</details>"


def labelled(label: str, text: str) -> str:
    """`**Label.** text`; a text that needs the start of a line (fence, list, table, quote) gets one."""
    apart = text.startswith(("```", "~~~", "- ", "* ", "+ ", "> ", "|", "#", "    ")) or text[:2].rstrip(".)").isdigit()
    return f"**{label}.**{chr(10) * 2 if apart else ' '}{text}"
