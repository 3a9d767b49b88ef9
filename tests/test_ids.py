"""Names are derived: the same input gives the same id."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import ids

pytestmark = pytest.mark.fast


def test_a_title_becomes_a_branch_that_git_takes():
    assert ids.branch(42, "Add the consent log, s'il vous plaît!") == "agent/42-add-the-consent-log-s-il-vous-plait"


def test_a_second_run_gets_a_branch_of_its_own():
    assert ids.branch(42, "Consent log", 2) == "agent/42-consent-log-2"


@given(st.text(max_size=300))
def test_a_slug_is_always_safe(title: str):
    slug = ids.slug(title)
    assert 1 <= len(slug) <= 40
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert not slug.startswith("-")
    assert not slug.endswith("-")
