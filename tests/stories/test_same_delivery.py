"""Deliveries that come again or are forged, and comments that look like ours."""

import httpx
import pytest

from bot.playground.webhooks import Delivery
from tests.stories import scripts
from tests.stories.scripts import BODY, FILES, TITLE
from tests.stories.world import World

pytestmark = pytest.mark.story


def sent(world: World, event: str, action: str) -> Delivery:
    """The newest delivery of what maria did in this story's repository, sent or still held."""
    webhooks = world.stage.hub.webhooks
    found = [it for it in (*webhooks.deliveries, *webhooks.queue) if (it.event, it.action) == (event, action)]
    return [
        it
        for it in found
        if it.payload["repository"]["full_name"] == world.repo and it.payload["sender"]["login"] == "maria"
    ][-1]


def spoken(world: World, number: int, verb: str = "/agent status") -> None:
    """Wait until a command that maria says now was obeyed: what came before it was then read too."""
    comment = world.say(number, verb)
    world.until(lambda: comment.id in world.run().acted_comments, why="the command")


def test_one_comment_under_two_delivery_ids_acts_once(world: World):
    # given a comment that was obeyed
    world.repository(FILES)
    second = scripts.revised()
    del second["decisions"]
    number = world.ask(scripts.play(revise=second), TITLE, BODY, label="agent:spec")
    world.ends(number, "needs-approval")
    world.say(number, "/agent refine Name the world.")
    world.until(lambda: len(world.run().revisions) == 2, why="the second revision")
    world.ends(number, "needs-approval")

    # when the same comment is delivered again under another id
    delivery = sent(world, "issue_comment", "created")
    again = httpx.post(
        f"{world.stage.url}/webhooks/github",
        content=delivery.body,
        headers={**delivery.headers, "X-GitHub-Delivery": "00000000-aaaa-bbbb-cccc-000000000001"},
    )
    spoken(world, number)

    # then it was taken and did nothing
    assert again.status_code == 202
    assert world.run().state.kind == "AwaitingApproval"
    assert len(world.asked("spec/revise")) == 1
    world.end()


def test_a_delivery_with_a_wrong_signature_is_refused_and_starts_nothing(world: World):
    # given a delivery of ours
    world.repository(FILES)
    number = world.ask(scripts.play(), TITLE, BODY, label="agent:spec")
    world.ends(number, "needs-approval")
    delivery = sent(world, "issues", "labeled")

    # when somebody without the secret changes it
    forged = httpx.post(
        f"{world.stage.url}/webhooks/github",
        content=delivery.body.replace(b'"agent:spec"', b'"agent"     '),
        headers={**delivery.headers, "X-GitHub-Delivery": "00000000-aaaa-bbbb-cccc-000000000002"},
    )

    # then
    assert forged.status_code == 401
    assert len(world.runs()) == 1
    world.end()


def test_a_label_by_another_bot_starts_nothing(world: World):
    # given
    world.repository(FILES)
    world.stage.hub.create_app("helper")
    world.stage.hub.add_collaborator(world.repo, "helper[bot]", "write")
    first, second = world.issue(TITLE, BODY), world.issue(TITLE, BODY)
    world.voice.policy = scripts.play()

    # when it labels one issue, and then maria another
    world.label(first, by="helper[bot]")
    world.label(second)
    world.ends(second, "in-review")

    # then only the second has a run
    assert [it.issue for it in world.runs()] == [second]


def test_a_deleted_spec_comment_is_made_again(world: World):
    world.repository(FILES)
    number = world.ask(scripts.play(), TITLE, BODY, label="agent:spec")
    world.ends(number, "needs-approval")
    (before,) = world.ours(number, "spec")
    comment = next(it for it in world.stage.hub.issue(world.repo, number).comments if it.body == before)
    world.stage.hub.delete_comment(comment.id, by="maria")
    world.until(lambda: world.ours(number, "spec") == [before], why="a new spec comment")
    world.end()


def test_a_comment_that_looks_like_ours_is_not_taken_for_ours(world: World):
    # given a comment by eve that copies our marker
    world.repository(FILES)
    world.voice.policy = scripts.play()
    done = world.ask(scripts.play(), TITLE, BODY, label="agent:spec")
    world.ends(done, "needs-approval")
    (copied,) = world.ours(done, "status")
    world.end()
    number = world.issue(TITLE, BODY)
    fake = world.say(number, copied.replace(f"issue={done}", f"issue={number}"), by="eve")
    text = fake.body

    # when the issue is labelled
    world.label(number)

    # then eve's comment stays as it was, and there is one of ours
    world.ends(number, "in-review")
    assert fake.body == text
    assert len(world.ours(number, "status")) == 1
