"""The adapter against the playground's strict API, over real HTTP: every call that we make is one that GitHub would take."""

import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.core.redact import Secret
from bot.github.app import GitHubApp
from bot.playground.data import Installation
from bot.playground.git_mount import git_over
from bot.playground.objects import clean_environment
from bot.playground.world import NewApp, Playground
from bot.ports import Permanent, Transient, UserFacing

REPO = "octo-org/demo"
FILES = {"README.md": "# Demo\n", "src/a.py": "one = 1\n"}


@dataclass
class Hub:
    """A playground with one installation on one repository."""

    world: Playground
    app: NewApp
    installation: Installation

    @property
    def id(self) -> int:
        return self.installation.id


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with Playground.start(tmp_path / "hub", git_app=git_over) as world:
        app = world.create_app("journeyman")
        world.create_user("alice")
        world.create_repo(REPO, files=FILES, private=True)
        world.add_collaborator(REPO, "alice", "maintain")
        yield Hub(world, app, world.install(app, "octo-org"))


@pytest.fixture
async def github(hub: Hub) -> AsyncIterator[GitHubApp]:
    app = GitHubApp(
        app_id=str(hub.app.id),
        private_key=Secret(hub.app.private_key),
        api_base=hub.world.api,
        clock=hub.world.state.clock,  # ty: ignore[invalid-argument-type]  # its `stamp` is not used
    )
    yield app
    await app.aclose()


def opened(hub: Hub, title: str = "Consent") -> int:
    return hub.world.open_issue(REPO, "alice", title, "Do it").number


def branch(hub: Hub, name: str) -> str:
    git = hub.world.repo(REPO).git
    tip = git.resolve("main")
    assert tip is not None
    who = ("bot", "bot@example.test", "2026-11-24T09:00:00Z")
    tree = git.write_tree({"b.txt": ("100644", git.write_blob(b"b\n"))}, base=tip)
    sha = git.commit_tree(tree, parents=[tip], message="Work\n", author=who, committer=who)
    git.set_ref(f"refs/heads/{name}", sha, "0" * 40)
    return sha


async def test_the_repository_and_who_may_what(hub: Hub, github: GitHubApp):
    info = await github.repository(hub.id, REPO)
    assert (info.id, info.default_branch, info.private) == (hub.world.repo(REPO).id, "main", True)
    assert await github.permission(hub.id, REPO, "alice") == "maintain"
    assert await github.permission(hub.id, REPO, "nobody-at-all") == "none"


async def test_comments_from_first_to_gone(hub: Hub, github: GitHubApp):
    number = opened(hub)
    made = await github.create_comment(hub.id, REPO, number, "one")
    assert await github.update_comment(hub.id, REPO, made.id, "two")
    [only] = await github.comments(hub.id, REPO, number)
    assert (only.body, only.author, only.app_id) == ("two", "journeyman[bot]", hub.app.id)
    await github.delete_comment(hub.id, REPO, made.id)
    assert await github.update_comment(hub.id, REPO, made.id, "three") is False
    await github.delete_comment(hub.id, REPO, made.id)


async def test_more_comments_than_a_page_come_in_order(hub: Hub, github: GitHubApp):
    number = opened(hub)
    for at in range(103):
        hub.world.comment(REPO, number, str(at), by="alice")
    assert [c.body for c in await github.comments(hub.id, REPO, number)] == [str(at) for at in range(103)]


async def test_labels_and_reactions(hub: Hub, github: GitHubApp):
    number = opened(hub)
    await github.ensure_label(hub.id, REPO, "agent/working", "5319e7", "At work")
    await github.ensure_label(hub.id, REPO, "agent/working", "0e8a16", "At work")
    await github.set_labels(hub.id, REPO, number, add=["agent/working"], remove=["agent/drafting"])
    comment = await github.create_comment(hub.id, REPO, number, "hi")
    await github.react(hub.id, REPO, comment_id=comment.id, issue=number, content="eyes")
    await github.react(hub.id, REPO, comment_id=None, issue=number, content="rocket")
    assert (await github.issue(hub.id, REPO, number)).labels == ("agent/working",)
    assert hub.world.repo(REPO).labels["agent/working"].color == "0e8a16"


async def test_a_pull_request_from_draft_to_ready_and_back(hub: Hub, github: GitHubApp):
    sha = branch(hub, "agent/1-x")
    made = await github.create_pull(hub.id, REPO, head="agent/1-x", base="main", title="T", body="B", draft=True)
    await github.mark_ready(hub.id, REPO, made)
    found = await github.find_pull(hub.id, REPO, "agent/1-x")
    assert found is not None
    assert (found.number, found.head_sha, found.draft) == (made.number, sha, False)
    await github.mark_draft(hub.id, REPO, found)
    await github.update_pull(hub.id, REPO, made.number, title="New", body="Text")
    await github.request_reviewers(hub.id, REPO, made.number, ["alice"])
    pull = hub.world.pull(REPO, made.number)
    assert (pull.draft, pull.issue.title, [r.login for r in pull.requested]) == (True, "New", ["alice"])


async def test_a_branch_without_a_pull_request_has_none(hub: Hub, github: GitHubApp):
    assert await github.find_pull(hub.id, REPO, "agent/9-none") is None


async def test_a_second_pull_request_of_a_branch_is_refused(hub: Hub, github: GitHubApp):
    branch(hub, "agent/1-x")
    same = {"head": "agent/1-x", "base": "main", "title": "T", "body": "B", "draft": True}
    await github.create_pull(hub.id, REPO, **same)
    with pytest.raises(Permanent, match="already exists"):
        await github.create_pull(hub.id, REPO, **same)


async def test_a_check_run_is_made_found_and_ended(hub: Hub, github: GitHubApp):
    sha = branch(hub, "agent/1-x")
    same = {"name": "agent / verify", "sha": sha, "external_id": "r1/verify", "title": "T", "summary": "S"}
    made = await github.put_check(hub.id, REPO, **same, status="in_progress", conclusion=None)
    assert await github.find_check(hub.id, REPO, sha=sha, external_id="r1/verify") == made
    ended = await github.put_check(hub.id, REPO, **same, status="completed", conclusion="success", check_id=made)
    assert ended == made


async def test_who_the_app_is(hub: Hub, github: GitHubApp):
    assert (await github.app_owner(), await github.app_slug()) == ("octo-org", "journeyman")
    assert await github.bot_user_id(hub.id) == hub.app.app.bot.id
    assert await github.installation(hub.id) == "octo-org"


async def test_a_suspended_installation_asks_its_owner(hub: Hub, github: GitHubApp):
    hub.installation.suspended_at = hub.world.state.clock.now()
    with pytest.raises(UserFacing, match="suspended"):
        await github.token(hub.id, hub.world.repo(REPO).id, write=False)


async def test_a_git_token_pushes_a_branch_and_no_workflow(hub: Hub, github: GitHubApp, tmp_path: Path):
    token = await github.token(hub.id, hub.world.repo(REPO).id, write=True)
    url = hub.world.git.replace("://", f"://x-access-token:{token}@") + f"/{REPO}.git"
    work = tmp_path / "work"

    def git(*argv: str) -> subprocess.CompletedProcess[str]:
        names = {f"GIT_{role}_{part}": "a" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
        env = clean_environment() | names
        return subprocess.run(["git", *argv], env=env, capture_output=True, text=True, check=False, timeout=60)

    assert git("clone", "--quiet", url, str(work)).returncode == 0
    (work / "b.txt").write_text("b\n")
    git("-C", str(work), "add", "--all")
    git("-C", str(work), "commit", "--quiet", "--message", "Work")
    assert git("-C", str(work), "push", "origin", "HEAD:refs/heads/agent/1-x").returncode == 0
    (work / ".github/workflows").mkdir(parents=True)
    (work / ".github/workflows/ci.yml").write_text("on: push\n")
    git("-C", str(work), "add", "--all")
    git("-C", str(work), "commit", "--quiet", "--message", "CI")
    refused = git("-C", str(work), "push", "origin", "HEAD:refs/heads/agent/1-x")
    assert "without `workflows` permission" in refused.stderr


async def test_nobody_listens(hub: Hub, github: GitHubApp):
    hub.world.stop()
    with pytest.raises(Transient):
        await github.create_comment(hub.id, REPO, 1, "hi")
