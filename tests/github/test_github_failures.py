"""What GitHub's failures become, and what is tried again."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest
import respx

from bot.github.app import GitHubApp
from bot.github.transport import Connections, proxy_for
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


@pytest.mark.timeout(10)
async def test_a_read_does_not_sleep_out_a_long_rate_limit(app: GitHubApp, github: respx.MockRouter):
    github.get(f"/repos/{REPO}/issues/3").respond(403, json={}, headers={"retry-after": "3600"})
    with pytest.raises(Transient):
        await app.issue(7, REPO, 3)


async def test_a_read_waits_for_a_short_rate_limit(app: GitHubApp, github: respx.MockRouter):
    short = httpx.Response(429, json={}, headers={"retry-after": "0"})
    github.get(f"/repos/{REPO}/issues/3").mock(side_effect=[short, httpx.Response(200, json=ISSUE)])
    assert (await app.issue(7, REPO, 3)).number == 3


class Counting(BaseHTTPRequestHandler):
    """Answers `{}` and counts connections on its server."""

    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args: object) -> None:
        """Quiet."""


async def test_many_calls_use_one_connection():
    with ThreadingHTTPServer(("127.0.0.1", 0), Counting) as server:
        server.connections = 0
        Thread(target=server.serve_forever).start()
        pool = Connections(f"http://127.0.0.1:{server.server_port}")
        for _ in range(5):
            github = pool.client("a token")
            await github.arequest("GET", "/app")
        await pool.transport.shut()
        server.shutdown()
        assert server.connections == 1


def test_the_proxy_of_the_environment_is_used_but_never_for_loopback(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", "http://proxy.test:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    assert proxy_for(httpx.URL("http://github.test")) == "http://proxy.test:3128"
    assert proxy_for(httpx.URL("http://127.0.0.1:8080")) is None
