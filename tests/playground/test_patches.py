"""Lines in diffs, against difflib."""

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.playground.patches import locate, moved

pytestmark = pytest.mark.fast
LINES = st.lists(st.sampled_from("abcde"), max_size=12)


def _patch(old: list[str], new: list[str]) -> str:
    return "\n".join(list(difflib.unified_diff(old, new, lineterm=""))[2:])


@given(LINES, LINES)
def test_a_line_that_moved_is_the_same_line(old: list[str], new: list[str]) -> None:
    patch = _patch(old, new)
    for number, text in enumerate(old, 1):
        place = moved(patch, number)
        assert place is None or new[place - 1] == text


@given(LINES, LINES)
def test_lines_keep_their_order(old: list[str], new: list[str]) -> None:
    patch = _patch(old, new)
    places = [place for number in range(1, len(old) + 1) if (place := moved(patch, number))]
    assert places == sorted(set(places))


@given(LINES, LINES)
def test_a_line_of_the_diff_is_the_last_of_its_hunk(old: list[str], new: list[str]) -> None:
    patch = _patch(old, new)
    for number, text in enumerate(new, 1):
        place = locate(patch, number, "RIGHT")
        assert place is None or place.hunk.splitlines()[-1][1:] == text


def test_a_line_outside_every_hunk_is_not_part_of_the_diff() -> None:
    old = [str(number) for number in range(40)]
    patch = _patch(old, [*old[:20], "x", *old[21:]])
    assert locate(patch, 2, "RIGHT") is None
    assert locate(patch, 21, "RIGHT") is not None
