"""Git over HTTP on a playground's own state: who may push what."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.playground.git_mount import git_over
from bot.playground.objects import clean_environment
from tests.playground.scene import REPO, Scene

CI = ".github/workflows/ci.yml"


@dataclass
class Work:
    """A clone by an App's token or a person's."""

    scene: Scene
    path: Path

    def git(self, *argv: str) -> subprocess.CompletedProcess[str]:
        names = {f"GIT_{role}_{part}": "a" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
        env = clean_environment() | names
        argv = ("git", "-C", str(self.path), *argv)
        return subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=60)

    def clone(self, who: str) -> None:
        url = self.scene.hub.git.replace("://", f"://x-access-token:{self.scene.tokens[who]}@")
        self.path.mkdir()
        done = self.git("clone", "--quiet", f"{url}/{REPO}.git", ".")
        assert done.returncode == 0, done.stderr

    def commit(self, path: str, text: str = "x\n") -> None:
        (self.path / path).parent.mkdir(parents=True, exist_ok=True)
        (self.path / path).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"Change {path}")

    def push(self, ref: str = "refs/heads/agent/1-a", *options: str) -> str:
        done = self.git("push", *options, "origin", f"HEAD:{ref}")
        return done.stderr if done.returncode else "landed"


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    scene = Scene.build(tmp_path / "hub", git_app=git_over)
    yield Work(scene, tmp_path / "work")
    scene.close()


def test_an_app_changes_no_workflow_without_the_permission(work: Work):
    work.clone("bot")
    work.commit(CI)
    work.commit("b.txt")
    refusal = f"remote: error: refusing to allow a GitHub App to create or update workflow `{CI}` without `workflows` permission"
    assert refusal in work.push()
    assert work.scene.hub.repo(REPO).git.resolve("agent/1-a") is None


def test_bringing_in_the_bases_workflows_by_a_merge_is_no_change_of_them(work: Work):
    work.clone("bot")
    work.commit("b.txt")
    base = Work(work.scene, work.path.with_name("base"))
    base.clone("alice")
    base.commit(CI, "on: pull_request\n")
    assert base.push("refs/heads/main") == "landed"
    work.git("fetch", "--quiet", "origin")
    work.git("merge", "--quiet", "--no-edit", "origin/main")
    assert work.push() == "landed"


def test_a_person_who_writes_changes_workflows(work: Work):
    work.clone("alice")
    work.commit(CI)
    assert work.push() == "landed"


def test_a_protected_branch_takes_its_pushers_forward_only(work: Work):
    work.scene.hub.protect(REPO, "main", pushers=["alice"])
    work.clone("alice")
    work.commit("a.txt")
    assert work.push("refs/heads/main") == "landed"
    work.git("reset", "--hard", "--quiet", "HEAD~1")
    work.commit("b.txt")
    assert "Cannot force-push to this branch." in work.push("refs/heads/main", "--force")


def test_a_push_moves_the_head_of_its_pull_request(work: Work):
    number = work.scene.pull()["number"]
    work.clone("bot")
    work.git("checkout", "--quiet", "agent/1-change")
    work.commit("b.txt")
    assert work.push("refs/heads/agent/1-change") == "landed"
    head = work.git("rev-parse", "HEAD").stdout.strip()
    assert work.scene.get("bot", f"/pulls/{number}")["head"]["sha"] == head
