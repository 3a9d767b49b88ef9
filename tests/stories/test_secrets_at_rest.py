"""What people and workers said is readable nowhere below the home: not in a database, not in a log, not in a file left behind."""

from pathlib import Path

import pytest

from tests.stories import scripts
from tests.stories.scripts import BODY, FILES, TITLE
from tests.stories.world import World

pytestmark = pytest.mark.story


def holding(home: Path, word: str) -> list[str]:
    """The files below `home` that hold the word."""
    files = (it for it in sorted(home.rglob("*")) if it.is_file() and not it.is_symlink())
    return [it.relative_to(home).as_posix() for it in files if word.encode() in it.read_bytes()]


def forgotten(world: World, word: str) -> None:
    """Wait until no file of the home holds the word: a delivery's body goes when the engine has nothing else to do."""
    world.until(
        lambda: not holding(world.stage.home, word),
        seconds=10,
        why=f"{word} to be gone from {holding(world.stage.home, word)}",
    )


def test_the_words_of_a_comment_stand_in_no_file_of_the_home(world: World):
    # given a word that only a comment of maria holds
    world.repository(FILES)
    world.voice.policy = scripts.play()
    number = world.issue(TITLE, BODY)
    world.say(number, "wombat-comment-4410")

    # when a run reads it and ends
    world.label(number)
    world.ends(number, "in-review")
    assert "wombat-comment-4410" in world.asked("spec/draft")[0].users[0]

    # then
    forgotten(world, "wombat-comment-4410")


def test_the_words_of_an_issue_stand_in_no_file_of_the_home(world: World):
    world.repository(FILES)
    number = world.ask(scripts.play(), TITLE, BODY + " wombat-body-4411")
    world.ends(number, "in-review")
    assert "wombat-body-4411" in world.asked("spec/draft")[0].users[0]
    forgotten(world, "wombat-body-4411")


def test_a_comment_that_is_no_command_leaves_nothing_behind(world: World):
    # given an issue without a run
    world.repository(FILES)
    number = world.issue(TITLE, BODY)

    # when eve says something, and later maria labels it
    world.say(number, "wombat-chatter-4415", by="eve")
    world.voice.policy = scripts.play()
    world.label(number)
    world.ends(number, "in-review")

    # then
    forgotten(world, "wombat-chatter-4415")


def test_what_a_workers_command_printed_stands_in_no_file_of_the_home(world: World):
    # given a word that is put together only when the command runs
    world.repository(FILES)
    script = scripts.play(
        scripts.tools(scripts.run("printf '%s-%s\\n' wombat output-4412")),
        scripts.tools(scripts.edit()),
        scripts.done(),
    )

    # when the worker sees it
    number = world.ask(script, TITLE, BODY)
    world.ends(number, "in-review")
    assert any("wombat-output-4412" in it.content for call in world.asked("work/task") for it in call.results)

    # then
    assert holding(world.stage.home, "wombat-output-4412") == []


def test_what_a_worker_thought_stands_in_no_file_of_the_home(world: World):
    world.repository(FILES)
    script = scripts.play(
        scripts.tools(scripts.edit(), text="wombat-text-4413", thinking="wombat-thought-4413"), scripts.done()
    )
    number = world.ask(script, TITLE, BODY)
    world.ends(number, "in-review")
    assert holding(world.stage.home, "wombat-text-4413") == []
    assert holding(world.stage.home, "wombat-thought-4413") == []


def test_the_text_of_a_refine_stands_in_no_log(world: World):
    # given a spec that waits
    world.repository(FILES)
    second = scripts.revised()
    del second["decisions"]
    number = world.ask(scripts.play(revise=second), TITLE, BODY, label="agent:spec")
    world.ends(number, "needs-approval")

    # when somebody says what should be different
    world.say(number, "/agent refine wombat-refine-4414")
    world.until(lambda: len(world.run().revisions) == 2, why="the second revision")
    world.ends(number, "needs-approval")

    # then
    assert b"wombat-refine-4414" not in world.stage.server.log.read_bytes()
    world.end()
