"""Filling a playground: repositories from files, directories and other repositories; names and sizes of the setting."""

import subprocess
from pathlib import Path

import pytest

from bot.playground.objects import clean_environment
from tests.playground.scene import REPO, Scene


def _git(directory: Path, *args: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    done = subprocess.run(
        ["git", *identity, *args], cwd=directory, env=clean_environment(), check=True, capture_output=True
    )
    return done.stdout.decode().strip()


def _paths(scene: Scene, repo: str) -> dict[str, str]:
    tree = scene.get("octo", f"//repos/{repo}/git/trees/main?recursive=1")["tree"]
    return {row["path"]: row["mode"] for row in tree if row["type"] == "blob"}


@pytest.fixture
def owned(scene: Scene) -> Scene:
    scene.tokens["octo"] = scene.hub.state.new_token(scene.hub.account("octo-org")).value
    return scene


def test_a_directory_becomes_one_commit_with_its_modes(owned: Scene, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "bin").mkdir(parents=True)
    (source / "bin" / "run").write_text("#!/bin/sh\n")
    (source / "bin" / "run").chmod(0o755)
    (source / 'odd "name".txt').write_bytes(b"\x00\xff")
    (source / "link").symlink_to("bin/run")
    (source / "bin" / ".git").mkdir()
    (source / "bin" / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    owned.hub.create_repo("octo-org/copy", from_path=source)
    assert _paths(owned, "octo-org/copy") == {"bin/run": "100755", "link": "120000", 'odd "name".txt': "100644"}


def test_a_repository_is_copied_by_its_head_and_left_alone(owned: Scene, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    _git(source, "init", "-q", "-b", "trunk")
    (source / "kept.txt").write_text("kept\n")
    _git(source, "add", "kept.txt")
    _git(source, "commit", "-q", "-m", "First")
    (source / "untracked.txt").write_text("secret\n")
    before = _git(source, "status", "--porcelain=v2", "--branch")
    owned.hub.create_repo("octo-org/copy", from_path=source)
    assert _paths(owned, "octo-org/copy") == {"kept.txt": "100644"}
    commits = owned.get("octo", "//repos/octo-org/copy/commits")
    assert [one["sha"] for one in commits] == [_git(source, "rev-parse", "HEAD")]
    assert _git(source, "status", "--porcelain=v2", "--branch") == before


def test_a_file_comes_raw_where_that_is_asked_for(scene: Scene) -> None:
    answer = scene.ask("bot", "GET", "/contents/README.md", accept="application/vnd.github.raw+json")
    assert answer.content == b"# Demo\n"


def test_an_empty_repository_has_no_commits(owned: Scene) -> None:
    owned.hub.create_repo("octo-org/empty")
    answer = owned.ask("octo", "GET", "//repos/octo-org/empty/commits")
    assert (answer.status_code, answer.json()["message"]) == (409, "Git Repository is empty.")


def test_acts_of_people_carry_their_names(scene: Scene) -> None:
    scene.hub.open_issue(REPO, "carol", "T")
    scene.hub.comment(REPO, 1, "hello", by="bob")
    assert scene.get("bot", "/issues/1")["user"]["login"] == "carol"
    assert scene.get("bot", "/issues/1/comments")[0]["user"]["login"] == "bob"


def test_an_unknown_person_is_an_error_of_the_caller(scene: Scene) -> None:
    with pytest.raises(KeyError):
        scene.hub.open_issue(REPO, "nobody", "T")
