"""The calls themselves: what is sent and what is read."""

import json

import httpx
import pytest
import respx

from bot.core.forge import PullRequest
from bot.github.app import AppIdentity, GitHubApp
from bot.github.issues import effective_role
from bot.ports import Permanent, UserFacing
from tests.github.conftest import REPO

pytestmark = pytest.mark.fast

BASE = f"/repos/{REPO}"


def pull(
    number: int, *, state: str = "open", repo_id: int = 11, branch: str = "agent/3-x", draft: bool = True
) -> dict[str, object]:
    return {
        "number": number,
        "html_url": f"https://github.test/{REPO}/pull/{number}",
        "node_id": f"PR_{number}",
        "head": {"ref": branch, "sha": "a" * 40, "repo": {"id": repo_id}},
        "base": {"ref": "main", "repo": {"id": 11}},
        "state": state,
        "draft": draft,
        "merged_at": None,
        "body": None,
    }


def sent(route: respx.Route) -> dict[str, object]:
    return json.loads(route.calls.last.request.content)


@pytest.mark.parametrize(
    ("answer", "role"),
    [
        ({"permission": "admin", "role_name": "admin"}, "admin"),
        ({"permission": "write", "role_name": "maintain"}, "maintain"),
        ({"permission": "read", "role_name": "triage"}, "triage"),
        ({"permission": "write", "role_name": "security-reviewer"}, "write"),
        ({"permission": "read", "role_name": "writer-of-docs"}, "read"),
        ({"permission": "odd"}, "none"),
        ({}, "none"),
    ],
)
def test_a_role_is_the_least_that_github_vouches_for(answer: dict[str, str], role: str):
    assert effective_role(answer) == role


async def test_a_stranger_has_no_role(app: GitHubApp, github: respx.MockRouter):
    github.get(f"{BASE}/collaborators/eve/permission").respond(404, json={"message": "eve is not a user"})
    assert await app.permission(7, REPO, "eve") == "none"


async def test_a_permission_that_can_not_be_read_is_an_error_and_never_a_role(app: GitHubApp, github: respx.MockRouter):
    github.get(f"{BASE}/collaborators/eve/permission").respond(403, json={"message": "Resource not accessible"})
    with pytest.raises(UserFacing):
        await app.permission(7, REPO, "eve")


async def test_comments_come_from_every_page_oldest_first(app: GitHubApp, github: respx.MockRouter):
    one = {"id": 1, "body": "a", "user": {"login": "ann", "type": "User"}}
    two = {"id": 2, "body": "b", "user": {"login": "j[bot]", "type": "Bot"}, "performed_via_github_app": {"id": 99}}
    following = {"link": f'<https://api.github.test{BASE}/issues/3/comments?page=2>; rel="next"'}
    route = github.get(f"{BASE}/issues/3/comments")
    route.mock(side_effect=[httpx.Response(200, json=[one], headers=following), httpx.Response(200, json=[two])])
    assert [(c.id, c.author, c.app_id) for c in await app.comments(7, REPO, 3)] == [(1, "ann", None), (2, "j[bot]", 99)]
    assert [call.request.url.params["page"] for call in route.calls] == ["1", "2"]


async def test_a_comment_that_is_gone_is_not_updated(app: GitHubApp, github: respx.MockRouter):
    github.patch(f"{BASE}/issues/comments/5").respond(404)
    assert await app.update_comment(7, REPO, 5, "new") is False


async def test_a_created_comment_is_read_even_if_the_answer_lacks_most_fields(app: GitHubApp, github: respx.MockRouter):
    github.post(f"{BASE}/issues/3/comments").respond(201, json={"id": 5})
    assert (await app.create_comment(7, REPO, 3, "hi")).id == 5


async def test_a_reaction_goes_to_the_comment_where_there_is_one(app: GitHubApp, github: respx.MockRouter):
    comment = github.post(f"{BASE}/issues/comments/5/reactions").respond(200, json={"id": 1})
    issue = github.post(f"{BASE}/issues/3/reactions").respond(201, json={"id": 2})
    await app.react(7, REPO, comment_id=5, issue=3, content="eyes")
    await app.react(7, REPO, comment_id=None, issue=3, content="rocket")
    assert (sent(comment), sent(issue)) == ({"content": "eyes"}, {"content": "rocket"})


async def test_a_label_with_a_slash_is_one_path_segment(app: GitHubApp, github: respx.MockRouter):
    route = github.route(method="DELETE").respond(200, json=[])
    await app.set_labels(7, REPO, 3, add=(), remove=["agent/drafting"])
    assert route.calls.last.request.url.raw_path == b"/repos/acme/shop/issues/3/labels/agent%2Fdrafting"


async def test_taking_off_a_label_that_is_off_is_fine(app: GitHubApp, github: respx.MockRouter):
    github.route(method="DELETE").respond(404, json={"message": "Label does not exist"})
    added = github.post(f"{BASE}/issues/3/labels").respond(200, json=[])
    await app.set_labels(7, REPO, 3, add=["agent/working"], remove=["agent/drafting"])
    assert sent(added) == {"labels": ["agent/working"]}


async def test_a_label_that_is_right_is_not_written(app: GitHubApp, github: respx.MockRouter):
    github.get(f"{BASE}/labels/agent").respond(200, json={"name": "agent", "color": "5319E7", "description": "d"})
    await app.ensure_label(7, REPO, "agent", "5319e7", "d")
    assert [call.request.method for call in github.calls] == ["POST", "GET"]


async def test_a_label_that_was_edited_is_put_back(app: GitHubApp, github: respx.MockRouter):
    github.get(f"{BASE}/labels/agent").respond(200, json={"name": "agent", "color": "ffffff", "description": None})
    route = github.patch(f"{BASE}/labels/agent").respond(200, json={})
    await app.ensure_label(7, REPO, "agent", "5319e7", "d")
    assert sent(route) == {"new_name": "agent", "color": "5319e7", "description": "d"}


async def test_a_missing_label_is_made(app: GitHubApp, github: respx.MockRouter):
    github.get(f"{BASE}/labels/agent").respond(404)
    route = github.post(f"{BASE}/labels").respond(201, json={})
    await app.ensure_label(7, REPO, "agent", "5319e7", "d")
    assert sent(route) == {"name": "agent", "color": "5319e7", "description": "d"}


async def test_the_open_pull_request_is_found_before_a_newer_closed_one(app: GitHubApp, github: respx.MockRouter):
    route = github.get(f"{BASE}/pulls").respond(200, json=[pull(9, state="closed"), pull(8)])
    found = await app.find_pull(7, REPO, "agent/3-x")
    assert found is not None
    assert found.number == 8
    assert route.calls.last.request.url.params["head"] == "acme:agent/3-x"


async def test_a_branch_of_that_name_in_another_repository_is_not_ours(app: GitHubApp, github: respx.MockRouter):
    github.get(f"{BASE}/pulls").respond(200, json=[pull(8, repo_id=666)])
    assert await app.find_pull(7, REPO, "agent/3-x") is None


async def test_a_pull_request_is_opened_as_a_draft(app: GitHubApp, github: respx.MockRouter):
    route = github.post(f"{BASE}/pulls").respond(201, json=pull(8))
    made = await app.create_pull(7, REPO, head="agent/3-x", base="main", title="T", body="B", draft=True)
    assert (made.number, made.draft, sent(route)["draft"]) == (8, True, True)


async def test_where_the_plan_has_no_drafts_it_is_opened_ready(app: GitHubApp, github: respx.MockRouter):
    refusal = {
        "message": "Validation Failed",
        "errors": [{"message": "Draft pull requests are not supported in this repository."}],
    }
    route = github.post(f"{BASE}/pulls")
    route.mock(side_effect=[httpx.Response(422, json=refusal), httpx.Response(201, json=pull(8, draft=False))])
    made = await app.create_pull(7, REPO, head="agent/3-x", base="main", title="T", body="B", draft=True)
    assert made.draft is False


async def test_a_second_pull_request_of_one_branch_is_refused_with_the_reason(app: GitHubApp, github: respx.MockRouter):
    refusal = {
        "message": "Validation Failed",
        "errors": [{"message": "A pull request already exists for acme:agent/3-x."}],
    }
    github.post(f"{BASE}/pulls").respond(422, json=refusal)
    with pytest.raises(Permanent, match="already exists"):
        await app.create_pull(7, REPO, head="agent/3-x", base="main", title="T", body="B", draft=True)


PULL = PullRequest(8, "", "PR_8", "agent/3-x", "a" * 40, "main", "open", draft=True, merged=False, body="")


async def test_ready_goes_over_graphql_with_a_token_that_github_takes_for_it(app: GitHubApp, github: respx.MockRouter):
    route = github.post("/graphql").respond(200, json={"data": {"markPullRequestReadyForReview": {}}})
    await app.mark_ready(7, REPO, PULL)
    assert sent(route)["variables"] == {"id": "PR_8"}
    assert sent(github["mint"])["permissions"] == {"contents": "write", "pull_requests": "write"}


async def test_a_graphql_refusal_asks_for_the_permission(app: GitHubApp, github: respx.MockRouter):
    refusal = {"type": "FORBIDDEN", "message": "Resource not accessible by integration"}
    github.post("/graphql").respond(200, json={"data": None, "errors": [refusal]})
    with pytest.raises(UserFacing):
        await app.mark_draft(7, REPO, PULL)


async def test_a_check_is_created_then_updated(app: GitHubApp, github: respx.MockRouter):
    made = github.post(f"{BASE}/check-runs").respond(201, json={"id": 4})
    changed = github.patch(f"{BASE}/check-runs/4").respond(200, json={"id": 4})
    same = {"name": "agent / verify", "sha": "b" * 40, "external_id": "r1/verify", "title": "T", "summary": "S"}
    check = await app.put_check(7, REPO, **same, status="in_progress", conclusion=None)
    await app.put_check(7, REPO, **same, status="completed", conclusion="success", check_id=check)
    assert (sent(made)["head_sha"], sent(made)["status"]) == ("b" * 40, "in_progress")
    assert (sent(changed)["status"], sent(changed)["conclusion"]) == ("completed", "success")


async def test_a_check_is_found_by_our_own_id(app: GitHubApp, github: respx.MockRouter):
    runs = [{"id": 2, "external_id": "r1/verify"}, {"id": 3, "external_id": "other"}]
    github.get(f"{BASE}/commits/{'b' * 40}/check-runs").respond(200, json={"total_count": 2, "check_runs": runs})
    assert await app.find_check(7, REPO, sha="b" * 40, external_id="r1/verify") == 2


async def test_the_app_knows_itself_after_one_question(app: GitHubApp, github: respx.MockRouter):
    route = github.get("/app").respond(200, json={"id": 99, "slug": "journeyman", "owner": {"login": "acme"}})
    assert await app.app() == AppIdentity(id=99, slug="journeyman", owner="acme")
    assert await app.app_owner() == "acme"
    assert route.call_count == 1


async def test_the_bot_user_is_looked_up_by_its_login(app: GitHubApp, github: respx.MockRouter):
    github.get("/app").respond(200, json={"id": 99, "slug": "journeyman", "owner": {"login": "acme"}})
    github.route(method="GET", path="/users/journeyman[bot]").respond(200, json={"id": 1234})
    assert await app.bot_user_id(7) == 1234


async def test_an_installation_names_its_account(app: GitHubApp, github: respx.MockRouter):
    github.get("/app/installations/7").respond(200, json={"account": {"login": "acme"}})
    assert await app.installation(7) == "acme"
