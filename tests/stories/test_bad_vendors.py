"""Vendors and workers that misbehave in the middle of a run: nothing is done twice, nothing is claimed, each end says what to do."""

import pytest
from inline_snapshot import snapshot

from bot.playground.vendor_replies import Answer, Call, Fault
from tests.stories import scripts
from tests.stories.scripts import BODY, FILES, TITLE
from tests.stories.world import World, plain

pytestmark = pytest.mark.story


def published(world: World, number: int) -> str:
    """Everything that the App says where people read it, normalised: comments, pull requests, commit messages."""
    bodies = [body for kind in ("status", "spec", "attention") for body in world.ours(number, kind)]
    pulls = [text for it in world.pulls() for text in (it.issue.title, it.issue.body or "")]
    commits = [world.git("log", "--format=%B", f"main..{name}") for name in world.branches() if name != "main"]
    return plain("\n".join((*bodies, *pulls, *commits)))


def test_a_reviewers_key_that_is_refused_pauses_the_run_and_the_draft_is_not_bought_again(world: World):
    # given a draft, and a reviewer's vendor that refuses the key
    world.repository(FILES)
    number = world.ask(scripts.play().fault("review/challenge", Fault("unauthorized")), TITLE, BODY)

    # when the run rests, it says whose key it is
    world.ends(number, "paused")
    assert world.mention(number) == snapshot(
        "@maria the run on this issue is paused. OpenAI does not accept the key in OPENAI_API_KEY: set a valid key and restart Journeyman, then say `/agent resume`."
    )

    # and when the key works again
    world.say(number, "/agent resume")

    # then the run goes on where it was
    world.ends(number, "in-review")
    assert len(world.asked("spec/draft")) == 1


def test_an_account_without_credit_says_where_to_add_some_and_resume_goes_on(world: World):
    world.repository(FILES)
    number = world.ask(scripts.play().fault("work/task", Fault("quota")), TITLE, BODY)
    world.ends(number, "paused")
    assert world.mention(number) == snapshot(
        "@maria the run on this issue is paused. The Anthropic account behind ANTHROPIC_API_KEY is out of credit or over its spending limit: add credit or raise the limit in the Anthropic console, then say `/agent resume`."
    )
    world.say(number, "/agent resume")
    world.ends(number, "in-review")


def test_an_overload_between_two_turns_of_a_worker_doubles_nothing(world: World):
    # given a worker that appends a line, and a vendor that is overloaded right after
    world.repository(FILES)
    overloaded: list[int] = []

    def second(_call: Call) -> Answer | Fault:
        if len(overloaded) < 2:
            overloaded.append(1)
            return Fault("overloaded", retry_after=0.1)
        return scripts.tools(scripts.edit())

    script = scripts.play(scripts.tools(scripts.run("echo once >> log.txt")), second, scripts.done())

    # when the issue is labelled
    number = world.ask(script, TITLE, BODY)

    # then the line is there once
    world.ends(number, "in-review")
    (pull,) = world.pulls()
    assert world.git("show", f"{pull.head_ref}:log.txt") == "once\n"
    assert len(world.asked("work/task")) == 5


def test_a_stream_that_is_cut_in_the_middle_of_a_worker_runs_nothing_twice(world: World):
    world.repository(FILES)
    append = scripts.tools(scripts.run("echo once >> log.txt"))
    cut: list[int] = []

    def first(_call: Call) -> Answer | Fault:
        if not cut:
            cut.append(1)
            return Fault("cut", then=append)
        return append

    number = world.ask(scripts.play(first, scripts.tools(scripts.edit()), scripts.done()), TITLE, BODY)
    world.ends(number, "in-review")
    (pull,) = world.pulls()
    assert world.git("show", f"{pull.head_ref}:log.txt") == "once\n"


def test_a_reviewer_that_refuses_fails_the_run_in_a_sentence(world: World):
    world.repository(FILES)
    number = world.ask(scripts.play().fault("review/challenge", Fault("refusal"), times=9), TITLE, BODY)
    world.ends(number, "failed")
    assert world.mention(number) == snapshot(
        "@maria the run on this issue failed. The model refused to answer (review). Rewrite the issue so that it asks for ordinary engineering work. Put the label `agent` on again for a new run."
    )


def test_a_review_that_is_no_json_three_times_fails_the_run_and_nothing_is_worked_on(world: World):
    world.repository(FILES)
    number = world.ask(scripts.play().fault("review/challenge", Fault("bad_json"), times=9), TITLE, BODY)
    world.ends(number, "failed")
    assert world.mention(number) == snapshot(
        "@maria the run on this issue failed. The model's answer was not usable after 3 attempts: The answer was cut off or was not one JSON object. Say `/agent retry`, or put the label `agent` on again for a new run."
    )
    assert world.asked("work/task") == []


def test_a_worker_that_only_talks_says_so_and_names_the_next_word(world: World):
    world.repository(FILES)
    number = world.ask(scripts.play("I would rather talk about it."), TITLE, BODY)
    world.ends(number, "failed")
    assert world.mention(number) == snapshot(
        "@maria the run on this issue failed. Task t1 got stuck. The model gave 3 answers in a row that could not be used. Say `/agent retry from=work`, or put the label `agent` on again for a new run."
    )


def test_red_tests_are_called_success_nowhere(world: World):
    # given a worker that reports success over a wrong change, and says so at length
    world.repository(FILES)
    wrong = scripts.tools(scripts.edit(new="hello, moon\n"), text="All tests pass, everything is green.")
    boast = scripts.done(deviations=["All tests pass and the change is verified."], follow_ups=[])

    # when it is done
    number = world.ask(scripts.play(wrong, boast), TITLE, BODY)
    world.ends(number, "in-review")

    # then the draft says so, and the retry is named
    assert world.pulls()[0].draft
    assert world.head(number) == snapshot("""\
**Journeyman** opened pull request #2 as a draft: verification **RED ON BASE** · $<cost> of $<cost> · under a minute

|  | phase | result |
|---|---|---|
| done | Spec | revision 1 (`<sha>`), reviewed by OpenAI in 1 round: no findings |
| done | Plan | 1 task in 1 line of work |
| done | Work | t1 Greet the world: **done** |
| done | Verify, deliver | #2 (draft): RED ON BASE: 0 of 1 commands passed |

Review and merge as usual; Journeyman never merges. `/agent retry` does the failed step again.\
""")
    assert world.pulls()[0].issue.title == snapshot("Greet the world")
    assert published(world, number).count("PASS") == 0


def test_a_hold_says_what_to_say_and_a_bare_resume_repeats_it(world: World):
    # given a worker that touched AGENTS.md
    world.repository(FILES)
    touches = scripts.tools(scripts.edit(), scripts.edit("AGENTS.md", "# Rules\n", "# Rules, changed\n"))
    number = world.ask(scripts.play(touches, scripts.done()), TITLE, BODY)
    world.ends(number, "paused")
    assert world.mention(number) == snapshot(
        "@maria the run on this issue is paused. H1: the change touches protected files (`AGENTS.md`), so a person has to release it. Say `/agent waive H1 <reason>` to go on, `/agent stop` to stop."
    )

    # when somebody says resume
    resume = world.say(number, "/agent resume")
    world.until(lambda: "confused" in world.reacted(resume), why="the reaction")

    # then nothing moved
    assert world.answered(number, "does not lift").split("\n\n")[-2] == (
        "`/agent resume` does not lift the hold: a person who stands for the change says `/agent waive H1 <reason>`."
    )
    assert list(world.branches()) == ["main"]
    world.end()
