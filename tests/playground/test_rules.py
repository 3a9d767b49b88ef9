"""What GitHub refuses, in its words; and what it takes without a word."""

from typing import Any

import pytest
from inline_snapshot import snapshot

from tests.playground.scene import REPO, Scene


@pytest.fixture
def issue(scene: Scene) -> int:
    return scene.hub.open_issue(REPO, "alice", "T", "b").number


def _refused(scene: Scene, who: str, method: str, path: str, body: Any = None) -> tuple[int, str, Any]:
    answer = scene.ask(who, method, path, body)
    data = answer.json()
    assert data["status"] == str(answer.status_code)
    assert data["documentation_url"].startswith("https://docs.github.com/rest/")
    return answer.status_code, data["message"], data.get("errors")


def test_a_missing_field_is_named(scene: Scene, issue: int) -> None:
    assert _refused(scene, "bot", "POST", "/issues/1/comments", {}) == snapshot(
        (422, 'Invalid request.\n\n"body" wasn\'t supplied.', None)
    )


def test_an_unknown_field_is_refused(scene: Scene, issue: int) -> None:
    assert _refused(scene, "bot", "POST", "/issues/1/comments", {"body": "x", "color": 1}) == snapshot(
        (422, 'Invalid request.\n\n"color" is not a permitted key.', None)
    )


def test_a_wrong_type_is_refused(scene: Scene, issue: int) -> None:
    assert _refused(scene, "bot", "POST", "/issues/1/comments", {"body": 7}) == snapshot(
        (422, "Invalid request.\n\nFor 'properties/body', 7 is not a string.", None)
    )


def test_a_word_is_no_boolean(scene: Scene) -> None:
    assert _refused(scene, "bot", "POST", "/pulls", _new(draft="true")) == snapshot(
        (422, "Invalid request.\n\nFor 'properties/draft', \"true\" is not a boolean.", None)
    )


def test_a_word_outside_the_enum_is_refused(scene: Scene, issue: int) -> None:
    status, message, _ = _refused(scene, "bot", "POST", "/issues/1/reactions", {"content": "smile"})
    assert (status, message) == snapshot(
        (
            422,
            "Invalid request.\n\nFor 'properties/content', \"smile\" is not a member of "
            "['+1', '-1', 'laugh', 'confused', 'heart', 'hooray', 'rocket' or 'eyes'].",
        )
    )


def test_broken_json_is_a_bad_request(scene: Scene, issue: int) -> None:
    headers = {"authorization": f"token {scene.tokens['bot']}"}
    answer = scene.client.post(f"/repos/{REPO}/issues/1/comments", content=b"{", headers=headers)
    assert (answer.status_code, answer.json()["message"]) == (400, "Problems parsing JSON")


def test_a_comment_holds_65536_characters_and_not_one_more(scene: Scene, issue: int) -> None:
    assert scene.ask("bot", "POST", "/issues/1/comments", {"body": "ä" * 65_536}).status_code == 201
    assert _refused(scene, "bot", "POST", "/issues/1/comments", {"body": "ä" * 65_537}) == snapshot(
        (
            422,
            "Validation Failed",
            [
                {
                    "resource": "IssueComment",
                    "code": "custom",
                    "message": "body is too long (maximum is 65536 characters)",
                    "field": "body",
                }
            ],
        )
    )


def test_an_overlong_edit_leaves_the_comment_as_it_was(scene: Scene, issue: int) -> None:
    made = scene.post("bot", "/issues/1/comments", {"body": "short"})
    path = f"/issues/comments/{made['id']}"
    assert scene.ask("bot", "PATCH", path, {"body": "x" * 65_537}).status_code == 422
    assert scene.get("bot", path)["body"] == "short"


def test_the_same_reaction_twice_is_one(scene: Scene, issue: int) -> None:
    first = scene.ask("bot", "POST", "/issues/1/reactions", {"content": "eyes"})
    second = scene.ask("bot", "POST", "/issues/1/reactions", {"content": "eyes"})
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()


def test_a_label_of_the_same_name_in_any_case_exists_already(scene: Scene) -> None:
    scene.post("bot", "/labels", {"name": "agent"})
    assert _refused(scene, "bot", "POST", "/labels", {"name": "Agent"}) == snapshot(
        (422, "Validation Failed", [{"resource": "Label", "code": "already_exists", "field": "name"}])
    )


def test_taking_off_a_label_that_is_not_on_the_issue(scene: Scene, issue: int) -> None:
    scene.post("bot", "/labels", {"name": "agent"})
    status, message, _ = _refused(scene, "bot", "DELETE", "/issues/1/labels/agent")
    assert (status, message) == (404, "Label does not exist")


def test_a_label_with_a_slash_is_addressed_encoded(scene: Scene, issue: int) -> None:
    scene.post("bot", "/issues/1/labels", {"labels": ["agent/working"]})
    assert scene.ask("bot", "DELETE", "/issues/1/labels/agent%2Fworking").json() == []


def test_an_outsiders_labels_are_dropped_without_a_word(scene: Scene) -> None:
    made = scene.ask("carol", "POST", "/issues", {"title": "T", "labels": ["agent"]})
    assert (made.status_code, made.json()["labels"]) == (201, [])


def test_an_outsider_cannot_edit_anothers_comment(scene: Scene, issue: int) -> None:
    comment = scene.hub.comment(REPO, 1, "mine", by="alice")
    answer = scene.ask("carol", "PATCH", f"/issues/comments/{comment.id}", {"body": "yours"})
    assert answer.status_code == 403


def test_a_deleted_issue_is_gone(scene: Scene, issue: int) -> None:
    scene.hub.delete_issue(REPO, 1, by="alice")
    status, message, _ = _refused(scene, "bot", "GET", "/issues/1")
    assert (status, message) == (410, "This issue was deleted")


def test_a_locked_issue_takes_no_outsiders_comment(scene: Scene, issue: int) -> None:
    scene.hub.issue(REPO, 1).locked = True
    status, message, _ = _refused(scene, "carol", "POST", "/issues/1/comments", {"body": "x"})
    assert (status, message) == snapshot((403, "Unable to create comment because issue is locked."))


def _new(**other: Any) -> dict[str, Any]:
    return {"title": "P", "head": "agent/1-change", "base": "main"} | other


def test_a_pull_request_needs_its_branch(scene: Scene) -> None:
    assert _refused(scene, "bot", "POST", "/pulls", _new()) == snapshot(
        (422, "Validation Failed", [{"resource": "PullRequest", "code": "invalid", "field": "head"}])
    )


def test_a_pull_request_needs_commits(scene: Scene) -> None:
    tip = scene.get("bot", "/git/ref/heads/main")["object"]["sha"]
    scene.post("bot", "/git/refs", {"ref": "refs/heads/agent/1-change", "sha": tip})
    assert _refused(scene, "bot", "POST", "/pulls", _new()) == snapshot(
        (
            422,
            "Validation Failed",
            [{"resource": "PullRequest", "code": "custom", "message": "No commits between main and agent/1-change"}],
        )
    )


def test_a_pair_of_branches_has_one_open_pull_request(scene: Scene) -> None:
    scene.pull()
    assert _refused(scene, "bot", "POST", "/pulls", _new()) == snapshot(
        (
            422,
            "Validation Failed",
            [
                {
                    "resource": "PullRequest",
                    "code": "custom",
                    "message": "A pull request already exists for octo-org:agent/1-change.",
                }
            ],
        )
    )


def test_pull_requests_are_found_by_their_head(scene: Scene) -> None:
    scene.pull()
    assert [p["number"] for p in scene.get("bot", "/pulls?head=octo-org:agent/1-change&state=all")] == [1]
    assert scene.get("bot", "/pulls?head=octo-org:other&state=all") == []


def test_mergeable_is_unknown_at_first(scene: Scene) -> None:
    scene.pull()
    first, second = scene.get("bot", "/pulls/1"), scene.get("bot", "/pulls/1")
    assert (first["mergeable"], first["mergeable_state"]) == (None, "unknown")
    assert (second["mergeable"], second["mergeable_state"]) == (True, "clean")


def test_nobody_approves_their_own_pull_request(scene: Scene) -> None:
    scene.pull()
    assert _refused(scene, "bot", "POST", "/pulls/1/reviews", {"event": "APPROVE"}) == snapshot(
        (422, "Unprocessable Entity", ["Can not approve your own pull request"])
    )


def test_a_comment_outside_the_diff_is_refused(scene: Scene) -> None:
    scene.pull()
    draft = {"path": "src/a.py", "line": 40, "body": "?"}
    answer = _refused(scene, "alice", "POST", "/pulls/1/reviews", {"event": "COMMENT", "comments": [draft]})
    assert answer == snapshot(
        (
            422,
            "Validation Failed",
            [
                {
                    "resource": "PullRequestReviewComment",
                    "code": "custom",
                    "message": "pull_request_review_thread.line must be part of the diff",
                    "field": "pull_request_review_thread.line",
                }
            ],
        )
    )


@pytest.mark.parametrize("login", ["carol", "nobody", "journeyman[bot]"])
def test_only_collaborators_are_asked_to_review(scene: Scene, login: str) -> None:
    scene.pull()
    assert scene.ask("bot", "POST", "/pulls/1/requested_reviewers", {"reviewers": [login]}).status_code == 422


def test_the_author_is_not_asked_to_review(scene: Scene) -> None:
    scene.commit({"src/a.py": "x\n"}, branch="mine")
    scene.post("alice", "/pulls", _new(head="mine"))
    asked = {"reviewers": ["alice"]}
    assert _refused(scene, "bot", "POST", "/pulls/1/requested_reviewers", asked) == snapshot(
        (422, "Review cannot be requested from pull request author.", None)
    )


def test_a_draft_is_not_merged(scene: Scene) -> None:
    scene.pull(draft=True)
    status, message, _ = _refused(scene, "alice", "PUT", "/pulls/1/merge", {})
    assert (status, message) == (405, "Pull Request is still a draft")


def test_a_merge_of_another_head_is_refused(scene: Scene) -> None:
    scene.pull()
    assert _refused(scene, "alice", "PUT", "/pulls/1/merge", {"sha": "0" * 40})[0] == 409


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_merge_brings_the_files_and_closes_what_it_fixes(scene: Scene, issue: int, method: Any) -> None:
    scene.pull()
    scene.ask("bot", "PATCH", "/pulls/2", {"body": "Fixes #1"})
    assert scene.ask("alice", "PUT", "/pulls/2/merge", {"merge_method": method}).json()["merged"]
    assert scene.get("bot", "/pulls/2")["merged_by"]["login"] == "alice"
    assert scene.get("bot", "/issues/1")["state"] == "closed"
    assert (
        scene.get("bot", "/contents/src/a.py")["sha"]
        == scene.get("bot", "/contents/src/a.py?ref=agent/1-change")["sha"]
    )


def test_a_check_run_is_its_apps_alone(scene: Scene) -> None:
    sha = scene.get("bot", "/git/ref/heads/main")["object"]["sha"]
    run = scene.post("bot", "/check-runs", {"name": "v", "head_sha": sha})
    other = scene.hub.create_app("other")
    theirs = scene.hub.install(other, "octo-org")
    token = scene.hub.state.new_token(other.app.bot, installation=theirs, permissions=dict(theirs.permissions))
    assert scene.ask(token.value, "PATCH", f"/check-runs/{run['id']}", {"status": "in_progress"}).status_code == 403


def test_a_completed_check_needs_a_conclusion(scene: Scene) -> None:
    sha = scene.get("bot", "/git/ref/heads/main")["object"]["sha"]
    body = {"name": "v", "head_sha": sha, "status": "completed"}
    assert scene.ask("bot", "POST", "/check-runs", body).status_code == 422


@pytest.mark.parametrize("sha", ["HEAD", "main", "0" * 40, "-t"])
def test_a_check_run_stands_at_a_full_sha(scene: Scene, sha: str) -> None:
    assert _refused(scene, "bot", "POST", "/check-runs", {"name": "v", "head_sha": sha})[0] == 422


def test_a_list_of_checks_has_the_newest_of_each_name(scene: Scene) -> None:
    sha = scene.get("bot", "/git/ref/heads/main")["object"]["sha"]
    made = [scene.post("bot", "/check-runs", {"name": "v", "head_sha": sha})["id"] for _ in range(2)]
    latest = scene.get("bot", f"/commits/{sha}/check-runs?check_name=v")
    everything = scene.get("bot", f"/commits/{sha}/check-runs?filter=all")
    assert [run["id"] for run in latest["check_runs"]] == made[1:]
    assert everything["total_count"] == 2


def test_an_unknown_path_is_not_found(scene: Scene) -> None:
    assert scene.ask("bot", "GET", "/no/such/thing").status_code == 404
    assert scene.ask("bot", "PUT", "/issues").status_code == 404
