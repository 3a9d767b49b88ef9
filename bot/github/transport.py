"""How requests travel: one pool that outlives clients, our own timeouts, and retries for reads alone."""

import urllib.request
from collections.abc import Generator
from datetime import timedelta

import httpx
from githubkit import GitHub
from githubkit.auth import BaseAuthStrategy
from githubkit.config import Config, get_config
from githubkit.exception import GitHubException, RateLimitExceeded, RequestError, RequestFailed
from githubkit.typing import RetryOption

TIMEOUT = httpx.Timeout(30, connect=5)
PATIENCE = timedelta(seconds=5)
"""The longest that a call sleeps for a rate limit; beyond that the caller parks and gives its worker back."""
PAUSES = (timedelta(seconds=0.5), timedelta(seconds=1.5))


class BearerAuth(httpx.Auth):
    """One token, whatever the route: which token fits is decided where the call is made."""

    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = self._header
        yield request


class Bearer(BaseAuthStrategy):
    """githubkit's strategy around BearerAuth; the App's JWT and installation tokens both travel so."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_auth_flow(self, github: object) -> httpx.Auth:
        return BearerAuth(self._token)


class SharedTransport(httpx.AsyncHTTPTransport):
    """A pool that clients can't close: githubkit opens and closes a client a call, and each would reconnect."""

    async def aclose(self) -> None:
        """Do nothing; `shut` closes."""

    async def __aexit__(self, exc_type: object = None, exc_value: object = None, traceback: object = None) -> None:
        """Do nothing; `shut` closes."""

    async def shut(self) -> None:
        """Close the pool for good."""
        await super().aclose()


def method_of(error: GitHubException) -> str:
    """The HTTP method of the request that failed, empty where the error has none."""
    cause = error.exc if isinstance(error, RequestError) else None
    try:
        request = cause.request if isinstance(cause, httpx.RequestError | httpx.HTTPStatusError) else None
    except RuntimeError:  # httpx raises it where a request was never attached
        return ""
    return request.method if request else ""


def decide_retry(error: GitHubException, tried: int) -> RetryOption:
    """Retry GET and HEAD twice after a 5xx, a lost connection or a short rate limit; a write may have happened, so never."""
    if tried >= len(PAUSES) or method_of(error) not in ("GET", "HEAD"):
        return RetryOption(False)
    if isinstance(error, RateLimitExceeded):
        return RetryOption(error.retry_after <= PATIENCE, error.retry_after + timedelta(milliseconds=100))
    if isinstance(error, RequestFailed):
        return RetryOption(error.response.status_code >= 500, PAUSES[tried])
    lost = isinstance(error, RequestError) and isinstance(error.exc, httpx.TransportError)
    return RetryOption(lost, PAUSES[tried])


def proxy_for(url: httpx.URL) -> str | None:
    """The proxy that the environment names for this host: a transport of our own would ignore it."""
    if urllib.request.proxy_bypass(url.host) or url.host in ("127.0.0.1", "localhost", "::1"):
        return None
    return urllib.request.getproxies().get(url.scheme)


class Connections:
    """The pool and githubkit's configuration for one API base."""

    def __init__(self, api_base: str) -> None:
        self.transport = SharedTransport(
            proxy=proxy_for(httpx.URL(api_base)), limits=httpx.Limits(max_connections=50, max_keepalive_connections=20)
        )
        self._config: Config = get_config(
            base_url=api_base,
            user_agent="journeyman",
            timeout=TIMEOUT,
            async_transport=self.transport,
            http_cache=False,
            auto_retry=decide_retry,
        )

    def client(self, token: str) -> GitHub:
        """A client for one token. Keep it in a variable while it is used: its parts hold it weakly."""
        return GitHub(Bearer(token), config=self._config)
