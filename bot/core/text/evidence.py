"""Evidence in words: exactly what our own code observed, with the result in the title."""

from collections.abc import Iterable

from bot.core.evidence import Evidence, Result, Row
from bot.core.text import defang
from bot.core.text.figures import duration, listed, short
from bot.core.text.markdown import code, details, table

BASE_TESTS = "base's tests on the new code"


def word(row: Row, base: Row | None) -> Result:
    """PASS only for a command that ran to its end and exited 0; red on both sides is RED ON BASE, never a pass."""
    if row.not_run:
        return "NOT RUN"
    if row.passed:
        return "PASS"
    return "RED ON BASE" if base and not base.passed and not base.not_run else "FAIL"


def section(evidence: Evidence | None, *, heading: str = "### How it was verified") -> str:
    """The whole section; it says FAIL in its title where anything failed."""
    if evidence is None:
        return f"{heading}: NOT RUN\nNothing was verified on this commit."
    where = f"On a clean checkout of {code(short(evidence.sha))}, in the sandbox ({evidence.sandbox})"
    text = f"{heading}: {evidence.result}\n{where}, by Journeyman, not by the model; counts as reported by the test runners:"
    parts = [text, rows_table(evidence), base_sentence(evidence)]
    parts += [_tail(row) for row in evidence.rows if row.where != "base" and not row.passed and row.output_tail]
    return "\n\n".join(part for part in parts if part)


def rows_table(evidence: Evidence) -> str:
    """One row a command; commands that were not run keep theirs, with the reason."""
    rows = [_cells(row, _on_base(evidence, row)) for row in evidence.rows if row.where != "base"]
    if not rows:
        rows = [("no command", "", "", "", "**NOT RUN**: no verify command is declared or was found")]
    return table(("check", "command", "exit", "time", "result"), rows)


def base_sentence(evidence: Evidence) -> str:
    """How the same commands did on the base commit."""
    rows = [row for row in evidence.rows if row.where == "base"]
    base = code(short(evidence.base_sha))
    if not rows:
        return f"Base {base} was not run."
    red = [row.name for row in rows if not row.passed and not row.not_run]
    skipped = [row.name for row in rows if row.not_run]
    if red:
        said = f"Base {base} was red: {_names(red)}."
    elif len(skipped) == len(rows):
        return f"Base {base} was not run: {defang.line(rows[0].not_run, 200)}."
    else:
        said = f"Base {base} was green: {_names(row.name for row in rows if row.passed)}."
    return f"{said} Not run there: {_names(skipped)}." if skipped else said


def failing(evidence: Evidence) -> tuple[str, ...]:
    """Names of the commands that failed on the new commit."""
    rows = (row for row in evidence.rows if row.where != "base")
    return tuple(row.name for row in rows if word(row, _on_base(evidence, row)) == "FAIL")


def headline(evidence: Evidence) -> str:
    """One line: `PASS: 5 of 5 commands`, `FAIL: unit`."""
    rows = [row for row in evidence.rows if row.where != "base"]
    if names := failing(evidence):
        return f"{evidence.result}: {listed([defang.plain(name, 60) for name in names])}"
    passed = sum(row.passed for row in rows)
    return f"{evidence.result}: {passed} of {len(rows)} commands passed"


def _on_base(evidence: Evidence, row: Row) -> Row | None:
    return next((each for each in evidence.rows if each.where == "base" and each.name == row.name), None)


def _cells(row: Row, base: Row | None) -> tuple[str, ...]:
    name = defang.line(row.name, 80)
    if row.where == "base tests on head":
        name = BASE_TESTS if row.name == "base tests" else f"{BASE_TESTS}: {name}"
    command = defang.span(row.command) + ("" if row.declared else " (found)")
    said = word(row, base)
    if said == "NOT RUN":
        return (name, command, "", "", f"**NOT RUN**: {defang.line(row.not_run, 200)}")
    result = said if said == "PASS" else f"**{said}**"
    if row.timed_out:
        result += ", stopped at its time limit"
    if row.counts:
        result += f", {_counts(row)}" + (f" (base: {base.counts.passed})" if base and base.counts else "")
    return (name, command, "" if row.exit_code is None else str(row.exit_code), duration(row.seconds), result)


def _counts(row: Row) -> str:
    counts = row.counts
    if counts is None:
        return ""
    said = [f"{counts.passed} passed"]
    if counts.failed:
        said.append(f"{counts.failed} failed")
    if counts.skipped:
        said.append(f"{counts.skipped} skipped")
    return ", ".join(said)


def _tail(row: Row) -> str:
    name = defang.plain(row.name, 80).replace("&", "&amp;").replace("<", "&lt;")
    return details(f"Last output of {name}", defang.fenced(row.output_tail))


def _names(names: Iterable[str]) -> str:
    return listed([defang.span(name, 80) for name in names])
