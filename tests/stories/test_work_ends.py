"""How work ends when it doesn't end well: the engine's facts decide, whatever the model said."""

import pytest

from bot.playground.vendor import OPENAI_KEY
from bot.playground.vendor_replies import Answer, Call
from tests.stories import scripts
from tests.stories.scripts import BODY, FILES, TITLE
from tests.stories.world import World

pytestmark = pytest.mark.story


def test_a_worker_that_changes_nothing_fails_without_a_pull_request(world: World):
    world.repository(FILES)
    number = world.ask(scripts.play(scripts.done()), TITLE, BODY)
    world.ends(number, "failed")
    assert world.pulls() == []
    assert list(world.branches()) == ["main"]
    assert "without a change to any file" in world.head(number)
    assert "/agent retry" in world.mention(number)


def test_red_tests_give_a_draft_that_says_fail_whatever_the_model_said(world: World):
    # given a worker that reports success over a wrong change
    world.repository(FILES)
    wrong = scripts.tools(scripts.edit(new="hello, moon\n"))

    # when it is done
    number = world.ask(scripts.play(wrong, scripts.done()), TITLE, BODY)

    # then the pull request is a draft, and nothing claims success
    world.ends(number, "in-review")
    (pull,) = world.pulls()
    assert pull.draft
    body = pull.issue.body or ""
    assert "### How it was verified: RED ON BASE" in body or "### How it was verified: FAIL" in body
    assert "PASS" not in body
    assert "PASS" not in world.status(number)


def test_breaking_what_was_green_is_a_failure(world: World):
    # given a base whose tests pass
    world.repository({**FILES, "greet.txt": "hello, world\n"})

    # when the worker breaks it
    broken = scripts.tools(scripts.edit(old="hello, world\n", new="good bye\n"))
    number = world.ask(scripts.play(broken, scripts.done()), TITLE, BODY)

    # then the draft says FAIL
    world.ends(number, "in-review")
    (pull,) = world.pulls()
    assert pull.draft
    assert "### How it was verified: FAIL" in (pull.issue.body or "")


def test_weakening_the_tests_does_not_help(world: World):
    # given a worker that makes the test agree with a wrong change
    world.repository(FILES)
    cheat = scripts.tools(
        scripts.edit(new="hello, moon\n"),
        scripts.edit("tests/check.sh", 'test "$(cat greet.txt)" = "hello, world"\n', "true\n"),
    )

    # when it is done
    number = world.ask(scripts.play(cheat, scripts.done()), TITLE, BODY)

    # then the base's tests on the new code tell
    world.ends(number, "in-review")
    (pull,) = world.pulls()
    assert pull.draft
    assert "existing tests changed: `tests/check.sh`" in (pull.issue.body or "")


def test_a_workflow_file_never_leaves_the_worker(world: World):
    world.repository(FILES)
    evil = scripts.tools(scripts.edit(), scripts.edit(".github/workflows/x.yml", "", "on: push\n"))
    number = world.ask(scripts.play(evil, scripts.done()), TITLE, BODY)
    world.ends(number, "failed")
    assert world.pulls() == []
    assert ".github/workflows/x.yml" in world.head(number)


def test_a_protected_file_waits_for_a_person_and_the_release_is_shown(world: World):
    # given a worker that touches AGENTS.md
    world.repository(FILES)
    touches = scripts.tools(scripts.edit(), scripts.edit("AGENTS.md", "# Rules\n", "# Rules, changed\n"))
    number = world.ask(scripts.play(touches, scripts.done()), TITLE, BODY)

    # when the run is held, nothing was pushed
    world.ends(number, "paused")
    assert "H1: the change touches protected files (`AGENTS.md`)" in world.head(number)
    assert list(world.branches()) == ["main"]

    # and when maria releases it
    world.say(number, "/agent waive H1 I asked for this")

    # then the pull request shows who and why
    world.ends(number, "in-review")
    (pull,) = world.pulls()
    assert "I asked for this" in (pull.issue.body or "")


def test_a_secret_in_the_change_is_blocked_and_nothing_is_pushed(world: World):
    # given a worker that writes a key that we hold into a file
    world.repository(FILES)
    leak = scripts.tools(scripts.edit(new=f"hello, world\n# {OPENAI_KEY}-0123456789abcdef\n"))

    # when it is done
    world.ask(scripts.play(leak, scripts.done()), TITLE, BODY)

    # then the run rests without a push, and the key stands nowhere on GitHub
    world.until(lambda: world.runs() and world.run().state.kind in ("Failed", "Paused"), why="the run to rest")
    assert list(world.branches()) == ["main"]
    assert world.pulls() == []


def test_nothing_outside_agent_branches_moves(world: World):
    world.repository(FILES)
    world.git("branch", "release", "main")
    before = world.branches()
    number = world.ask(scripts.play(), TITLE, BODY)
    world.ends(number, "in-review")
    after = world.branches()
    assert {name for name in after if name not in before} == {scripts.BRANCH}
    assert {name: after[name] for name in before} == before


def test_who_lost_write_while_the_work_went_on_pushes_nothing(world: World):
    # given a requester who loses write permission while the worker works
    world.repository(FILES)

    def leave(_call: Call) -> Answer:
        world.stage.hub.add_collaborator(world.repo, "maria", "read")
        return scripts.done()

    # when the work is done
    number = world.ask(scripts.play(scripts.tools(scripts.edit()), leave), TITLE, BODY)

    # then the run is paused before the push
    world.ends(number, "paused")
    assert "`maria`, who asked for this run, no longer has write permission, so nothing was pushed." in world.head(
        number
    )
    assert list(world.branches()) == ["main"]
    world.stage.hub.add_collaborator(world.repo, "maria", "write")
    world.end()
