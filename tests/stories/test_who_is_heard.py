"""Who is heard, and how often: each delivery once, people with permission, never a bot."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.stories import scripts
from tests.stories.scripts import BODY, FILES, TITLE
from tests.stories.world import World

pytestmark = pytest.mark.story


def test_the_same_delivery_fifty_times_at_once_is_one_run(world: World):
    # given a label whose delivery is still on its way
    world.repository(FILES)
    world.voice.policy = scripts.play()
    number = world.issue(TITLE, BODY)
    hooks = world.stage.hub.state.webhooks
    hooks.drain()
    hooks.hold()
    world.label(number)
    sent = hooks.queue.popleft()
    hooks.release()

    # when it arrives fifty times at once
    def send(client: httpx.Client) -> int:
        return client.post(sent.hook.url, content=sent.body, headers=sent.headers).status_code

    with httpx.Client() as client, ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(send, [client] * 50))

    # then all are answered well, and there is one run with one comment of each kind and one pull request
    assert {it // 100 for it in answers} == {2}
    world.ends(number, "in-review")
    assert [run.number for run in world.runs()] == [1]
    assert [len(world.ours(number, kind)) for kind in ("status", "spec")] == [1, 1]
    assert len(world.pulls()) == 1


def test_our_own_comment_is_no_command(world: World):
    # given a spec that waits, and our own bot with write permission
    world.repository(FILES)
    me = f"{world.stage.app.slug}[bot]"
    world.stage.hub.add_collaborator(world.repo, me, "write")
    number = world.ask(scripts.play(), TITLE, BODY, label="agent:spec")
    world.ends(number, "needs-approval")

    # when it says a live command
    world.say(number, "/agent stop", by=me)

    # then nothing comes of it
    world.hears(number)
    assert world.run().state.kind == "AwaitingApproval"


def test_another_bot_with_write_permission_is_not_heard(world: World):
    # given a spec that waits, and another App's bot with write permission
    world.repository(FILES)
    hub = world.stage.hub
    other = hub.create_app(f"other-{world.repo.rsplit('-', 1)[1]}", owner="acme")
    hub.add_collaborator(world.repo, f"{other.slug}[bot]", "write")
    number = world.ask(scripts.play(), TITLE, BODY, label="agent:spec")
    world.ends(number, "needs-approval")

    # when it approves
    world.say(number, "/agent approve", by=f"{other.slug}[bot]")

    # then nothing starts
    world.hears(number)
    assert world.run().state.kind == "AwaitingApproval"


def test_a_command_by_somebody_without_write_is_not_obeyed_and_not_answered(world: World):
    # given a spec that waits
    world.repository(FILES)
    number = world.ask(scripts.play(), TITLE, BODY, label="agent:spec")
    world.ends(number, "needs-approval")
    before = len(world.stage.hub.issue(world.repo, number).comments)

    # when eve, who may only read, approves
    said = world.say(number, "/agent approve", by="eve")

    # then nothing starts, and nobody could make the bot talk
    world.hears(number)
    assert world.run().state.kind == "AwaitingApproval"
    assert world.reacted(said) == []
    assert len(world.stage.hub.issue(world.repo, number).comments) == before + 2  # hers and maria's


def test_an_issue_that_is_edited_after_the_label_changes_nothing(world: World):
    # given a run that has taken its snapshot
    world.repository(FILES)
    number = world.ask(scripts.play(), TITLE, BODY, label="agent:spec")
    world.ends(number, "needs-approval")

    # when the issue is edited, and the spec written again
    world.stage.hub.edit_issue(world.repo, number, by="maria", body="SOMETHING ELSE")
    world.say(number, "/agent spec")
    world.until(lambda: len(world.asked("spec/draft")) == 2, why="the second draft")

    # then the author still reads what was there when maria asked
    assert BODY in world.asked("spec/draft")[1].users[0]
    assert "SOMETHING ELSE" not in world.asked("spec/draft")[1].users[0]
