"""A person may step in at any point: stop, pause, resume, retry, answer, label again, close, merge."""

import time

import pytest

from bot.playground.vendor_replies import Answer, Call
from tests.stories import scripts
from tests.stories.scripts import BODY, FILES, TITLE
from tests.stories.world import World

pytestmark = pytest.mark.story
ASKING = scripts.tools(
    (
        "ask",
        {
            "question": "Which world is meant?",
            "options": ["ours", "all"],
            "recommendation": "ours, since it is nearest",
        },
    )
)


def test_a_stop_ends_the_work_within_five_seconds_and_nothing_is_pushed(world: World):
    # given a worker in a long command
    world.repository(FILES)
    number = world.ask(scripts.play(scripts.tools(scripts.run("sleep 50", 60)), scripts.done()), TITLE, BODY)
    world.working()
    world.until(lambda: world.run().phase == "work", why="the work")

    # when maria says stop
    begin = time.monotonic()
    world.say(number, "/agent stop")
    world.until(lambda: world.run().state.kind == "Stopped", why="the stop")

    # then it stopped at once, says so, and pushed nothing
    assert time.monotonic() - begin < 5
    world.ends(number, "stopped")
    assert list(world.branches()) == ["main"]
    assert world.pulls() == []


def test_a_paused_run_goes_on_with_what_it_paid_for(world: World):
    # given a worker that has taken a turn and is in a command
    world.repository(FILES)
    script = scripts.play(scripts.tools(scripts.edit()), scripts.tools(scripts.run("sleep 3")), scripts.done())
    number = world.ask(script, TITLE, BODY)
    world.working(2)

    # when it is paused and resumed
    world.say(number, "/agent pause")
    world.ends(number, "paused")
    world.say(number, "/agent resume")

    # then it ends well, with one draft, one review, and each turn of the worker asked for once
    world.ends(number, "in-review")
    assert [len(world.asked(name)) for name in ("spec/draft", "review/challenge")] == [1, 1]
    assert sorted(call.turn for call in world.asked("work/task")) == [1, 2, 3]


def test_a_retry_after_a_failure_is_done_afresh(world: World):
    # given a worker that does nothing in its first attempt
    world.repository(FILES)
    attempts: list[Call] = []

    def second_time_lucky(call: Call) -> Answer:
        attempts.append(call)
        if len(attempts) == 1:
            return scripts.done()
        return scripts.tools(scripts.edit()) if call.turn == 1 else scripts.done()

    number = world.ask(scripts.play(second_time_lucky), TITLE, BODY)
    world.ends(number, "failed")

    # when maria says retry
    world.say(number, "/agent retry")

    # then the second attempt ends in a pull request
    world.ends(number, "in-review")
    assert not world.pulls()[0].draft


def test_a_workers_question_waits_for_a_person_and_goes_on_with_the_answer(world: World):
    # given a worker that edits and then asks
    world.repository(FILES)
    number = world.ask(scripts.play(scripts.tools(scripts.edit()), ASKING, scripts.done()), TITLE, BODY)
    world.ends(number, "needs-answer")
    assert "**Q1.** Which world is meant? Options: ours; all." in world.head(number)

    # when maria answers
    world.say(number, "/agent answer Q1 all of them")

    # then the worker was told, and what it had edited before was still there
    world.ends(number, "in-review")
    assert any("all of them" in result.content for call in world.asked("work/task") for result in call.results)
    (pull,) = world.pulls()
    assert world.git("show", f"{pull.head_ref}:greet.txt") == "hello, world\n"


def test_a_label_after_the_end_is_a_second_run_on_a_branch_of_its_own(world: World):
    # given a run that was stopped after its pull request was opened
    world.repository(FILES)
    number = world.ask(scripts.play(), TITLE, BODY)
    world.ends(number, "in-review")
    world.say(number, "/agent stop")
    world.ends(number, "stopped")

    # when the label is put on again
    world.label(number)

    # then there is a second run, a second branch, and still one status comment
    world.ends(number, "in-review")
    assert [run.number for run in world.runs()] == [1, 2]
    assert sorted(pull.head_ref for pull in world.pulls()) == [scripts.BRANCH, f"{scripts.BRANCH}-2"]
    assert len(world.ours(number, "status")) == 1
    assert len(world.ours(number, "spec")) == 1


def test_a_label_while_a_run_is_active_is_answered_and_taken_off(world: World):
    world.repository(FILES)
    number = world.ask(scripts.play(), TITLE, BODY, label="agent:spec")
    world.ends(number, "needs-approval")
    world.label(number)
    assert "Run 1 is already active" in world.answered(number, "already active")
    world.until(lambda: world.labels(number) == ["agent/needs-approval"], why="the label to go")
    assert len(world.runs()) == 1
    world.end()


def test_closing_the_issue_stops_the_run(world: World):
    world.repository(FILES)
    number = world.ask(scripts.play(), TITLE, BODY, label="agent:spec")
    world.ends(number, "needs-approval")
    world.stage.hub.close_issue(world.repo, number, by="maria")
    world.ends(number, "stopped")


def test_merging_the_pull_request_ends_the_run_as_done(world: World):
    # given a pull request that fixes the issue
    world.repository(FILES)
    number = world.ask(scripts.play(), TITLE, BODY)
    world.ends(number, "in-review")
    (pull,) = world.pulls()

    # when maria merges it, which closes the issue too
    world.stage.hub.merge(world.repo, pull.issue.number, by="maria")

    # then the run is done, not stopped
    world.ends(number, "done")
    world.until(lambda: world.run().lines[0].state == "merged", why="the news of the merge")


def test_status_and_help_are_shown_in_the_status_comment(world: World):
    world.repository(FILES)
    number = world.ask(scripts.play(), TITLE, BODY, label="agent:spec")
    world.ends(number, "needs-approval")
    world.say(number, "/agent help")
    assert "/agent waive" in world.answered(number, "Say one of these as the first line")
    world.say(number, "/agent status")
    world.until(lambda: "Say one of these" not in world.status(number), why="the help to go")
    world.end()
