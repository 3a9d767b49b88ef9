"""What a push may do, and what follows it; threads over GraphQL."""

from typing import Any

import pytest
from inline_snapshot import snapshot

from bot.playground.objects import ZERO
from tests.playground.scene import REPO, Scene


def _tree(scene: Scene, path: str) -> tuple[str, str]:
    """(main's tip, a commit on it that changes `path`), pushed nowhere."""
    git = scene.hub.repo(REPO).git
    tip = git.tip("refs/heads/main") or ""
    tree = git.write_tree({path: ("100644", git.write_blob(b"new\n"))}, base=tip)
    who = ("A", "a@example.com", "2026-11-24T00:00:00Z")
    return tip, git.commit_tree(tree, parents=[tip], message="m\n", author=who, committer=who)


def test_an_app_may_push_a_new_branch(scene: Scene) -> None:
    _, new = _tree(scene, "src/a.py")
    assert scene.hub.state.may_push(REPO, scene.tokens["bot"], "refs/heads/agent/1-x", ZERO, new) is None


def test_workflow_files_take_the_workflows_permission(scene: Scene) -> None:
    _, new = _tree(scene, ".github/workflows/ci.yml")
    assert scene.hub.state.may_push(REPO, scene.tokens["bot"], "refs/heads/agent/1-x", ZERO, new) == snapshot(
        "refusing to allow a GitHub App to create or update workflow `.github/workflows/ci.yml` without `workflows` permission"
    )


def test_a_person_may_push_workflow_files(scene: Scene) -> None:
    _, new = _tree(scene, ".github/workflows/ci.yml")
    assert scene.hub.state.may_push(REPO, scene.tokens["alice"], "refs/heads/x", ZERO, new) is None


def test_a_protected_branch_takes_pull_requests_only(scene: Scene) -> None:
    scene.hub.protect(REPO, "main")
    old, new = _tree(scene, "src/a.py")
    assert scene.hub.state.may_push(REPO, scene.tokens["bot"], "refs/heads/main", old, new) == snapshot(
        "GH006: Protected branch update failed for refs/heads/main. Changes must be made through a pull request."
    )


def test_a_reading_token_does_not_push(scene: Scene) -> None:
    _, new = _tree(scene, "src/a.py")
    token = scene.mint(permissions={"contents": "read"})
    assert scene.hub.state.may_push(REPO, token, "refs/heads/x", ZERO, new) == snapshot(
        "Write access to repository not granted."
    )


def test_a_triager_does_not_push(scene: Scene) -> None:
    _, new = _tree(scene, "src/a.py")
    assert scene.hub.state.may_push(REPO, scene.tokens["bob"], "refs/heads/x", ZERO, new) == snapshot(
        "Permission to octo-org/demo.git denied to bob."
    )


def test_reading_a_private_repository_takes_a_token_of_its_own(scene: Scene) -> None:
    scene.hub.create_repo("octo-org/secret", private=True, files={"a": "b"})
    other = scene.mint(repositories=["demo"])
    state = scene.hub.state
    assert [state.may_read("octo-org/secret", token) for token in (None, scene.tokens["carol"], other)] == [False] * 3
    assert state.may_read("octo-org/secret", scene.mint())


def test_a_push_moves_the_pull_request(scene: Scene) -> None:
    scene.pull()
    sha = scene.commit({"src/a.py": "one\n"}, branch="agent/1-change", base="agent/1-change")
    scene.hub.webhooks.drain()
    told = [one for one in scene.hub.state.deliveries if one.action == "synchronize"]
    assert scene.get("bot", "/pulls/1")["head"]["sha"] == sha
    assert [one.payload["after"] for one in told] == [sha]


def test_a_push_by_git_moves_the_pull_request_too(scene: Scene) -> None:
    scene.pull()
    git, ref = scene.hub.repo(REPO).git, "refs/heads/agent/1-change"
    old = git.tip(ref) or ""
    who = ("A", "a@example.com", "2026-11-24T00:00:00Z")
    new = git.commit_tree(git.commit(old).tree, parents=[old], message="m\n", author=who, committer=who)
    git.set_ref(ref, new, old)
    scene.hub.state.pushed(REPO, ref, old, new, scene.tokens["bot"])
    assert scene.get("bot", "/pulls/1")["head"]["sha"] == new


def test_a_deleted_branch_closes_its_pull_request(scene: Scene) -> None:
    scene.pull()
    assert scene.ask("bot", "DELETE", "/git/refs/heads/agent/1-change").status_code == 204
    assert (scene.get("bot", "/pulls/1")["state"], scene.get("bot", "/pulls/1")["merged"]) == ("closed", False)


def test_a_head_that_reaches_the_base_counts_as_merged(scene: Scene) -> None:
    sha = scene.pull()["head"]["sha"]
    scene.ask("alice", "PATCH", "/git/refs/heads/main", {"sha": sha}).raise_for_status()
    assert scene.get("bot", "/pulls/1")["merged"]


def test_a_ref_moves_forward_only(scene: Scene) -> None:
    scene.pull()
    tip = scene.get("bot", "/git/ref/heads/main")["object"]["sha"]
    answer = scene.ask("bot", "PATCH", "/git/refs/heads/agent/1-change", {"sha": tip})
    assert (answer.status_code, answer.json()["message"]) == (422, "Update is not a fast forward")


def test_workflow_files_are_refused_over_rest_too(scene: Scene) -> None:
    _, new = _tree(scene, ".github/workflows/ci.yml")
    answer = scene.ask("bot", "POST", "/git/refs", {"ref": "refs/heads/x", "sha": new})
    assert (answer.status_code, answer.json()["message"]) == (403, "Resource not accessible by integration")


# ---- GraphQL


def _ask(scene: Scene, who: str, query: str, **variables: Any) -> Any:
    return scene.post(who, "//graphql", {"query": query, "variables": variables})


THREADS = """query($number: Int!) { repository(owner: "octo-org", name: "demo") { pullRequest(number: $number) {
  reviewThreads(first: 50) { totalCount nodes { id isResolved isOutdated path line
    comments(first: 1) { nodes { body author { login } } } } } } } }
"""


@pytest.fixture
def thread(scene: Scene) -> str:
    scene.pull()
    draft = {"path": "src/a.py", "line": 2, "body": "Why?"}
    scene.post("alice", "/pulls/1/reviews", {"event": "COMMENT", "comments": [draft]})
    return _threads(scene)[0]["id"]


def _threads(scene: Scene) -> Any:
    return _ask(scene, "bot", THREADS, number=1)["data"]["repository"]["pullRequest"]["reviewThreads"]["nodes"]


def test_a_thread_is_read_over_graphql(scene: Scene, thread: str) -> None:
    assert _threads(scene) == [
        {
            "id": thread,
            "isResolved": False,
            "isOutdated": False,
            "path": "src/a.py",
            "line": 2,
            "comments": {"nodes": [{"body": "Why?", "author": {"login": "alice"}}]},
        }
    ]


def test_a_thread_is_resolved(scene: Scene, thread: str) -> None:
    query = "mutation($id: ID!) { resolveReviewThread(input: {threadId: $id}) { thread { isResolved } } }"
    assert _ask(scene, "bot", query, id=thread)["data"] == {"resolveReviewThread": {"thread": {"isResolved": True}}}


def test_a_push_that_changes_the_line_outdates_the_thread(scene: Scene, thread: str) -> None:
    scene.commit({"src/a.py": "one = 1\ntwo = 2\nthree = 3\n"}, branch="agent/1-change", base="agent/1-change")
    assert [(one["isOutdated"], one["line"]) for one in _threads(scene)] == [(True, None)]


def test_a_push_above_moves_the_thread(scene: Scene, thread: str) -> None:
    moved = "zero = 0\none = 1\ntwo = 22\nthree = 3\n"
    scene.commit({"src/a.py": moved}, branch="agent/1-change", base="agent/1-change")
    assert [(one["isOutdated"], one["line"]) for one in _threads(scene)] == [(False, 3)]


def test_draft_to_ready_and_back(scene: Scene) -> None:
    node = scene.pull(draft=True)["node_id"]
    for verb, draft in (("markPullRequestReadyForReview", False), ("convertPullRequestToDraft", True)):
        query = f"mutation($id: ID!) {{ {verb}(input: {{pullRequestId: $id}}) {{ pullRequest {{ isDraft }} }} }}"
        assert _ask(scene, "bot", query, id=node)["data"][verb]["pullRequest"] == {"isDraft": draft}


def test_a_node_is_found_by_its_id(scene: Scene) -> None:
    node = scene.pull()["node_id"]
    query = "query($id: ID!) { node(id: $id) { __typename ... on PullRequest { number headRefName } } }"
    assert _ask(scene, "bot", query, id=node)["data"]["node"] == {
        "__typename": "PullRequest",
        "number": 1,
        "headRefName": "agent/1-change",
    }


def test_an_unknown_node_is_an_error_beside_null(scene: Scene) -> None:
    assert _ask(scene, "bot", 'query { node(id: "PR_x") { id } }') == snapshot(
        {
            "data": {"node": None},
            "errors": [
                {
                    "type": "NOT_FOUND",
                    "message": "Could not resolve to a node with the global id of 'PR_x'",
                    "locations": [{"line": 1, "column": 9}],
                    "path": ["node"],
                }
            ],
        }
    )


def test_a_reading_token_does_not_change_a_draft(scene: Scene) -> None:
    node = scene.pull(draft=True)["node_id"]
    token = scene.mint(permissions={"pull_requests": "read"})
    query = "mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { clientMutationId } }"
    answer = _ask(scene, token, query, id=node)
    assert (answer["errors"][0]["type"], answer["errors"][0]["message"]) == (
        "FORBIDDEN",
        "Resource not accessible by integration",
    )


def test_a_connection_insists_on_bounds(scene: Scene, thread: str) -> None:
    query = (
        '{ repository(owner: "octo-org", name: "demo") { pullRequest(number: 1) { reviewThreads { totalCount } } } }'
    )
    assert _ask(scene, "bot", query)["errors"][0]["type"] == "MISSING_PAGINATION_BOUNDARIES"
