"""Test counts read from a runner's summary lines: as reported by the runner, so only as true as the runner."""

import re
from collections.abc import Callable

from bot.core.evidence import Counts

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
TAIL = 200_000
"""Characters from the end that are looked at: summaries come last."""


def counts(output: bytes | str) -> Counts | None:
    """The sum over the summary lines of the first runner that is recognised; None where no known summary stands in the output."""
    text = output.decode(errors="replace") if isinstance(output, bytes) else output
    text = ANSI.sub("", text[-TAIL:]).replace("\r", "")
    for read in READERS:
        got = read(text)
        if got is not None:
            return got
    return None


def _sum(rows: list[tuple[int, int, int]]) -> Counts | None:
    if not rows:
        return None
    passed, failed, skipped = (sum(row[n] for row in rows) for n in range(3))
    return Counts(passed, failed, skipped)


def _words(line: str) -> dict[str, int]:
    return {word.lower(): int(number) for number, word in re.findall(r"(\d+) ([A-Za-z]+)", line)}


def _pytest(text: str) -> Counts | None:
    """`=== 2 failed, 5 passed, 1 skipped in 0.12s ===`, bare under `-q`; `no tests ran in 0.01s`."""
    rows = []
    pattern = r"^(?:=+ )?(\d+ [a-z]+(?:, \d+ [a-z]+)*|no tests ran) in [\d.]+s(?: \([\d:]+\))?(?: =+)?$"
    for line in re.findall(pattern, text, re.MULTILINE):
        words = _words(line)
        failed = words.get("failed", 0) + words.get("error", 0) + words.get("errors", 0)
        skipped = words.get("skipped", 0) + words.get("xfailed", 0)
        rows.append((words.get("passed", 0) + words.get("xpassed", 0), failed, skipped))
    return _sum(rows)


def _unittest(text: str) -> Counts | None:
    """`Ran 5 tests in 0.001s`, then `OK (skipped=1)` or `FAILED (failures=1, errors=2)`."""
    rows = []
    for total, ending in re.findall(
        r"^Ran (\d+) tests? in [\d.]+s\s+((?:OK|FAILED|NO TESTS RAN)[^\n]*)$", text, re.MULTILINE
    ):
        said = {name: int(number) for name, number in re.findall(r"([a-z ]+)=(\d+)", ending)}
        said = {name.strip(): number for name, number in said.items()}
        failed = said.get("failures", 0) + said.get("errors", 0) + said.get("unexpected successes", 0)
        skipped = said.get("skipped", 0) + said.get("expected failures", 0)
        rows.append((max(int(total) - failed - skipped, 0), failed, skipped))
    return _sum(rows)


def _jest(text: str) -> Counts | None:
    """jest: `Tests:       1 failed, 2 skipped, 5 passed, 8 total`."""
    rows = []
    for line in re.findall(r"^Tests:[ \t]+(\d[^\n]*)$", text, re.MULTILINE):
        words = _words(line)
        if "total" not in words:
            continue
        rows.append((words.get("passed", 0), words.get("failed", 0), words.get("skipped", 0) + words.get("todo", 0)))
    return _sum(rows)


def _vitest(text: str) -> Counts | None:
    """vitest: `      Tests  1 failed | 5 passed | 2 skipped (8)`."""
    rows = []
    for line in re.findall(r"^[ \t]+Tests[ \t]+(\d[^\n]*\))$", text, re.MULTILINE):
        words = _words(line)
        rows.append((words.get("passed", 0), words.get("failed", 0), words.get("skipped", 0) + words.get("todo", 0)))
    return _sum(rows)


def _node_test(text: str) -> Counts | None:
    """node --test: `# pass 5` in TAP, `ℹ pass 5` in the spec reporter."""
    rows = []
    for block in re.findall(r"^(?:#|ℹ) tests \d+\n(?:(?:#|ℹ) \w+ [\d.]+\n?)+", text, re.MULTILINE):
        said = {name: int(number) for name, number in re.findall(r"^(?:#|ℹ) (\w+) (\d+)", block, re.MULTILINE)}
        rows.append(
            (
                said.get("pass", 0),
                said.get("fail", 0) + said.get("cancelled", 0),
                said.get("skipped", 0) + said.get("todo", 0),
            )
        )
    return _sum(rows)


def _go(text: str) -> Counts | None:
    """go test: tests by their own lines where `-v` prints them, else packages: `ok  example.org/a 0.01s`, `FAIL example.org/b 0.02s`."""
    tests = re.findall(r"^--- (PASS|FAIL|SKIP): ", text, re.MULTILINE)
    packages = re.findall(
        r"^(ok|FAIL)[ \t]+\S+[ \t]+(?:[\d.]+s|\(cached\)|\[build failed\]|\[setup failed\])", text, re.MULTILINE
    )
    if not packages:
        return None
    if "PASS" in tests:
        return Counts(tests.count("PASS"), tests.count("FAIL"), tests.count("SKIP"))
    return Counts(packages.count("ok"), packages.count("FAIL"))


def _cargo(text: str) -> Counts | None:
    """cargo test: one `test result: ok. 5 passed; 0 failed; 1 ignored; …` for each target."""
    found = re.findall(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored", text, re.MULTILINE)
    return _sum([(int(passed), int(failed), int(ignored)) for passed, failed, ignored in found])


def _playwright(text: str) -> Counts | None:
    """Playwright: `  6 passed (12.3s)`, with `  1 failed`, `  1 flaky` and `  2 skipped` on lines of their own before it."""
    pattern = r"^  (\d+) (passed|failed|flaky|skipped|interrupted|did not run)(?: \([\d.]+(?:ms|s|m|h)\))?$"
    found = [(word, int(number)) for number, word in re.findall(pattern, text, re.MULTILINE)]
    if not found:
        return None
    said = {word: sum(number for other, number in found if other == word) for word, _ in found}
    passed = said.get("passed", 0) + said.get("flaky", 0)
    return Counts(
        passed, said.get("failed", 0) + said.get("interrupted", 0), said.get("skipped", 0) + said.get("did not run", 0)
    )


READERS: tuple[Callable[[str], Counts | None], ...] = (
    _pytest, _unittest, _jest, _vitest, _node_test, _cargo, _go, _playwright,
)  # fmt: skip
