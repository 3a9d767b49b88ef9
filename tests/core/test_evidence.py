"""What rows of evidence add up to: could not run is never a pass, and red on both sides is never a pass."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.evidence import Row, Where, result_of

pytestmark = pytest.mark.fast


def row(
    where: Where = "head", *, code: int | None = 0, not_run: str = "", timed_out: bool = False, name: str = "unit"
) -> Row:
    return Row(name, "make test", where, code, 1.0, "", "", not_run=not_run, timed_out=timed_out)


def test_green_on_the_head_is_a_pass_even_where_the_base_was_red():
    assert result_of((row("base", code=1), row("head"))) == "PASS"


def test_nothing_that_ran_is_not_run():
    assert result_of((row("base"), row(code=None, not_run="not found"))) == "NOT RUN"


def test_no_command_at_all_is_not_run():
    assert result_of(()) == "NOT RUN"


def test_red_on_the_head_is_a_failure():
    assert result_of((row("base"), row(code=1))) == "FAIL"


def test_red_on_both_sides_says_so():
    assert result_of((row("base", code=1), row(code=1))) == "RED ON BASE"


def test_the_bases_tests_judge_the_new_code_too():
    assert result_of((row("base"), row("head"), row("base tests on head", code=1))) == "FAIL"


def test_a_timeout_is_no_pass_although_a_code_was_seen():
    assert result_of((row("base"), row(timed_out=True))) == "FAIL"


def test_one_command_that_could_not_run_spoils_the_pass():
    assert result_of((row("base"), row("head"), row("head", code=None, not_run="gone", name="types"))) != "PASS"


ROWS = st.builds(
    row,
    st.sampled_from(("head", "base", "base tests on head")),
    code=st.sampled_from((0, 1, None)),
    not_run=st.sampled_from(("", "gone")),
    timed_out=st.booleans(),
    name=st.sampled_from(("unit", "types")),
)


@given(st.lists(ROWS, max_size=8))
def test_a_pass_means_that_everything_on_the_new_code_passed(rows: list[Row]):
    if result_of(tuple(rows)) == "PASS":
        ours = [it for it in rows if it.where != "base"]
        assert [it for it in ours if it.where == "head"]
        assert all(it.passed for it in ours)


@given(st.lists(ROWS, min_size=1, max_size=8), st.integers(0, 7))
def test_making_a_row_on_the_new_code_red_never_makes_a_pass(rows: list[Row], at: int):
    worse = list(rows)
    worse[at % len(rows)] = replace(rows[at % len(rows)], where="head", exit_code=1)
    assert result_of(tuple(worse)) != "PASS"
