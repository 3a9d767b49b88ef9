"""`journeyman try`: a person's repository gets a branch and texts; its work tree, index and HEAD stay as they are, byte for byte."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.playground.samples import load
from bot.playground.vendor import ANTHROPIC_KEY, OPENAI_KEY, start_vendor
from tests.command import Command

BRANCH = "agent/1-the-discount-is-taken-off-once-per-item"
SAMPLE = load("shop")
WHO = ("-c", "user.name=Maria", "-c", "user.email=maria@example.org")


@pytest.fixture(scope="module")
def keys() -> Iterator[dict[str, str]]:
    """The environment of somebody whose vendors are played by a script."""
    vendor = start_vendor(SAMPLE.policy)
    yield {
        "ANTHROPIC_API_KEY": ANTHROPIC_KEY,
        "ANTHROPIC_BASE_URL": vendor.url_anthropic,
        "OPENAI_API_KEY": OPENAI_KEY,
        "OPENAI_BASE_URL": vendor.url_openai,
    }
    vendor.stop()


@pytest.fixture
def journeyman(tmp_path: Path) -> Command:
    return Command(tmp_path)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """The sample shop, committed by a person."""
    made = tmp_path / "my shop"
    for path, content in SAMPLE.files.items():
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        (made / path).write_bytes(content if isinstance(content, bytes) else content.encode())
    git(made, "init", "--quiet", "--initial-branch", "trunk")
    git(made, "add", ".")
    git(made, *WHO, "commit", "--quiet", "-m", "Shop")
    return made


@pytest.fixture
def issue(tmp_path: Path) -> Path:
    made = tmp_path / "issue.md"
    made.write_text(f"# {SAMPLE.title}\n\n{SAMPLE.body}\n")
    return made


def git(repo: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(repo), *words], capture_output=True, text=True, check=True).stdout.strip()


def everything(repo: Path) -> dict[str, bytes]:
    """Every file of the work tree, and index and HEAD."""
    files = {str(it.relative_to(repo)): it for it in repo.rglob("*") if it.is_file() and ".git" not in it.parts}
    held = {**files, "index": repo / ".git/index", "HEAD": repo / ".git/HEAD", "config": repo / ".git/config"}
    return {name: path.read_bytes() for name, path in held.items()}


# ---- what can't be used is said in one sentence, before anything starts


def test_without_a_key_it_says_which_to_give(journeyman: Command, repo: Path, issue: Path):
    code, said = journeyman.run("try", "--repo", str(repo), "--issue", str(issue))
    assert (code, said) == (
        78,
        "journeyman: No model key is set: give ANTHROPIC_API_KEY or OPENAI_API_KEY (or both), then say `journeyman try` "
        "again; `journeyman demo` needs none.\n",
    )


def test_a_folder_that_is_no_repository(journeyman: Command, tmp_path: Path, issue: Path):
    code, said = journeyman.run("try", "--repo", str(tmp_path), "--issue", str(issue))
    assert (code, said) == (78, f"journeyman: {tmp_path} is not the top of a git repository.\n")


def test_a_repository_without_a_commit(journeyman: Command, tmp_path: Path, issue: Path):
    git(tmp_path, "init", "--quiet", "fresh")
    code, said = journeyman.run("try", "--repo", str(tmp_path / "fresh"), "--issue", str(issue))
    sentence = "has no commit yet: commit something for the work to start from."
    assert (code, said) == (78, f"journeyman: {tmp_path / 'fresh'} {sentence}\n")


def test_a_shallow_clone_is_told_how_to_become_whole(journeyman: Command, repo: Path, tmp_path: Path, issue: Path):
    (repo / "README.md").write_text("a second commit\n")
    git(repo, *WHO, "commit", "--quiet", "-am", "Readme")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{repo}", str(shallow))
    code, said = journeyman.run("try", "--repo", str(shallow), "--issue", str(issue), env={"OPENAI_API_KEY": "x"})
    assert (code, said) == (
        78,
        f"journeyman: {shallow} is a shallow clone: say `git fetch --unshallow` in it first.\n",
    )


def test_an_issue_file_that_is_not_there(journeyman: Command, repo: Path, tmp_path: Path):
    missing = tmp_path / "none.md"
    code, said = journeyman.run("try", "--repo", str(repo), "--issue", str(missing))
    sentence = "--issue needs a Markdown file whose first line is the title."
    assert (code, said) == (78, f"journeyman: There is no file {missing}: {sentence}\n")


def test_an_empty_issue_file(journeyman: Command, repo: Path, tmp_path: Path):
    empty = tmp_path / "empty.md"
    empty.write_text("\n \n")
    code, said = journeyman.run("try", "--repo", str(repo), "--issue", str(empty))
    assert (code, said) == (78, f"journeyman: {empty} is empty: its first line is the issue's title.\n")


def test_a_server_that_cannot_start_is_said_at_once(journeyman: Command, keys: dict[str, str], repo: Path, issue: Path):
    env = {**keys, "JOURNEYMAN_MODELS": "author=anthropic:no-such-model"}
    begin = time.monotonic()
    code, said = journeyman.run("try", "--repo", str(repo), "--issue", str(issue), env=env)
    assert code == 78
    assert "no-such-model" in said
    assert "can't start as configured" in said
    assert time.monotonic() - begin < 40
    assert journeyman.leftovers() == []


# ---- a run


@pytest.mark.story
def test_a_branch_and_texts_come_back_and_nothing_else_changes(
    journeyman: Command, keys: dict[str, str], repo: Path, issue: Path
):
    # given work that is not committed, in each place where it can be
    (repo / "README.md").write_text("half a thought\n")
    (repo / "staged.txt").write_text("staged\n")
    git(repo, "add", "staged.txt")
    (repo / "untracked.txt").write_text("untracked\n")
    before = everything(repo)

    code, said = journeyman.run("try", "--repo", str(repo), "--issue", str(issue), env=keys)

    assert code == 0, said
    assert everything(repo) == before
    assert "Changes that are not committed are no part of this, and stay as they are." in said
    assert git(repo, "diff", "--name-only", f"trunk...{BRANCH}") == "shop/cart.py\ntests/test_cart.py"
    (texts,) = (repo / ".git/journeyman").iterdir()
    assert sorted(it.name for it in texts.iterdir()) == ["pull-request-1.md", "spec.md"]
    assert "### How it was verified: PASS" in (texts / "pull-request-1.md").read_text()
    assert journeyman.leftovers() == []


@pytest.mark.story
def test_a_detached_head_with_hooks_and_settings_that_prune(
    journeyman: Command, keys: dict[str, str], repo: Path, issue: Path, tmp_path: Path
):
    git(repo, "checkout", "--quiet", "--detach")
    git(repo, "tag", "mine")
    git(repo, "config", "fetch.prune", "true")
    git(repo, "config", "fetch.pruneTags", "true")
    hook = repo / ".git/hooks/reference-transaction"
    hook.write_text(f"#!/bin/sh\ntouch '{tmp_path}/hook-ran'\n")
    hook.chmod(0o755)
    before = everything(repo)

    code, said = journeyman.run("try", "--repo", str(repo), "--issue", str(issue), env=keys)

    assert code == 0, said
    assert everything(repo) == before
    assert git(repo, "tag") == "mine"
    assert git(repo, "merge-base", "HEAD", BRANCH) == git(repo, "rev-parse", "HEAD")
    assert not (tmp_path / "hook-ran").exists()
