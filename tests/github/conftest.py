"""A GitHub of canned answers (respx), a clock that stands still, and one App key for the whole session."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest
import respx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.core.redact import Secret
from bot.github.app import GitHubApp

API = "https://api.github.test"
NOW = 1_795_510_000.0
REPO = "acme/shop"


class StillClock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> float:
        return self.time

    def stamp(self) -> str:
        return datetime.fromtimestamp(self.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def expires(seconds: float = 3600) -> str:
    return datetime.fromtimestamp(NOW + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture(scope="session")
def pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kinds = (serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    return key.private_bytes(*kinds).decode()


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def github() -> Iterator[respx.MockRouter]:
    """GitHub, with a mint that gives `ghs_1`, `ghs_2`, …; other routes are each test's own."""
    with respx.mock(base_url=API, assert_all_called=False) as router:
        minted = iter(range(1, 1000))

        def mint(request: object) -> respx.MockResponse:
            return respx.MockResponse(201, json={"token": f"ghs_{next(minted)}", "expires_at": expires()})

        router.post(path="/app/installations/7/access_tokens", name="mint").mock(side_effect=mint)
        yield router


@pytest.fixture
async def app(pem: str, clock: StillClock) -> AsyncIterator[GitHubApp]:
    """The adapter, which knows already that acme/shop is repository 11."""
    app = GitHubApp(app_id="99", private_key=Secret(pem), api_base=API, clock=clock)
    app.remember_repository(7, REPO, 11)
    yield app
    await app.aclose()
