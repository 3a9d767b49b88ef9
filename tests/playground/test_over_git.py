"""Real pushes and fetches by git, judged by the same state as the REST calls."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.playground.git_mount import git_over
from bot.playground.objects import clean_environment
from tests.playground.scene import REPO, Scene


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Scene]:
    built = Scene.build(tmp_path / "hub", git_app=git_over)
    yield built
    built.close()


def _git(directory: Path, *args: str) -> subprocess.CompletedProcess[str]:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    return subprocess.run(
        ["git", *identity, *args], cwd=directory, env=clean_environment(), check=False, capture_output=True, text=True
    )


@pytest.fixture
def clone(served: Scene, tmp_path: Path) -> Path:
    done = _git(tmp_path, "clone", "-q", _remote(served, "bot"), "work")
    assert done.returncode == 0, done.stderr
    return tmp_path / "work"


def _remote(scene: Scene, who: str) -> str:
    return scene.hub.git.replace("http://", f"http://x-access-token:{scene.tokens[who]}@") + f"/{REPO}.git"


def _push(
    scene: Scene, clone: Path, who: str, path: str, refspec: str, *flags: str
) -> subprocess.CompletedProcess[str]:
    (clone / path).parent.mkdir(parents=True, exist_ok=True)
    (clone / path).write_text("changed\n")
    _git(clone, "add", path)
    _git(clone, "commit", "-q", "-m", f"Change {path}")
    return _git(clone, "push", "-q", *flags, _remote(scene, who), refspec)


def test_an_app_pushes_its_branch_and_the_pull_request_follows(served: Scene, clone: Path) -> None:
    assert _push(served, clone, "bot", "src/a.py", "HEAD:refs/heads/agent/1-x").returncode == 0
    served.post("bot", "/pulls", {"title": "P", "head": "agent/1-x", "base": "main"})
    assert _push(served, clone, "bot", "src/b.py", "HEAD:refs/heads/agent/1-x").returncode == 0
    head = _git(clone, "rev-parse", "HEAD").stdout.strip()
    assert served.get("bot", "/pulls/1")["head"]["sha"] == head


def test_an_app_does_not_push_workflows(served: Scene, clone: Path) -> None:
    done = _push(served, clone, "bot", ".github/workflows/ci.yml", "HEAD:refs/heads/agent/1-x")
    assert done.returncode != 0
    assert "refusing to allow a GitHub App to create or update workflow `.github/workflows/ci.yml`" in done.stderr
    assert served.ask("bot", "GET", "/git/ref/heads/agent/1-x").status_code == 404


def test_a_person_pushes_workflows(served: Scene, clone: Path) -> None:
    assert _push(served, clone, "alice", ".github/workflows/ci.yml", "HEAD:refs/heads/x").returncode == 0


def test_a_protected_branch_is_not_forced(served: Scene, clone: Path) -> None:
    served.hub.protect(REPO, "main", pushers=["alice"])
    _git(clone, "checkout", "-q", "--orphan", "other")
    done = _push(served, clone, "alice", "src/z.py", "HEAD:refs/heads/main", "--force")
    assert done.returncode != 0
    assert "GH006: Protected branch update failed for refs/heads/main." in done.stderr


def test_a_pusher_of_a_protected_branch_goes_forward(served: Scene, clone: Path) -> None:
    served.hub.protect(REPO, "main", pushers=["alice"])
    assert _push(served, clone, "alice", "src/z.py", "HEAD:refs/heads/main").returncode == 0


def test_a_stranger_does_not_fetch_what_is_private(served: Scene, tmp_path: Path) -> None:
    served.hub.create_repo("octo-org/secret", private=True, files={"a": "b"})
    url = _remote(served, "carol").replace(REPO, "octo-org/secret")
    assert _git(tmp_path, "ls-remote", url).returncode != 0
    assert _git(tmp_path, "ls-remote", url.replace(served.tokens["carol"], served.tokens["bot"])).returncode == 0


def test_a_lost_answer_to_a_push_leaves_the_push(served: Scene, clone: Path) -> None:
    served.hub.state.faults.add("lose_answer", method="POST", path="/git/*/git-receive-pack")
    assert _push(served, clone, "bot", "src/a.py", "HEAD:refs/heads/agent/1-x").returncode != 0
    head = _git(clone, "rev-parse", "HEAD").stdout.strip()
    assert served.get("bot", "/git/ref/heads/agent/1-x")["object"]["sha"] == head
