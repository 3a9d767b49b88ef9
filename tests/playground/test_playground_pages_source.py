"""The pages over a real playground: what was done over REST is what they show."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bot.playground.pages_source import pages_over
from tests.playground.scene import REPO, Scene


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Scene]:
    built = Scene.build(tmp_path / "hub", pages_app=pages_over)
    yield built
    built.close()


def page(scene: Scene, path: str) -> str:
    answer = scene.client.get(f"{scene.hub.url}/{REPO}{path}", follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_an_issue_with_what_happened_to_it(site: Scene):
    number = site.post("alice", "/issues", {"title": "Consent", "body": "Do **it**"})["number"]
    comment = site.post("bot", f"/issues/{number}/comments", {"body": "On it, @alice"})
    site.post("bot", f"/issues/comments/{comment['id']}/reactions", {"content": "rocket"})
    site.post("bot", f"/issues/{number}/labels", {"labels": ["agent/working"]})
    site.ask("bot", "PATCH", f"/issues/{number}", {"title": "Consent log"})
    site.ask("alice", "PATCH", f"/issues/{number}", {"state": "closed", "state_reason": "not_planned"})
    shown = page(site, f"/issues/{number}")
    for words in (
        "Do <strong>it</strong>",
        f'id="issuecomment-{comment["id"]}"',
        "🚀 1",
        "added the label",
        "changed the title from “Consent” to “Consent log”",
        "closed this as not planned",
        '<span class="state closed">Closed</span>',
    ):
        assert words in shown


def test_a_pull_request_with_its_commits_files_checks_and_reviews(site: Scene):
    pull = site.pull()
    number, sha = pull["number"], pull["head"]["sha"]
    check = {"name": "agent / verify", "head_sha": sha, "status": "completed", "conclusion": "success"}
    site.post("bot", "/check-runs", check | {"output": {"title": "4 of 4 passed", "summary": "| a |\n|---|\n| 1 |"}})
    site.post("alice", f"/pulls/{number}/reviews", {"event": "APPROVE", "body": "Good."})
    remark = {"body": "Why?", "path": "src/a.py", "line": 2, "side": "RIGHT", "commit_id": sha}
    site.post("alice", f"/pulls/{number}/comments", remark)
    talk = page(site, f"/pull/{number}")
    for words in ("wants to merge 1 commit", "approved", "<code>src/a.py:2</code>", "4 of 4 passed"):
        assert words in talk
    assert "<td>two = 22</td>" in page(site, f"/pull/{number}/files")
    assert f"/commit/{sha}" in page(site, f"/pull/{number}/commits")
    assert "<td>1</td>" in page(site, f"/pull/{number}/checks")


def test_the_number_of_a_pull_request_leads_from_the_issues_to_it(site: Scene):
    number = site.pull()["number"]
    answer = httpx.get(f"{site.hub.url}/{REPO}/issues/{number}")
    assert answer.headers["location"].endswith(f"/{REPO}/pull/{number}")


def test_files_and_commits_at_a_branch_with_a_slash(site: Scene):
    sha = site.pull()["head"]["sha"]
    assert "<td>two = 22</td>" in page(site, "/blob/agent/1-change/src/a.py")
    assert "a.py" in page(site, "/tree/agent/1-change/src")
    assert "two = 22" in page(site, f"/commit/{sha}")
    assert "<h1>Demo</h1>" in page(site, "")


def test_the_first_commit_adds_everything(site: Scene):
    first = site.get("bot", "/git/ref/heads/main")["object"]["sha"]
    assert "3 files changed" in page(site, f"/commit/{first}")


MISSING = (
    "/blob/main/nothing",
    "/blob/nowhere/README.md",
    "/blob/main/src",
    "/tree/nowhere",
    "/commit/beef",
    "/pull/99",
)


@pytest.mark.parametrize("path", MISSING)
def test_what_is_not_there_is_not_found(site: Scene, path: str):
    assert httpx.get(f"{site.hub.url}/{REPO}{path}").status_code == 404


def test_an_empty_repository_has_a_page(site: Scene):
    site.hub.create_repo("octo-org/empty")
    assert "This repository is empty." in httpx.get(f"{site.hub.url}/octo-org/empty").text


def test_the_lists_and_the_front_page_count_what_is_open(site: Scene):
    site.post("alice", "/issues", {"title": "Consent"})
    site.pull()
    assert "Consent" in page(site, "/issues")
    assert "Change" in page(site, "/pulls")
    assert "1 open issue" in httpx.get(site.hub.url).text
