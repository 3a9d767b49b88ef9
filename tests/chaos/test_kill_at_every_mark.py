"""kill -9 of the engine wherever it has just made something durable; the playground counts what came of it."""

import os
from dataclasses import replace

import pytest

from bot.agent.stops import INTERRUPTED
from bot.playground.samples import shop
from bot.playground.samples.sample import Sample
from bot.playground.vendor_replies import Call, Policy, Reply, as_answer, tools
from tests.chaos.ward import Ward, ours, writes
from tests.stories.world import World

EVERYWHERE = os.environ.get("CHAOS") == "all"
"""`make chaos` strikes every mark of every kind; `make test` every phase and workflow, and the first dozen of the others."""
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(280)]


def exactly_one_of_each(world: World, number: int) -> None:
    """One pull request, one comment of each kind, one push, one check run: by the playground's own count."""
    counted = ours(world)
    assert {kind: counted[kind] for kind in ("comment", "pull", "push", "check_run", "ready")} == {
        "comment": 2,
        "pull": 1,
        "push": 1,
        "check_run": 1,
        "ready": 1,
    }, writes(world)
    reactions = [(it.id, it.detail) for it in writes(world) if it.kind == "reaction"]
    assert len(reactions) == len(set(reactions))
    assert len(world.ours(number, "status")) == 1
    assert len(world.ours(number, "spec")) == 1
    (pull,) = world.pulls()
    assert not pull.draft
    assert "How it was verified: PASS" in pull.issue.body
    assert [it for it in world.labels(number) if it.startswith("agent")] == ["agent/in-review"]


@pytest.mark.parametrize(
    "kinds",
    [("phase", "workflow"), ("step",), ("effect", "receipt"), ("charge", "blob")],
    ids=lambda kinds: "+".join(kinds),
)
def test_a_kill_at_every_mark_changes_nothing_of_what_a_person_sees(here: Ward, kinds: tuple[str, ...]):
    # given an issue that a run will take to its pull request
    world, sample = here.world("struck"), shop.sample()
    world.repository(sample.files)
    world.voice.policy = sample.policy
    number = world.issue(sample.title, sample.body)
    # when the engine is killed each time that it has just made something of these kinds durable
    world.label(number, "agent")
    most = None if EVERYWHERE or "phase" in kinds else 12
    struck = here.strike(kinds, lambda: "agent/in-review" in world.labels(number), most=most)
    world.ends(number, "in-review")
    # then there is one of each thing
    assert len(struck) > 5
    exactly_one_of_each(world, number)


def persistent(sample: Sample) -> Policy:
    """The sample's worker, one tool a turn, who does again what he is told was interrupted."""

    def policy(call: Call) -> Reply:
        if call.name != "work/task":
            return sample.policy(call)
        turns = (as_answer(sample.policy(replace(call, turn=n))) for n in range(1, 6))
        steps = [one for turn in turns for one in turn.calls]
        return tools(steps[sum(INTERRUPTED not in result.content for result in call.results)])

    return policy


def test_a_kill_at_every_start_and_end_of_a_tool_changes_nothing_of_what_a_person_sees(here: Ward):
    # given a worker who reacts to what he is told
    world, sample = here.world("tools"), shop.sample()
    world.repository(sample.files)
    world.voice.policy = persistent(sample)
    number = world.issue(sample.title, sample.body)
    # when the engine is killed before and after each of his tools
    world.label(number, "agent")
    struck = here.strike(("journal",), lambda: "agent/in-review" in world.labels(number))
    world.ends(number, "in-review")
    # then each of the four different ones was interrupted once, and all five were done once
    assert len(struck) == 8
    told = {r.call_id for call in world.voice.calls for r in call.results if INTERRUPTED in r.content}
    done = {r.call_id for call in world.voice.calls for r in call.results if INTERRUPTED not in r.content}
    assert (len(told), len(done)) == (4, 5)
    exactly_one_of_each(world, number)
