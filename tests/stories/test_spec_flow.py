"""From the label to a spec that may be worked on."""

import pytest
from inline_snapshot import snapshot

from bot.core.conversation import Json
from bot.playground.samples.sample import review
from bot.playground.vendor_replies import Call
from tests.stories import scripts
from tests.stories.scripts import BODY, FILES, TITLE
from tests.stories.world import World

pytestmark = pytest.mark.story
LONG = "A greeting of two lines would be cut."
PERSON: list[Json] = [
    {"id": "A1", "text": "Which world: ours or all?", "reversible": False, "needs_person": True},
    {"id": "A2", "text": "Is the comma wanted?", "reversible": False, "needs_person": True},
]


def test_a_clean_first_round_goes_straight_to_work(world: World):
    # given a reviewer who finds nothing
    world.repository(FILES)

    # when the issue is labelled
    number = world.ask(scripts.play(), TITLE, BODY)

    # then one draft and one review were paid for, and the status tells the whole run
    world.ends(number, "in-review")
    assert [it.name for it in world.voice.calls if it.role != "work"] == ["spec/draft", "review/challenge"]
    assert world.status(number) == snapshot("""\
**Journeyman** opened pull request #2 for review · $<cost> of $<cost> · under a minute

|  | phase | result |
|---|---|---|
| done | Spec | revision 1 (`<sha>`), reviewed by OpenAI in 1 round: no findings |
| done | Plan | 1 task in 1 line of work |
| done | Work | t1 Greet the world: **done** |
| done | Verify, deliver | #2 (ready): PASS: 1 of 1 commands passed |

Review and merge as usual; Journeyman never merges.

<details><summary>Log, cost and what was read</summary>

| time (UTC) | what | who | cost |
|---|---|---|---|
| <time> | labelled `agent` (write permission checked) | @ maria |  |
| <time> | spec revision 1 drafted | claude-opus-5-5 | $<cost> |
| <time> | reviewed in 1 round: verdict clean | gpt-6.2-sol | $<cost> |
| <time> | plan: 1 task in 1 line of work | code |  |
| <time> | task t1 done in 2 turns: `<sha>` | claude-sonnet-5-5 | $<cost> |
| <time> | verified `<sha>`: PASS, 1 of 1 commands passed |  |  |
| <time> | pull request #2 opened from `agent/1-greet-the-world` |  |  |

Read at the base commit: `AGENTS.md` (35 bytes). Nothing was cut.
</details>\
""")


def settled(call: Call) -> Json:
    """Finds one blocker in round one, and is content with the fix."""
    if "F1 ·" not in call.users[0]:
        return review(findings=[scripts.finding(LONG)])
    return review(earlier=[scripts.earlier("F1", "settled", "R2 rules two lines out")])


def test_a_blocker_is_fixed_and_reviewed_again(world: World):
    # given a reviewer with a proven blocker, and an author who fixes it
    world.repository(FILES)
    fixed = scripts.revised(
        scripts.requirement(2, "The system SHALL greet in one line.", "`greet.txt` has one line."),
        decisions=[scripts.decision("F1", "fixed", "R2 added")],
    )

    # when the issue is labelled
    number = world.ask(scripts.play(challenge=settled, revise=fixed), TITLE, BODY)

    # then the second revision went to work, and the spec comment shows what became of the finding
    world.ends(number, "in-review")
    (spec,) = world.ours(number, "spec")
    assert spec[spec.index("| F1") :].split("\n")[0] == snapshot(
        "| F1 | blocker | edge cases | A greeting of two lines would be cut. A greeting of two lines is printed on a one-line display and loses its end. | `AGENTS.md:3` `Greetings are one line.` | fixed: R2 added (confirmed by the reviewer) |"
    )
    assert [it.number for it in world.run().revisions] == [1, 2]


def upheld(call: Call) -> Json:
    """Finds one blocker, and accepts the author's reason against it."""
    if "F1 ·" not in call.users[0]:
        return review(findings=[scripts.finding(LONG)])
    return review(earlier=[scripts.earlier("F1", "settled", "the author is right: AGENTS.md rules it out")])


def test_a_finding_that_is_rejected_with_a_reason_and_upheld_does_not_block(world: World):
    # given an author who rejects the blocker, and a reviewer who accepts the reason
    world.repository(FILES)
    rejected = scripts.revised(
        decisions=[scripts.decision("F1", "rejected", "AGENTS.md:3 rules two lines out already")]
    )

    # when the issue is labelled
    number = world.ask(scripts.play(challenge=upheld, revise=rejected), TITLE, BODY)

    # then work started, and the reason stands in the spec comment
    world.ends(number, "in-review")
    (spec,) = world.ours(number, "spec")
    assert spec[spec.index("| F1") :].split("\n")[0] == snapshot(
        "| F1 | blocker | edge cases | A greeting of two lines would be cut. A greeting of two lines is printed on a one-line display and loses its end. | `AGENTS.md:3` `Greetings are one line.` | rejected: AGENTS.md:3 rules two lines out already (confirmed by the reviewer) |"
    )


def insists(call: Call) -> Json:
    """Is never content."""
    if "F1 ·" not in call.users[0]:
        return review(findings=[scripts.finding(LONG)])
    return review(earlier=[scripts.earlier("F1", "stands", "two lines are still possible")])


def endless() -> scripts.Script:
    """A reviewer and an author who don't come together."""
    rejected = scripts.revised(decisions=[scripts.decision("F1", "rejected", "nobody writes two lines")])
    return scripts.play(challenge=insists, revise=rejected)


def test_a_review_that_does_not_converge_asks_a_person(world: World):
    # given a reviewer and an author who don't come together
    world.repository(FILES)

    # when the issue is labelled
    number = world.ask(endless(), TITLE, BODY)

    # then the run waits, says why and what to say, and mentions the requester once
    world.ends(number, "needs-approval")
    assert world.head(number) == snapshot("""\
**Journeyman** needs an approval · $<cost> of $<cost> · under a minute

The spec waits for a person: the review still has 1 open finding: F1.

|  | phase | result |
|---|---|---|
| waits | Spec | revision 2 (`<sha>`), reviewed by OpenAI in 2 rounds: 0 fixed, 0 rejected, 1 open |
| next | Plan |  |
| next | Work |  |
| next | Verify, deliver |  |

Say `/agent waive F1 <reason>` or `/agent refine <text>` for each open finding, then `/agent approve`.\
""")
    assert world.mention(number) == snapshot(
        "@maria the run on this issue needs your approval of the spec: the review still has 1 open finding: F1. Say `/agent waive F1 <reason>` or `/agent refine <text>` for each open finding, then `/agent approve`."
    )
    assert world.asked("work/task") == []


def test_a_waived_finding_lets_the_work_start(world: World):
    # given a run that waits because of F1
    world.repository(FILES)
    number = world.ask(endless(), TITLE, BODY)
    world.ends(number, "needs-approval")

    # when somebody overrules it by name
    world.say(number, "/agent waive F1 the display scrolls")

    # then the work starts, and who waived it and why is public
    world.ends(number, "in-review")
    (spec,) = world.ours(number, "spec")
    assert spec[spec.index("| F1") :].split("\n")[0] == snapshot(
        "| F1 | blocker | edge cases | A greeting of two lines would be cut. A greeting of two lines is printed on a one-line display and loses its end. | `AGENTS.md:3` `Greetings are one line.` | waived: waived by @ maria: the display scrolls |"
    )
    assert world.ours(number, "attention") == []


def test_the_spec_label_waits_for_an_approval(world: World):
    # given nothing special
    world.repository(FILES)

    # when the label asks for the spec only
    number = world.ask(scripts.play(), TITLE, BODY, label="agent:spec")

    # then it waits
    world.ends(number, "needs-approval")
    assert world.head(number) == snapshot("""\
**Journeyman** needs an approval · $<cost> of $<cost> · under a minute

The spec waits for a person: the label asks for an approval before any work.

|  | phase | result |
|---|---|---|
| waits | Spec | revision 1 (`<sha>`), reviewed by OpenAI in 1 round: no findings |
| next | Plan |  |
| next | Work |  |
| next | Verify, deliver |  |

Say `/agent approve` to start the work, `/agent refine <text>` to change the spec, `/agent stop` to stop.\
""")
    assert world.mention(number) == snapshot(
        "@maria the run on this issue needs your approval of the spec: the label asks for an approval before any work. Say `/agent approve` to start the work, `/agent refine <text>` to change the spec, `/agent stop` to stop."
    )


def test_a_bare_approve_starts_the_work(world: World):
    # given a spec that waits
    world.repository(FILES)
    number = world.ask(scripts.play(), TITLE, BODY, label="agent:spec")
    world.ends(number, "needs-approval")
    world.until(lambda: world.run().revisions[-1].published_at, why="the revision's publication")

    # when
    world.say(number, "/agent approve")

    # then the same revision was worked on, and it says by whom it was approved
    world.ends(number, "in-review")
    assert world.run().revisions[-1].approved_by == "maria"
    assert world.run().approved_sha256 == world.run().revisions[0].sha256


def test_an_approve_by_hash_starts_the_work(world: World):
    # given
    world.repository(FILES)
    number = world.ask(scripts.play(), TITLE, BODY, label="agent:spec")
    world.ends(number, "needs-approval")

    # when
    world.say(number, f"/agent approve {world.run().revisions[-1].sha256[:7]}")

    # then
    world.ends(number, "in-review")


def test_an_approve_of_a_stale_hash_is_refused_with_the_newest(world: World):
    # given two revisions, the second by a refine
    world.repository(FILES)
    second = scripts.revised(scripts.requirement(2, "The system SHALL end the line.", "The file ends with a newline."))
    del second["decisions"]
    number = world.ask(scripts.play(revise=second), TITLE, BODY, label="agent:spec")
    world.ends(number, "needs-approval")
    stale = world.run().revisions[0].sha256[:7]
    world.say(number, "/agent refine The line must be ended.")
    world.until(lambda: len(world.run().revisions) == 2, why="the second revision")
    world.ends(number, "needs-approval")

    # when the first one is approved
    asked = world.say(number, f"/agent approve {stale}")

    # then nothing starts, and the newest hash is named
    head = world.answered(number, "not the newest")
    assert head.replace(stale, "<stale>") == snapshot("""\
**Journeyman** needs an approval · $<cost> of $<cost> · under a minute

The spec waits for a person: the label asks for an approval before any work.

|  | phase | result |
|---|---|---|
| waits | Spec | revision 2 (`<sha>`), reviewed by OpenAI in 1 round: no findings |
| next | Plan |  |
| next | Work |  |
| next | Verify, deliver |  |

`<sha>` is not the newest revision: revision 2 (`<sha>`) is. Read it, then say `/agent approve 1784394`.

Say `/agent approve` to start the work, `/agent refine <text>` to change the spec, `/agent stop` to stop.\
""")
    assert world.asked("work/task") == []
    world.until(lambda: "confused" in world.reacted(asked), why="the reaction")


def test_a_refine_reaches_the_author_and_makes_the_next_revision(world: World):
    # given a spec that waits
    world.repository(FILES)
    second = scripts.revised(scripts.requirement(2, "The system SHALL end the line.", "The file ends with a newline."))
    del second["decisions"]
    number = world.ask(scripts.play(revise=second), TITLE, BODY, label="agent:spec")
    world.ends(number, "needs-approval")

    # when somebody asks for a change
    world.say(number, "/agent refine The line must be ended.")

    # then the author was told, and the one spec comment shows revision 2
    world.until(lambda: len(world.run().revisions) == 2, why="the second revision")
    world.ends(number, "needs-approval")
    assert "The line must be ended." in world.asked("spec/revise")[0].users[0]
    (spec,) = world.ours(number, "spec")
    assert "The system SHALL end the line." in spec


def test_an_assumption_that_needs_a_person_waits_for_the_answers(world: World):
    # given a draft with two questions that only a person can settle
    world.repository(FILES)
    number = world.ask(scripts.play(spec=scripts.draft(assumptions=PERSON)), TITLE, BODY)

    # then the run waits and shows both
    world.ends(number, "needs-answer")
    assert world.head(number) == snapshot("""\
**Journeyman** needs an answer · $<cost> of $<cost> · under a minute

- **A1** Which world: ours or all?
- **A2** Is the comma wanted?

|  | phase | result |
|---|---|---|
| waits | Spec | revision 1 (`<sha>`) |
| next | Plan |  |
| next | Work |  |
| next | Verify, deliver |  |

Say `/agent answer A1 <text>` to go on, `/agent refine <text>` to change the spec, `/agent stop` to stop.\
""")
    assert world.mention(number) == snapshot(
        "@maria the run on this issue needs your answer to `A1` and `A2`. Say `/agent answer A1 <text>` to go on, `/agent refine <text>` to change the spec, `/agent stop` to stop."
    )


def test_answers_to_every_assumption_lead_on_to_work(world: World):
    # given a run that waits for A1 and A2
    world.repository(FILES)
    known = [{**it, "needs_person": False} for it in PERSON]
    after = scripts.draft(assumptions=known)
    number = world.ask(scripts.play(spec=scripts.draft(assumptions=PERSON), revise=after), TITLE, BODY)
    world.ends(number, "needs-answer")

    # when the first is answered, then the second
    world.say(number, "/agent answer A1 ours")
    world.until(lambda: getattr(world.run().state, "ids", ()) == ("A2",), why="only A2 left")
    world.say(number, "/agent answer A2 yes, the comma is wanted")

    # then the author got both, and the work was done
    world.ends(number, "in-review")
    told = world.asked("spec/revise")[0].users[0]
    assert "Answer: ours" in told
    assert "Answer: yes, the comma is wanted" in told


def test_an_answer_to_something_that_is_not_open_is_refused(world: World):
    # given a run that waits for A1 and A2
    world.repository(FILES)
    number = world.ask(scripts.play(spec=scripts.draft(assumptions=PERSON)), TITLE, BODY)
    world.ends(number, "needs-answer")

    # when
    world.say(number, "/agent answer A9 blue")

    # then
    assert "`A9` is not open; what waits for an answer: A1, A2." in world.answered(number, "A9")
