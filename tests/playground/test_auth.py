"""Who is let in: App JWTs, scoped and expiring installation tokens, people by their roles."""

import time
from typing import Any

import jwt
import pytest
from inline_snapshot import snapshot

from bot.playground.acts import installations
from tests.playground.scene import REPO, Scene


def _with_jwt(scene: Scene, **claims: Any) -> tuple[int, str]:
    answer = scene.client.get("/app", headers={"authorization": f"Bearer {scene.app_jwt(**claims)}"})
    return answer.status_code, answer.json().get("message", "")


def test_a_jwt_may_live_ten_minutes_and_no_longer(scene: Scene) -> None:
    now = int(time.time())
    assert _with_jwt(scene, exp=now + 590)[0] == 200
    assert _with_jwt(scene, exp=now + 660) == snapshot(
        (401, "'Expiration time' claim ('exp') is too far in the future")
    )


def test_an_expired_jwt_is_refused(scene: Scene) -> None:
    assert _with_jwt(scene, exp=int(time.time()) - 1) == snapshot(
        (
            401,
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
        )
    )


def test_a_jwt_from_the_future_is_refused_beyond_a_minute(scene: Scene) -> None:
    now = int(time.time())
    assert _with_jwt(scene, iat=now + 50)[0] == 200
    assert _with_jwt(scene, iat=now + 90)[0] == 401


def test_an_issuer_must_be_a_string(scene: Scene) -> None:
    now = int(time.time())
    header = jwt.encode({"iat": now, "exp": now + 60}, scene.new_app.private_key, algorithm="RS256")
    assert scene.client.get("/app", headers={"authorization": f"Bearer {header}"}).status_code == 401


def test_a_jwt_of_another_key_is_refused(scene: Scene) -> None:
    other = scene.hub.create_app("other")
    now = int(time.time())
    forged = jwt.encode({"iss": str(scene.new_app.id), "iat": now, "exp": now + 60}, other.private_key, "RS256")
    answer = scene.client.get("/app", headers={"authorization": f"Bearer {forged}"})
    assert answer.json()["message"] == snapshot("A JSON web token could not be decoded")


def test_a_symmetric_signature_with_the_public_key_is_refused(scene: Scene) -> None:
    now = int(time.time())
    forged = jwt.encode({"iss": str(scene.new_app.id), "iat": now, "exp": now + 60}, "x" * 64, "HS256")
    assert scene.client.get("/app", headers={"authorization": f"Bearer {forged}"}).status_code == 401


def test_an_unknown_token_is_bad_credentials(scene: Scene) -> None:
    answer = scene.ask("ghp_nobody", "GET", "")
    assert (answer.status_code, answer.json()) == snapshot(
        (
            401,
            {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest", "status": "401"},
        )
    )


def test_an_installation_token_dies_after_an_hour(scene: Scene) -> None:
    scene.hub.state.clock.advance(3599)
    assert scene.ask("bot", "GET", "").status_code == 200
    scene.hub.state.clock.advance(2)
    assert scene.ask("bot", "GET", "").status_code == 401


def test_a_token_has_githubs_long_form_and_expiry(scene: Scene) -> None:
    path = f"//app/installations/{scene.installation.id}/access_tokens"
    made = scene.post("app", path)
    assert made["token"].startswith(f"ghs_{scene.new_app.id}_")
    assert len(made["token"]) > 500
    assert time.strptime(made["expires_at"], "%Y-%m-%dT%H:%M:%SZ")


def test_a_token_narrowed_to_one_repository_does_not_see_another(scene: Scene) -> None:
    other = scene.hub.create_repo("octo-org/other", files={"a": "b"})
    narrow = scene.mint(repository_ids=[other.id])
    assert scene.ask(narrow, "GET", "//repos/octo-org/other").status_code == 200
    assert scene.ask(narrow, "GET", "").status_code == 404


def test_a_token_narrowed_to_reading_does_not_write(scene: Scene) -> None:
    scene.hub.open_issue(REPO, "alice", "T")
    narrow = scene.mint(permissions={"issues": "read"})
    assert scene.ask(narrow, "GET", "/issues/1").status_code == 200
    answer = scene.ask(narrow, "POST", "/issues/1/comments", {"body": "x"})
    assert (answer.status_code, answer.json()["message"]) == (403, "Resource not accessible by integration")
    assert answer.headers["x-accepted-github-permissions"] == "issues=write; pull_requests=write"


def test_permissions_beyond_the_installations_are_refused(scene: Scene) -> None:
    path = f"//app/installations/{scene.installation.id}/access_tokens"
    answer = scene.ask("app", "POST", path, {"permissions": {"workflows": "write"}})
    assert (answer.status_code, answer.json()["message"]) == snapshot(
        (422, "The permissions requested are not granted to this installation.")
    )


def test_repositories_out_of_reach_are_refused(scene: Scene) -> None:
    path = f"//app/installations/{scene.installation.id}/access_tokens"
    assert scene.ask("app", "POST", path, {"repositories": ["nowhere"]}).status_code == 422


def test_a_suspended_installation_is_shut_out(scene: Scene) -> None:
    state = scene.hub.state
    installations.suspend(state, scene.installation, state.by("octo-org"), suspended=True)
    assert scene.ask("bot", "GET", "").json()["message"] == snapshot("This installation has been suspended")
    path = f"//app/installations/{scene.installation.id}/access_tokens"
    assert scene.ask("app", "POST", path).status_code == 403


def test_a_revoked_token_is_dead(scene: Scene) -> None:
    assert scene.ask("bot", "DELETE", "//installation/token").status_code == 204
    assert scene.ask("bot", "GET", "").status_code == 401


def test_a_private_repository_is_not_there_for_strangers(scene: Scene) -> None:
    scene.hub.create_repo("octo-org/secret", private=True, files={"a": "b"})
    for who in ("carol", None):
        assert scene.ask(who, "GET", "//repos/octo-org/secret").status_code == 404


@pytest.mark.parametrize(("who", "status"), [("bob", 200), ("alice", 200), ("carol", 403)])
def test_labelling_takes_triage(scene: Scene, who: str, status: int) -> None:
    scene.hub.open_issue(REPO, "alice", "T")
    assert scene.ask(who, "POST", "/issues/1/labels", {"labels": ["agent"]}).status_code == status


def test_people_cannot_write_checks(scene: Scene) -> None:
    sha = scene.get("bot", "/git/ref/heads/main")["object"]["sha"]
    answer = scene.ask("alice", "POST", "/check-runs", {"name": "x", "head_sha": sha})
    assert (answer.status_code, answer.json()["message"]) == (403, "You must authenticate via a GitHub App.")


@pytest.mark.parametrize(
    ("role", "expected"),
    [("maintain", ("write", "maintain")), ("triage", ("read", "triage")), ("admin", ("admin", "admin")), ("none", ("read", "read"))],
)  # fmt: skip
def test_the_permission_endpoint_knows_old_and_new_words(scene: Scene, role: Any, expected: tuple[str, str]) -> None:
    scene.hub.add_collaborator(REPO, "carol", role)
    answer = scene.get("bot", "/collaborators/carol/permission")
    assert (answer["permission"], answer["role_name"]) == expected


def test_a_request_without_a_user_agent_is_turned_away(scene: Scene) -> None:
    assert scene.ask("bot", "GET", "", **{"user-agent": ""}).status_code == 403
