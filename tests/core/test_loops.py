"""Nothing that we say can start us again, and nobody can keep us talking."""

import pytest

from bot.core.caps import HOUR, Caps, within
from bot.core.commands import VERBS, CommandError, parse_command
from bot.core.text import intake

pytestmark = pytest.mark.fast

NOW = 1_700_000_000.0


@pytest.mark.parametrize("verb", VERBS)
def test_our_own_sentences_hold_no_live_command(verb: str):
    said = [intake.not_available(verb), intake.issues_only(verb), intake.label_on_pull_request("/agent")]
    for rest in ("", " nothing that fits", " from=nowhere", " " + "x" * 9_000):
        error = parse_command(f"/agent {verb}{rest}")
        said += [error.sentence] if isinstance(error, CommandError) else []
    assert [parse_command(sentence) for sentence in said] == [None] * len(said)


def test_an_issue_is_acted_on_so_often_an_hour_and_no_oftener():
    caps = Caps(per_issue=2, per_repo=9)
    assert within(caps, now=NOW, issue=[NOW - 5], repo=[])
    assert not within(caps, now=NOW, issue=[NOW - 5, NOW], repo=[])


def test_a_repository_is_acted_on_so_often_an_hour_and_no_oftener():
    caps = Caps(per_issue=9, per_repo=2)
    assert within(caps, now=NOW, issue=[], repo=[NOW - 5])
    assert not within(caps, now=NOW, issue=[], repo=[NOW - 5, NOW - 6])


def test_what_is_older_than_an_hour_no_longer_counts():
    assert within(Caps(1, 1), now=NOW, issue=[NOW - HOUR], repo=[NOW - HOUR])
    assert not within(Caps(1, 1), now=NOW, issue=[NOW - HOUR + 1], repo=[])
