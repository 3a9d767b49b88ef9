"""Vendors that refuse, fail or answer badly: each ends in one clear sentence, or in a run that goes on without paying twice."""

import re

import pytest
from inline_snapshot import snapshot

from bot.playground.vendor_replies import Fault, FaultKind
from tests.stories import scripts
from tests.stories.scripts import BODY, FILES, TITLE
from tests.stories.world import World

pytestmark = pytest.mark.story
SAID = snapshot(
    {
        "overloaded": "Anthropic is not answering (529, overloaded_error, <request>). It goes on by itself at <time> UTC.",
        "server_error": "Anthropic is not answering (500, api_error, <request>). It goes on by itself at <time> UTC.",
        "drop": "Anthropic is not answering (connection, <request>). It goes on by itself at <time> UTC.",
        "rate_limit": "Anthropic limits the rate of calls. It goes on by itself at <time> UTC.",
    }
)


def reason(world: World, number: int) -> str:
    """The paragraph below the headline, without request ids."""
    return re.sub(r"req_\d+", "<request>", world.head(number).split("\n\n")[1])


def test_a_key_that_is_refused_pauses_the_run_and_resume_goes_on(world: World):
    # given a vendor that refuses the key once
    world.repository(FILES)
    script = scripts.play().fault("spec/draft", Fault("unauthorized"))

    # when the issue is labelled
    number = world.ask(script, TITLE, BODY)

    # then the run is paused with what to do
    world.ends(number, "paused")
    assert world.mention(number) == snapshot(
        "@maria the run on this issue is paused. Anthropic does not accept the key in ANTHROPIC_API_KEY: set a valid key and restart Journeyman, then say `/agent resume`."
    )

    # and when the key works again, the run goes on
    world.say(number, "/agent resume")
    world.ends(number, "in-review")


def test_an_account_without_credit_pauses_the_run(world: World):
    world.repository(FILES)
    script = scripts.play().fault("spec/draft", Fault("quota"))
    number = world.ask(script, TITLE, BODY)
    world.ends(number, "paused")
    assert world.mention(number) == snapshot(
        "@maria the run on this issue is paused. The Anthropic account behind ANTHROPIC_API_KEY is out of credit or over its spending limit: add credit or raise the limit in the Anthropic console, then say `/agent resume`."
    )


def test_an_overloaded_vendor_is_waited_for_and_nothing_is_doubled(world: World):
    # given two refusals for overload before the first answer
    world.repository(FILES)
    script = scripts.play().fault("spec/draft", Fault("overloaded"), times=2)

    # when the issue is labelled
    number = world.ask(script, TITLE, BODY)

    # then the run goes all the way with one spec and one pull request
    world.ends(number, "in-review")
    assert len(world.ours(number, "spec")) == 1
    assert len(world.pulls()) == 1


@pytest.mark.parametrize("fault", ["overloaded", "server_error", "drop", "rate_limit"])
def test_a_vendor_that_stays_away_is_waited_for_without_calling_anybody(world: World, fault: FaultKind):
    # given a vendor that doesn't come back
    world.repository(FILES)
    script = scripts.play().fault("spec/draft", Fault(fault), times=99)

    # when the issue is labelled
    number = world.ask(script, TITLE, BODY)

    # then the run says when it goes on by itself, and mentions nobody
    world.ends(number, "paused")
    assert reason(world, number) == SAID[fault]
    assert world.ours(number, "attention") == []


def test_a_refusal_in_the_middle_of_the_work_says_so(world: World):
    world.repository(FILES)
    number = world.ask(scripts.play(scripts.tools(scripts.edit()), Fault("refusal")), TITLE, BODY)
    world.ends(number, "failed")
    assert world.mention(number) == snapshot(
        "@maria the run on this issue failed. The model refused to work on task t1. Say `/agent refine <text>`, or put the label `agent` on again for a new run."
    )
    assert world.pulls() == []


def test_a_refusal_says_so_and_names_the_next_word(world: World):
    world.repository(FILES)
    script = scripts.play().fault("spec/draft", Fault("refusal"), times=10)
    number = world.ask(script, TITLE, BODY)
    world.ends(number, "failed")
    assert "The model refused to answer" in world.head(number)
    assert world.mention(number) == (
        "@maria the run on this issue failed. The model refused to answer (spec). Rewrite the issue so that it asks for ordinary "
        "engineering work. Put the label `agent` on again for a new run."
    )


def test_a_cut_stream_is_asked_again(world: World):
    world.repository(FILES)
    script = scripts.play().fault("spec/draft", Fault("cut"))
    number = world.ask(script, TITLE, BODY)
    world.ends(number, "in-review")
    assert len(world.asked("spec/draft")) == 2


def test_three_answers_that_are_no_json_fail_the_run_in_a_sentence(world: World):
    world.repository(FILES)
    script = scripts.play().fault("spec/draft", Fault("bad_json"), times=10)
    number = world.ask(script, TITLE, BODY)
    world.ends(number, "failed")
    assert world.mention(number) == snapshot(
        "@maria the run on this issue failed. The model's answer was not usable after 3 attempts: The answer was cut off or was not one JSON object. Say `/agent retry`, or put the label `agent` on again for a new run."
    )
    assert len(world.asked("spec/draft")) == 3


def test_a_spec_that_names_files_which_do_not_exist_is_sent_back_before_anybody_reviews_it(world: World):
    # given a draft that modifies a file that isn't there, and a revision that doesn't
    world.repository(FILES)
    script = scripts.play(spec=scripts.draft(path="nowhere.txt"))

    # when the issue is labelled
    number = world.ask(script, TITLE, BODY)

    # then the reviewer saw only the second revision
    world.ends(number, "in-review")
    (review,) = world.asked("review/challenge")
    assert "nowhere.txt" not in review.users[0].split("# The spec")[1]


def test_a_worker_that_only_talks_ends_with_a_reason(world: World):
    world.repository(FILES)
    number = world.ask(scripts.play("I would rather talk about it."), TITLE, BODY)
    world.ends(number, "failed")
    assert world.mention(number) == snapshot(
        "@maria the run on this issue failed. Task t1 got stuck. The model gave 3 answers in a row that could not be used. Say `/agent retry from=work`, or put the label `agent` on again for a new run."
    )
    assert world.pulls() == []


def test_an_unknown_block_in_an_answer_harms_nothing(world: World):
    world.repository(FILES)
    script = scripts.play().fault("spec/draft", Fault("unknown_block", then=scripts.draft()))
    number = world.ask(script, TITLE, BODY)
    world.ends(number, "in-review")
