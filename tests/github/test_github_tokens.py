"""Tokens reach one repository and a few rights, are minted once, and are let go."""

import asyncio
import json

import httpx
import jwt
import pytest
import respx
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot.core.redact import Secret
from bot.github.app import GitHubApp
from bot.ports import Permanent, UserFacing
from tests.github.conftest import API, NOW, REPO, StillClock, expires

pytestmark = pytest.mark.fast


def sent(route: respx.Route, call: int = -1) -> dict[str, object]:
    return json.loads(route.calls[call].request.content)


def minted(token: str, seconds: float) -> httpx.Response:
    return httpx.Response(201, json={"token": token, "expires_at": expires(seconds)})


async def test_a_git_token_reads_one_repository_and_nothing_else(app: GitHubApp, github: respx.MockRouter):
    assert await app.token(7, 11, write=False) == "ghs_1"
    assert sent(github["mint"]) == {"permissions": {"contents": "read"}, "repository_ids": [11]}


async def test_a_git_token_that_writes_is_another_token(app: GitHubApp, github: respx.MockRouter):
    await app.token(7, 11, write=False)
    assert await app.token(7, 11, write=True) == "ghs_2"
    assert sent(github["mint"]) == {"permissions": {"contents": "write"}, "repository_ids": [11]}


async def test_twenty_five_at_once_mint_one_token(app: GitHubApp, github: respx.MockRouter):
    tokens = await asyncio.gather(*[app.token(7, 11, write=True) for _ in range(25)])
    assert (set(tokens), github["mint"].call_count) == ({"ghs_1"}, 1)


async def test_one_caller_who_gives_up_does_not_take_the_token_from_the_others(
    app: GitHubApp, github: respx.MockRouter
):
    release = asyncio.Event()

    async def slow(request: httpx.Request) -> httpx.Response:
        await release.wait()
        return httpx.Response(201, json={"token": "ghs_slow", "expires_at": expires()})

    github["mint"].mock(side_effect=slow)
    first = asyncio.create_task(app.token(7, 11, write=True))
    second = asyncio.create_task(app.token(7, 11, write=True))
    await asyncio.sleep(0)
    first.cancel()
    release.set()
    assert await second == "ghs_slow"


async def test_a_token_is_kept_for_55_minutes(app: GitHubApp, github: respx.MockRouter, clock: StillClock):
    github["mint"].mock(side_effect=[minted("ghs_1", 7200), minted("ghs_2", 7200)])
    await app.token(7, 11, write=True)
    clock.time += 54 * 60
    assert await app.token(7, 11, write=True) == "ghs_1"
    clock.time += 2 * 60
    assert await app.token(7, 11, write=True) == "ghs_2"


async def test_a_token_that_ends_sooner_is_kept_less_long(app: GitHubApp, github: respx.MockRouter, clock: StillClock):
    github["mint"].respond(201, json={"token": "ghs_short", "expires_at": expires(600)})
    await app.token(7, 11, write=True)
    clock.time += 301
    await app.token(7, 11, write=True)
    assert github["mint"].call_count == 2


async def test_a_failed_mint_is_not_remembered(app: GitHubApp, github: respx.MockRouter):
    good = httpx.Response(201, json={"token": "ghs_ok", "expires_at": expires()})
    github["mint"].mock(side_effect=[httpx.Response(404, json={"message": "Not Found"}), good])
    with pytest.raises(Permanent):
        await app.token(7, 11, write=True)
    assert await app.token(7, 11, write=True) == "ghs_ok"


async def test_the_jwt_names_the_app_by_a_string(app: GitHubApp, github: respx.MockRouter, pem: str):
    await app.token(7, 11, write=True)
    bearer = github["mint"].calls[0].request.headers["authorization"].removeprefix("Bearer ")
    public = load_pem_private_key(pem.encode(), None).public_key()
    claims = jwt.decode(bearer, public, algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False})
    assert claims == {"iss": "99", "iat": int(NOW) - 60, "exp": int(NOW) + 540}


async def test_revoked_tokens_end_at_github_too(app: GitHubApp, github: respx.MockRouter):
    ended = github.delete("/installation/token").respond(204)
    await app.token(7, 11, write=True)
    await app.token(7, 12, write=True)
    await app.revoke(7, 11)
    assert [call.request.headers["authorization"] for call in ended.calls] == ["Bearer ghs_1"]
    assert await app.token(7, 11, write=True) == "ghs_3"
    assert await app.token(7, 12, write=True) == "ghs_2"


async def test_a_dropped_installation_leaves_no_token(app: GitHubApp, github: respx.MockRouter):
    await app.token(7, 11, write=True)
    await app.drop_installation(7)
    assert await app.token(7, 11, write=True) == "ghs_2"


async def test_a_token_that_github_forgot_is_replaced_once_even_for_a_write(app: GitHubApp, github: respx.MockRouter):
    made = {"id": 5, "body": "hi", "user": {"login": "j[bot]", "type": "Bot"}}
    route = github.post(f"/repos/{REPO}/issues/3/comments")
    route.mock(side_effect=[httpx.Response(401, json={"message": "Bad credentials"}), httpx.Response(201, json=made)])
    assert (await app.create_comment(7, REPO, 3, "hi")).id == 5
    assert [call.request.headers["authorization"] for call in route.calls] == ["Bearer ghs_1", "Bearer ghs_2"]


async def test_the_id_of_an_unknown_repository_is_looked_up_once_with_a_token_that_reads_metadata(
    app: GitHubApp, github: respx.MockRouter
):
    info = {"id": 12, "full_name": "acme/web", "default_branch": "main", "private": True, "archived": False}
    found = github.get("/repos/acme/web").respond(200, json=info)
    github.get(path__regex="/repos/acme/web/labels/.*").respond(
        200, json={"name": "agent", "color": "0", "description": "d"}
    )
    await app.ensure_label(7, "acme/web", "agent", "0", "d")
    await app.ensure_label(7, "acme/web", "agent", "0", "d")
    assert found.call_count == 1
    assert sent(github["mint"], 0) == {"permissions": {"metadata": "read"}}
    assert sent(github["mint"], 1)["repository_ids"] == [12]


def test_a_key_that_is_no_key_tells_the_operator_what_to_check(clock: StillClock):
    with pytest.raises(UserFacing, match="JOURNEYMAN_PRIVATE_KEY"):
        GitHubApp(app_id="99", private_key=Secret("not a key"), api_base=API, clock=clock)


async def test_permissions_that_were_not_granted_ask_an_owner(app: GitHubApp, github: respx.MockRouter):
    words = "The permissions requested are not granted to this installation."
    github["mint"].respond(422, json={"message": words})
    with pytest.raises(UserFacing, match="an owner can review its permissions"):
        await app.token(7, 11, write=True)
