"""Repositories that change under a run, and runs of several tasks that are held: each sentence names the word that really helps."""

import pytest
from inline_snapshot import snapshot

from bot.core.conversation import Json
from bot.playground.acts import installations
from bot.playground.vendor_replies import Answer, Call
from tests.stories import scripts
from tests.stories.scripts import BODY, FILES, TITLE
from tests.stories.world import World

pytestmark = pytest.mark.story
PARTS = [f"part{n}.txt" for n in range(9)]


def rests(world: World, number: int) -> None:
    """Wait until the run is paused or failed, and that is published."""
    world.until(lambda: world.runs() and world.run().state.kind in ("Failed", "Paused"), why="the run to rest")
    world.ends(number, world.run().state.kind.lower())


def test_an_empty_repository_goes_on_with_the_word_that_it_names(world: World):
    # given a repository without a commit, and a run that rests because of it
    world.repository({}, empty=True)
    number = world.ask(scripts.play(spec=scripts.draft(kind="create")), TITLE, BODY)
    rests(world, number)
    assert world.mention(number) == snapshot(
        "@maria the run on this issue is paused. acme/<repo> is empty: push a first commit to its default branch, then say `/agent resume`."
    )

    # when a first commit is pushed and somebody says that word
    blob = world.git("hash-object", "-w", "--stdin", stdin="hello\n").strip()
    tree = world.git("mktree", stdin=f"100644 blob {blob}\tREADME\n").strip()
    who = ["-c", "user.name=maria", "-c", "user.email=maria@example.org"]
    world.git("update-ref", "refs/heads/main", world.git(*who, "commit-tree", tree, "-m", "First").strip())
    world.say(number, "/agent resume")

    # then the run goes on from there
    world.until(lambda: world.asked("spec/draft"), why="a draft")
    world.end()


def test_a_base_branch_that_is_gone_says_what_to_do_and_goes_on_when_it_is_back(world: World):
    # given a base branch that somebody renamed after the label's repository was read
    world.repository(FILES)
    sha = world.branches()["main"]
    world.git("branch", "-m", "main", "other")
    number = world.ask(scripts.play(), TITLE, BODY)
    rests(world, number)
    assert world.mention(number) == snapshot(
        "@maria the run on this issue is paused. acme/<repo> has no branch `main` any more: bring it back and say `/agent resume`, or say `/agent stop` and put the label on again."
    )
    assert world.voice.calls == []

    # when it is back
    world.git("update-ref", "refs/heads/main", sha)
    world.say(number, "/agent resume")

    # then
    world.ends(number, "in-review")


def archive(world: World, *, archived: bool) -> None:
    """An owner archives the repository, or takes that back."""
    hub = world.stage.hub
    with hub.state.lock:
        installations.archive(hub.state, hub.repo(world.repo), hub.state.by("acme"), archived=archived)


def test_a_repository_that_is_archived_while_the_work_goes_on_gets_no_push(world: World):
    # given a repository that is archived while the worker works
    world.repository(FILES)

    def leave(_call: Call) -> Answer:
        archive(world, archived=True)
        return scripts.done()

    # when the work is done
    number = world.ask(scripts.play(scripts.tools(scripts.edit()), leave), TITLE, BODY)
    world.until(lambda: world.runs() and world.run().state.kind in ("Failed", "Paused"), why="the run to rest")

    # then it says so as soon as anything can be said there again
    assert list(world.branches()) == ["main"]
    assert getattr(world.run().state, "reason", "").replace(world.repo, "acme/<repo>") == snapshot(
        "acme/<repo> is archived, so nothing can be pushed to it: unarchive it, then say `/agent resume`."
    )

    # and it goes on with the word that it names
    archive(world, archived=False)
    world.say(number, "/agent resume")
    world.ends(number, "in-review")


def task(name: str, requirement: str, owns: list[str], after: list[str]) -> Json:
    return {
        "id": name,
        "title": f"Task {name}",
        "goal": "a part of the greeting",
        "requirements": [requirement],
        "owns": owns,
        "reads": [],
        "depends_on": after,
        "contract": "none",
        "verify": [scripts.CHECK],
        "max_turns": 10,
    }


def two_tasks(first: Answer, *second: Answer) -> scripts.Script:
    """A spec that is too large for one worker: t1 greets, t2 makes the parts."""
    spec = scripts.draft(scripts.requirement(2, "The system SHALL have parts.", "`part0.txt` is there."))
    spec["changes"] += [{"path": path, "kind": "create", "why": "a part"} for path in PARTS]

    def worker(call: Call) -> Answer:
        mine = (*second, scripts.done()) if call.users[0].startswith("## Task t2") else (first, scripts.done())
        return mine[min(call.turn, len(mine)) - 1]

    script = scripts.play(worker, spec=spec)
    return script.on(
        "coordinator/plan", {"tasks": [task("t1", "R1", ["greet.txt"], []), task("t2", "R2", PARTS, ["t1"])]}
    )


PARTS_MADE = scripts.tools(*(scripts.edit(path, "", "x\n") for path in PARTS))


def test_the_tasks_after_a_held_one_are_worked_on_once_it_is_released(world: World):
    # given a first task of two that touched AGENTS.md
    world.repository(FILES)
    touches = scripts.tools(scripts.edit(), scripts.edit("AGENTS.md", "# Rules\n", "# Rules, changed\n"))
    number = world.ask(two_tasks(touches, PARTS_MADE), TITLE, BODY)
    world.ends(number, "paused")
    assert "H1: the change touches protected files (`AGENTS.md`)" in world.head(number)

    # when maria releases it
    world.say(number, "/agent waive H1 I asked for this")
    world.ends(number, "in-review")

    # then the second task's files are in the pull request too
    files = world.git("ls-tree", "--name-only", "-r", scripts.BRANCH).splitlines()
    assert [it for it in PARTS if it not in files] == []


def test_who_released_a_held_task_is_shown_though_another_task_followed(world: World):
    world.repository(FILES)
    touches = scripts.tools(scripts.edit(), scripts.edit("AGENTS.md", "# Rules\n", "# Rules, changed\n"))
    number = world.ask(two_tasks(touches, PARTS_MADE), TITLE, BODY)
    world.ends(number, "paused")
    world.say(number, "/agent waive H1 I asked for this")
    world.ends(number, "in-review")
    assert "protected files released by" in (world.pulls()[0].issue.body or "")


def test_a_pull_request_of_two_tasks_lists_the_changes_of_both(world: World):
    world.repository(FILES)
    number = world.ask(two_tasks(scripts.tools(scripts.edit()), PARTS_MADE), TITLE, BODY)
    world.ends(number, "in-review")
    body = world.pulls()[0].issue.body or ""
    assert "`greet.txt`" in body.split("### How")[0]
    assert "10 files" in body.split("### How")[0]


def test_a_question_of_the_second_task_is_answered_and_worked_on(world: World):
    # given a second task that asks
    world.repository(FILES)
    ask = scripts.tools(("ask", {"question": "How many parts?", "options": ["nine"], "recommendation": "nine"}))
    number = world.ask(two_tasks(scripts.tools(scripts.edit()), ask, PARTS_MADE), TITLE, BODY)
    world.ends(number, "needs-answer")

    # when maria answers
    world.say(number, "/agent answer Q1 nine")

    # then both tasks are done
    world.ends(number, "in-review")
    assert "part8.txt" in world.git("ls-tree", "--name-only", "-r", scripts.BRANCH)
