"""A secret that somebody writes down goes no further: the gate says what it held back, and nothing of it is published."""

import pytest
from inline_snapshot import snapshot

from bot.playground.vendor_replies import Answer, Call
from tests.stories import scripts
from tests.stories.scripts import BODY, FILES, TITLE
from tests.stories.world import World

pytestmark = pytest.mark.story
TOKEN = "ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6"


def published(world: World) -> str:
    """Everything that our App wrote, and everything that it pushed."""
    issues = world.stage.hub.repo(world.repo).issues.values()
    ours = [it.body for issue in issues for it in issue.comments if it.app is not None]
    ours += [f"{issue.title}\n{issue.body}" for issue in issues if issue.app is not None]
    return "\n".join([*ours, world.git("log", "--all", "-p", "--format=%B")])


def test_a_secret_that_the_spec_repeats_from_the_issue_is_held_back(world: World):
    # given an issue with a token in it, and an author who repeats it
    world.repository(FILES)
    spec = {**scripts.draft(), "problem": f"The greeting is fetched with {TOKEN}."}

    # when the issue is labelled
    number = world.ask(scripts.play(spec=spec), TITLE, f"{BODY} Use {TOKEN}.", label="agent:spec")

    # then the spec comment says that it is not shown, and the token stands in nothing of ours
    world.ends(number, "needs-approval")
    (spec_comment,) = world.ours(number, "spec")
    assert spec_comment.split("\n", 1)[1] == snapshot(
        "The spec comment is held back: it holds something that looks like a secret (github token, betterleaks.github-pat). Nothing of it was published."
    )
    assert TOKEN not in published(world)


def test_a_secret_in_the_change_ends_in_a_sentence_and_without_a_push(world: World):
    # given a worker that writes a token into a file
    world.repository(FILES)
    leak = scripts.tools(scripts.edit(new=f"hello, world\n{TOKEN}\n"))

    # when it is done
    number = world.ask(scripts.play(leak, scripts.done()), TITLE, BODY)

    # then nothing was pushed, and a person can act on what is said
    world.ends(number, "failed")
    assert world.mention(number) == snapshot(
        "@maria the run on this issue failed. The change is held back: it holds something that looks like a secret (github token, betterleaks.github-pat). Nothing of it was published. Say `/agent retry from=work`, or put the label `agent` on again for a new run."
    )
    assert list(world.branches()) == ["main"]
    assert TOKEN not in published(world)


def test_a_retry_after_a_leak_is_done_without_it(world: World):
    # given a first attempt that was blocked for a secret
    world.repository(FILES)
    attempts: list[int] = []

    def second_time_wiser(call: Call) -> Answer:
        if call.turn > 1:
            return scripts.done()
        attempts.append(1)
        return scripts.tools(scripts.edit(new="hello, world\n" + (f"{TOKEN}\n" if len(attempts) == 1 else "")))

    number = world.ask(scripts.play(second_time_wiser), TITLE, BODY)
    world.ends(number, "failed")

    # when maria says what the sentence tells her to say
    world.say(number, str(getattr(world.run().state, "verb", "")))

    # then the work is done afresh and delivered
    world.ends(number, "in-review")
    assert TOKEN not in published(world)


LATE = "yes 'a line of no interest' | head -n 30000 > big.txt"
"""660 KB, far beyond what a reader would be shown of a diff."""


@pytest.mark.parametrize(
    "leak",
    [f"{LATE}; echo {TOKEN} >> big.txt", f"printf '\\0{TOKEN}\\n' > data.bin"],
    ids=["at the end of a large file", "in a binary file"],
)
def test_a_secret_is_found_wherever_it_lies_in_the_change(world: World, leak: str):
    # given a worker that hides a token
    world.repository(FILES)

    # when it is done
    number = world.ask(scripts.play(scripts.tools(scripts.edit(), scripts.run(leak)), scripts.done()), TITLE, BODY)

    # then nothing was pushed
    world.ends(number, "failed")
    assert "is held back: it holds something that looks like a secret" in world.head(number)
    assert list(world.branches()) == ["main"]
