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


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("lose_answer", {}),
        ("drop", {}),
        ("error_before", {"status": 503}),
        ("error_after", {"status": 502}),
        ("slow", {"seconds": 2.0}),
    ],
    ids=lambda it: it if isinstance(it, str) else "",
)
def test_each_write_that_fails_once_is_still_made_exactly_once(here: Ward, kind: str, options: dict):
    # given every write route failing at its first use
    world, sample = here.world("faulty"), shop.sample()
    world.repository(sample.files)
    world.voice.policy = sample.policy
    number = world.issue(sample.title, sample.body)
    here.stage.hub.webhooks.drain()
    strike_all(here, kind, **options)
    # when a run goes through
    world.label(number, "agent")
    to_the_end(world, number)
    # then there is one of each thing, and every kind of write was tried
    exactly_one_of_each(world, number)
    assert set(ours(world)) - {"issue"} <= set(ROUTES)


def test_lists_that_lag_behind_writes_whose_answers_are_lost_lead_to_no_second_comment(here: Ward):
    # given lists that show what was made only some time after it
    world, sample = here.world("lagging"), shop.sample()
    world.repository(sample.files)
    world.voice.policy = sample.policy
    number = world.issue(sample.title, sample.body)
    here.stage.hub.webhooks.drain()
    here.stage.hub.state.faults.add("stale", method="GET", count=None, seconds=2.0)
    # and every answer to a first write lost
    strike_all(here, "lose_answer")
    world.label(number, "agent")
    to_the_end(world, number)
    exactly_one_of_each(world, number)
