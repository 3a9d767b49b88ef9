"""GitHub's side fails around every write: the answer is lost, the request is, there is a 5xx, it is slow, lists lag behind."""

import pytest

from bot.playground.faults import Fault
from bot.playground.samples import shop
from tests.chaos.test_kill_at_every_mark import exactly_one_of_each
from tests.chaos.ward import Ward, ours
from tests.stories.world import World

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(200)]

ROUTES = {
    "comment": ("POST", "/api/repos/*/issues/*/comments"),
    "comment_edit": ("PATCH", "/api/repos/*/issues/comments/*"),
    "label": ("POST", "/api/repos/*/labels"),
    "labeled": ("POST", "/api/repos/*/issues/*/labels"),
    "unlabeled": ("DELETE", "/api/repos/*/issues/*/labels/*"),
    "reaction": ("POST", "/api/repos/*/reactions"),
    "push": ("POST", "/git/*/git-receive-pack"),
    "pull": ("POST", "/api/repos/*/pulls"),
    "pull_edit": ("PATCH", "/api/repos/*/pulls/*"),
    "ready": ("POST", "/api/graphql"),
    "review_request": ("POST", "/api/repos/*/pulls/*/requested_reviewers"),
    "check_run": ("POST", "/api/repos/*/check-runs"),
    "check_run_edit": ("PATCH", "/api/repos/*/check-runs/*"),
    "label_edit": ("PATCH", "/api/repos/*/labels/*"),
}
"""The route of each kind of write that the App makes; a new kind fails the test until it has its row."""


def strike_all(here: Ward, kind: str, **options) -> list[Fault]:
    """Each write route fails once that way."""
    return [here.stage.hub.state.faults.add(kind, method=m, path=p, **options) for m, p in ROUTES.values()]


def to_the_end(world: World, number: int) -> None:
    """Until the pull request stands; what pauses on the way is resumed by hand, so that the test need not wait its time out."""
    said = 0

    def over() -> bool:
        nonlocal said
        labels = world.labels(number)
        if "agent/in-review" in labels:
            return True
        if world.runs() and world.runs()[-1].state.kind == "Paused" and world.runs()[-1].resumes == said:
            said += 1
            world.say(number, "/agent resume")
        return False

    world.until(over, seconds=120, why="the pull request")
    world.ends(number, "in-review")


def test_lists_that_lag_behind_writes_whose_answers_are_lost_lead_to_nothing_twice(here: Ward):
    # given every write route losing its first answer, and lists that show what was made only some time after it
    world, sample = here.world("lagging"), shop.sample()
    world.repository(sample.files)
    world.voice.policy = sample.policy
    number = world.issue(sample.title, sample.body)
    here.stage.hub.webhooks.drain()
    here.stage.hub.state.faults.add("stale", method="GET", count=None, seconds=2.0)
    lost = strike_all(here, "lose_answer")
    # when a run goes through
    world.label(number, "agent")
    to_the_end(world, number)
    # then there is one of each thing, and every kind of write that was made had lost its answer once
    exactly_one_of_each(world, number)
    made = set(ours(world))
    assert made <= set(ROUTES)
    assert {kind for kind, fault in zip(ROUTES, lost, strict=True) if fault.hits} >= made


def test_writes_that_never_arrive_or_meet_a_5xx_are_made_once(here: Ward):
    # given every write route that is slow at its first use, and then hangs up or answers 503 before it acts
    world, sample = here.world("failing"), shop.sample()
    world.repository(sample.files)
    world.voice.policy = sample.policy
    number = world.issue(sample.title, sample.body)
    here.stage.hub.webhooks.drain()
    strike_all(here, "slow", seconds=1.0)
    add = here.stage.hub.state.faults.add
    before = [
        add("drop", method=method, path=path) if n % 2 else add("error_before", method=method, path=path, status=503)
        for n, (method, path) in enumerate(ROUTES.values())
    ]
    # when a run goes through
    world.label(number, "agent")
    to_the_end(world, number)
    # then there is one of each thing
    exactly_one_of_each(world, number)
    assert {kind for kind, fault in zip(ROUTES, before, strict=True) if fault.hits} >= set(ours(world))
