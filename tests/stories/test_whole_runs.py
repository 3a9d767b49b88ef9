"""A labelled issue becomes a verified pull request."""

import pytest

from bot.playground.samples import shop
from tests.stories.world import World

pytestmark = pytest.mark.story


def test_a_labelled_issue_becomes_one_ready_pull_request(world: World):
    # given a repository whose test suite is red, and an issue that says why
    sample = shop.sample()
    world.repository(sample.files)
    world.voice.policy = sample.policy
    number = world.issue(sample.title, sample.body)
    before = world.branches()

    # when somebody with write permission puts the label on
    world.label(number, "agent")

    # then the run ends in review, with one comment of each kind and one pull request, ready
    world.ends(number, "in-review")
    (pull,) = world.pulls()
    assert not pull.draft
    assert pull.head_ref == "agent/1-the-discount-is-taken-off-once-per-item"
    assert len(world.ours(number, "status")) == 1
    assert len(world.ours(number, "spec")) == 1
    assert world.ours(number, "attention") == []
    # and nothing but that branch moved
    assert {name: sha for name, sha in world.branches().items() if name != pull.head_ref} == before
    # and the evidence was made by us
    assert "How it was verified: PASS" in pull.issue.body
