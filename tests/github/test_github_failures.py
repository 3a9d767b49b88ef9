"""What GitHub's failures become, and what is tried again."""

import httpx
import pytest
import respx

from bot.github.app import GitHubApp
from bot.github.transport import SharedTransport, proxy_for
from bot.ports import Permanent, PortError, Transient, UserFacing
from tests.github.conftest import NOW, REPO

pytestmark = pytest.mark.fast

ISSUE = {"number": 3, "title": "t", "body": None, "user": None, "state": "open", "labels": []}


async def failure(app: GitHubApp, github: respx.MockRouter, response: httpx.Response) -> PortError:
    github.post(f"/repos/{REPO}/issues/3/comments").mock(return_value=response)
    with pytest.raises(PortError) as caught:
        await app.create_comment(7, REPO, 3, "hi")
    return caught.value


@pytest.mark.parametrize(
    ("status", "words", "headers", "kind", "said"),
    [
        (502, "", {}, Transient, "502"),
        (404, "Not Found", {}, Permanent, "404 Not Found"),
        (410, "This issue was deleted", {}, Permanent, "410"),
        (422, "Validation Failed", {}, Permanent, "422 Validation Failed"),
        (403, "Resource not accessible by integration", {}, UserFacing, "lacks a permission"),
        (403, "This installation has been suspended", {}, UserFacing, "is suspended"),
        (403, "Repository was archived so is read-only.", {}, UserFacing, "is archived"),
        (403, "Unable to create comment because issue is locked.", {}, UserFacing, "is locked"),
        (403, "You have exceeded a secondary rate limit.", {}, Transient, "secondary rate limit"),
        (429, "slow down", {}, Transient, "429"),
        (403, "wait", {"retry-after": "3600"}, Transient, "rate limit"),
    ],
)
async def test_each_failure_is_one_of_the_five(
    app: GitHubApp,
    github: respx.MockRouter,
    status: int,
    words: str,
    headers: dict[str, str],
    kind: type[PortError],
    said: str,
):
    error = await failure(app, github, httpx.Response(status, json={"message": words}, headers=headers))
    assert isinstance(error, kind)
    assert said in str(error)


async def test_a_long_rate_limit_says_when_and_does_not_sleep(app: GitHubApp, github: respx.MockRouter):
    error = await failure(app, github, httpx.Response(403, json={}, headers={"retry-after": "3600"}))
    assert isinstance(error, Transient)
    assert error.retry_at == NOW + 3600


async def test_a_write_is_sent_once_although_the_answer_is_502(app: GitHubApp, github: respx.MockRouter):
    await failure(app, github, httpx.Response(502))
    assert github.routes[-1].call_count == 1


async def test_a_read_is_tried_again(app: GitHubApp, github: respx.MockRouter):
    route = github.get(f"/repos/{REPO}/issues/3")
    route.mock(side_effect=[httpx.Response(502), httpx.Response(200, json=ISSUE)])
    assert (await app.issue(7, REPO, 3)).author == "ghost"


async def test_a_lost_answer_of_a_write_is_transient(app: GitHubApp, github: respx.MockRouter):
    route = github.post(f"/repos/{REPO}/issues/3/comments").mock(side_effect=httpx.ReadTimeout)
    with pytest.raises(Transient, match="ReadTimeout"):
        await app.create_comment(7, REPO, 3, "hi")
    assert route.call_count == 1


async def test_a_name_that_is_no_repository_is_never_asked_for(app: GitHubApp, github: respx.MockRouter):
    with pytest.raises(Permanent, match="not a repository name"):
        await app.issue(7, "../app", 3)


async def test_clients_can_not_close_the_shared_connections(app: GitHubApp):
    transport = SharedTransport()
    async with httpx.AsyncClient(transport=transport):
        pass
    assert not transport._pool._connections  # the pool is untouched and usable
    await transport.shut()


def test_a_proxy_is_never_used_for_loopback():
    assert proxy_for(httpx.URL("http://127.0.0.1:8080")) is None
