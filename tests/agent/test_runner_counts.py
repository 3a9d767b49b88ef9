"""Counts are what the runner's own summary says, or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.agent.runner_counts import counts
from bot.core.evidence import Counts

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("=========== 5 passed in 0.12s ===========", Counts(5, 0)),
        ("= 2 failed, 5 passed, 1 skipped, 3 warnings in 63.12s (0:01:03) =", Counts(5, 2, 1)),
        ("5 passed, 1 error in 0.12s", Counts(5, 1)),
        ("1 xfailed, 1 xpassed, 2 deselected in 0.12s", Counts(1, 0, 1)),
        ("======= no tests ran in 0.01s =======", Counts(0, 0)),
        ("\x1b[32m\x1b[1m5 passed\x1b[0m\x1b[32m in 0.12s\x1b[0m", Counts(5, 0)),
        ("3 passed in 0.1s\n...\n4 passed, 1 failed in 0.1s", Counts(7, 1)),
        ("-----\nRan 5 tests in 0.001s\n\nOK", Counts(5, 0)),
        ("Ran 5 tests in 0.001s\n\nOK (skipped=2)", Counts(3, 0, 2)),
        (
            "Ran 7 tests in 1.2s\n\nFAILED (failures=1, errors=2, skipped=1, expected failures=1, unexpected successes=1)",
            Counts(1, 4, 2),
        ),
        ("Ran 0 tests in 0.000s\n\nNO TESTS RAN", Counts(0, 0)),
        (
            "Test Suites: 1 failed, 2 passed, 3 total\nTests:       1 failed, 2 skipped, 5 passed, 8 total",
            Counts(5, 1, 2),
        ),
        (" Test Files  1 passed (1)\n      Tests  1 failed | 5 passed | 2 skipped (8)\n", Counts(5, 1, 2)),
        (
            "# tests 7\n# suites 0\n# pass 5\n# fail 1\n# cancelled 0\n# skipped 1\n# todo 0\n# duration_ms 3.4\n",
            Counts(5, 1, 1),
        ),
        (
            "ℹ tests 2\nℹ suites 0\nℹ pass 2\nℹ fail 0\nℹ cancelled 0\nℹ skipped 0\nℹ todo 0\nℹ duration_ms 3\n",
            Counts(2, 0),
        ),
        ("ok  \texample.org/a\t0.01s\nFAIL\texample.org/b\t0.02s\nFAIL\n", Counts(1, 1)),
        (
            "--- PASS: TestA (0.00s)\n--- FAIL: TestB (0.00s)\n--- SKIP: TestC (0.00s)\nFAIL\texample.org/b\t0.02s",
            Counts(1, 1, 1),
        ),
        ("ok  \texample.org/a\t(cached)\n?   \texample.org/c\t[no test files]", Counts(1, 0)),
        (
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured\n\ntest result: FAILED. 1 passed; 2 failed; 0 ignored;",
            Counts(6, 2, 1),
        ),
        (
            "Running 9 tests using 2 workers\n  1 failed\n    a.spec.ts:3 x\n  2 skipped\n  6 passed (12.3s)\n",
            Counts(6, 1, 2),
        ),
        ("  1 flaky\n  6 passed (1.2m)\n", Counts(7, 0)),
        ("I think all 5 tests passed.", None),
        ("5 passed", None),
        ("", None),
    ],
)
def test_a_runners_summary_is_read(output: str, expected: Counts | None):
    assert counts(output) == expected
    assert counts(output.encode()) == expected


@given(st.binary(max_size=300))
def test_whatever_was_printed_is_survived(output: bytes):
    counts(output)


HOSTILE = (
    "1 passed, " * 40_000,
    "1 " + "111 " * 40_000,
    "=" * 400_000,
    "Tests:" + " " * 400_000,
    "Tests:" + "\n" * 400_000,
    "\n" * 400_000,
    " " * 400_000,
    "Tests: " + "1 passed, " * 40_000,
    "# tests 1\n" * 40_000,
    "Ran 1 test in 1s\n" * 20_000,
    "\x1b[" * 100_000,
)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("output", HOSTILE)
def test_a_hostile_output_is_read_in_bounded_time(output: str):
    counts(output)
