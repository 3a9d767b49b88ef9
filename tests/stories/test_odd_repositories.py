"""Repositories that lack something, or hold something hostile: each ends in one clear sentence or in a pull request."""

import subprocess
from pathlib import Path

import pytest

from tests.stories import scripts
from tests.stories.scripts import BODY, FILES, TITLE
from tests.stories.world import World

pytestmark = pytest.mark.story


def without(*paths: str) -> dict[str, bytes | str]:
    return {path: text for path, text in FILES.items() if path not in paths}


def test_a_repository_without_tests_gets_a_draft_that_says_not_run(world: World):
    # given nothing that could prove the work
    world.repository(without("tests/check.sh", ".github/agent.yml"))

    # when the issue is labelled
    number = world.ask(scripts.play(spec=scripts.draft(verification=[])), TITLE, BODY)

    # then the pull request stays a draft and claims nothing
    world.ends(number, "in-review")
    (pull,) = world.pulls()
    assert pull.draft
    body = pull.issue.body or ""
    assert "### How it was verified: NOT RUN" in body
    assert "no test command is declared in agent.yml and none was found" in body
    assert "PASS" not in body


def test_a_repository_without_agents_md_is_worked_on_by_what_there_is(world: World):
    world.repository(without("AGENTS.md"))
    number = world.ask(scripts.play(spec=scripts.draft(conventions=[])), TITLE, BODY)
    world.ends(number, "in-review")
    assert not world.pulls()[0].draft


def test_an_empty_repository_fails_in_one_sentence(world: World):
    # given a repository without a commit
    world.repository({}, empty=True)

    # when the issue is labelled
    number = world.ask(scripts.play(), TITLE, BODY)

    # then the run rests, says why, and no model was asked
    world.until(lambda: world.runs() and world.run().state.kind in ("Failed", "Paused"), why="the run to rest")
    world.ends(number, world.run().state.kind.lower())
    assert "is empty: push a first commit to it" in world.head(number)
    assert world.voice.calls == []


def test_a_default_branch_with_another_name_is_the_base(world: World):
    world.repository(FILES, default_branch="trunk")
    number = world.ask(scripts.play(), TITLE, BODY)
    world.ends(number, "in-review")
    (pull,) = world.pulls()
    assert pull.base_ref == "trunk"


def test_a_repository_with_a_submodule_is_worked_on(world: World, tmp_path: Path):
    # given a repository whose tree holds a gitlink
    source = tmp_path / "source"
    source.mkdir()
    for path, text in FILES.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(str(text))
    (source / ".gitmodules").write_text('[submodule "lib"]\n\tpath = lib\n\turl = ./lib\n')
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-C", str(source)]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "update-index", "--add", "--cacheinfo", f"160000,{'a' * 40},lib"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "With a submodule"], check=True)
    world.repository({}, source=source)

    # when the issue is labelled
    number = world.ask(scripts.play(), TITLE, BODY)

    # then the change is delivered and the gitlink is as it was
    world.ends(number, "in-review")
    (pull,) = world.pulls()
    assert world.git("ls-tree", pull.head_ref, "lib").split()[:3] == ["160000", "commit", "a" * 40]


def test_a_repository_with_a_folder_named_like_our_package_runs_none_of_it_in_the_engine(world: World, tmp_path: Path):
    # given modules that would tell if anybody outside the sandbox imported them
    canary = tmp_path / "canary"
    trap = f"import pathlib\npathlib.Path({str(canary)!r}).write_text('seen')\n"
    names = (
        "bot/__init__.py",
        "bot/cli.py",
        "sitecustomize.py",
        "usercustomize.py",
        "conftest.py",
        "handlers/__init__.py",
    )
    world.repository({**FILES, **dict.fromkeys(names, trap)})

    # when a run goes all the way, with a command that imports them
    number = world.ask(
        scripts.play(scripts.tools(scripts.run("python3 -c 'import bot' || true"), scripts.edit()), scripts.done()),
        TITLE,
        BODY,
    )

    # then nothing was written outside
    world.ends(number, "in-review")
    assert not canary.exists()


def test_a_mistyped_key_in_agent_yml_is_named_and_the_defaults_are_used(world: World):
    world.repository(scripts.config("aproval: {required: true}\n"))
    number = world.ask(scripts.play(), TITLE, BODY)
    world.ends(number, "in-review")
    assert "aproval" in world.status(number)
    assert "did you mean approval?" in world.status(number)
