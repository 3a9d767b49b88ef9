"""The pull request is open: what is said and done there, and how a run ends."""

import time
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from bot.playground.acts import installations
from bot.playground.vendor_replies import Answer, Call
from tests.stories import scripts
from tests.stories.scripts import BODY, FILES, TITLE
from tests.stories.world import World

pytestmark = pytest.mark.story


def test_the_log_holds_no_traceback_of_what_was_stopped(world: World):
    # given a run that is stopped in a command
    world.repository(FILES)
    number = world.ask(scripts.play(scripts.tools(scripts.run("sleep 50", 60)), scripts.done()), TITLE, BODY)
    world.working()
    world.until(lambda: world.run().phase == "work", why="the work")
    before = len(world.stage.server.log.read_text())

    # when it has ended
    world.say(number, "/agent stop")
    world.ends(number, "stopped")
    time.sleep(2)  # the library logs a cancelled workflow about a second after the fact

    # then nothing in the log looks like trouble
    assert "Traceback" not in world.stage.server.log.read_text()[before:]


def test_a_retry_of_a_red_draft_makes_the_same_pull_request_ready(world: World):
    # given a first attempt that is wrong, and a second that is right
    world.repository(FILES)
    attempts: list[int] = []

    def second_time_lucky(call: Call) -> Answer:
        if call.turn > 1:
            return scripts.done()
        attempts.append(1)
        return scripts.tools(scripts.edit(new="hello, moon\n" if len(attempts) == 1 else "hello, world\n"))

    number = world.ask(scripts.play(second_time_lucky), TITLE, BODY)
    world.ends(number, "in-review")
    assert world.pulls()[0].draft

    # when maria says retry
    world.say(number, "/agent retry")

    # then it is the same pull request, ready, with evidence for the new commit
    world.until(lambda: not world.pulls()[0].draft, why="the pull request to be ready")
    world.ends(number, "in-review")
    (pull,) = world.pulls()
    assert "### How it was verified: PASS" in (pull.issue.body or "")
    assert world.git("show", f"{pull.head_ref}:greet.txt") == "hello, world\n"


def test_what_is_said_on_the_pull_request_is_meant_for_its_run(world: World):
    # given a run in review
    world.repository(FILES)
    number = world.ask(scripts.play(), TITLE, BODY)
    world.ends(number, "in-review")
    (pull,) = world.pulls()

    # when maria says stop on the pull request
    said = world.say(pull.issue.number, "/agent stop")

    # then the run is stopped, and the comment has its receipt
    world.ends(number, "stopped")
    assert len(world.runs()) == 1
    world.until(lambda: world.reacted(said) == ["eyes"], why="the receipt")


def test_closing_the_pull_request_without_merging_ends_the_run(world: World):
    # given a run in review
    world.repository(FILES)
    number = world.ask(scripts.play(), TITLE, BODY)
    world.ends(number, "in-review")

    # when its pull request is closed
    world.stage.hub.close_issue(world.repo, world.pulls()[0].issue.number, by="maria")

    # then the run is done and says how it ended
    world.ends(number, "done")
    assert world.head(number) == snapshot("""\
**Journeyman** is **done** · $<cost> of $<cost> · under a minute

The pull request was closed without merging.

|  | phase | result |
|---|---|---|
| done | Spec | revision 1 (`<sha>`), reviewed by OpenAI in 1 round: no findings |
| done | Plan | 1 task in 1 line of work |
| done | Work | t1 Greet the world: **done** |
| done | Verify, deliver | #2 (closed): PASS: 1 of 1 commands passed |

Put the label `agent` on again for a new run.\
""")


def test_a_refine_in_review_is_refused_in_a_sentence(world: World):
    # given a run in review
    world.repository(FILES)
    number = world.ask(scripts.play(), TITLE, BODY)
    world.ends(number, "in-review")

    # when maria asks for another spec
    world.say(number, "/agent refine shout it")

    # then it says what to do instead, and the run stays as it is
    assert "close the pull request and label the issue again" in world.answered(number, "already open")
    assert world.run().state.kind == "InReview"


def test_a_refine_after_a_failure_writes_the_next_revision_and_does_the_work(world: World):
    # given a worker that changes nothing until the spec asks for a shout
    world.repository(FILES)
    second = scripts.revised(scripts.requirement(2, "The system SHALL shout.", "It ends with a newline."))
    del second["decisions"]

    def only_if_told(call: Call) -> Answer:
        told = "SHALL shout" in call.users[0]
        return scripts.tools(scripts.edit()) if told and call.turn == 1 else scripts.done()

    number = world.ask(scripts.play(only_if_told, revise=second), TITLE, BODY)
    world.ends(number, "failed")

    # when maria names what should be different
    world.say(number, "/agent refine shout it")

    # then the work is done
    world.ends(number, "in-review")
    assert [it.number for it in world.run().revisions] == [1, 2]


def test_the_skip_label_stops_a_run(world: World):
    world.repository(FILES)
    number = world.ask(scripts.play(), TITLE, BODY, label="agent:spec")
    world.ends(number, "needs-approval")
    world.label(number, "agent:skip")
    world.ends(number, "stopped")
    assert "The label `agent:skip` was put on." in world.head(number)


def test_a_repository_that_is_deleted_takes_its_run_and_its_mirror_with_it(world: World):
    # given a worker in a command
    world.repository(FILES)
    world.ask(scripts.play(scripts.tools(scripts.run("sleep 50", 60)), scripts.done()), TITLE, BODY)
    world.working()
    name = world.repo.split("/")[1]

    def kept() -> list[Path]:
        """All but the lock, which holds nothing."""
        return [it for it in world.stage.home.rglob(f"*{name}*") if it.suffix != ".lock"]

    assert kept()

    # when the repository is deleted
    state = world.stage.hub.state
    with state.lock:
        installations.delete_repository(state, world.stage.hub.repo(world.repo), state.by("acme"))

    # then the run is stopped and nothing of the repository is kept
    world.until(lambda: world.run().state.kind == "Stopped", why="the stop")
    world.until(lambda: not kept(), why="the mirror and the checkouts to go")
