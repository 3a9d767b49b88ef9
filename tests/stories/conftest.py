"""Stories share one server and one playground a worker process; each has a repository and a script of its own."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.playground.stage import Stage
from bot.playground.vendor import ANTHROPIC_KEY, OPENAI_KEY, start_vendor
from tests.stories.world import Voice, World

NUMBERS = itertools.count(1)
PUBLISH_SECONDS = 0.3


def vendor_keys(vendor) -> dict[str, str]:
    """The environment that leads the server to the scripted vendor."""
    return {
        "ANTHROPIC_API_KEY": ANTHROPIC_KEY,
        "ANTHROPIC_BASE_URL": vendor.url_anthropic,
        "OPENAI_API_KEY": OPENAI_KEY,
        "OPENAI_BASE_URL": vendor.url_openai,
    }


def people(stage: Stage) -> None:
    """maria, tom and eve, and the App on acme."""
    for login in ("maria", "tom", "eve"):
        stage.hub.create_user(login)
    stage.hub.install(stage.app, "acme")
    # One installation plays many teams here; GitHub's limits on content have tests of their own.
    stage.hub.state.limits.content_per_minute = stage.hub.state.limits.content_per_hour = 100_000


@pytest.fixture(scope="session")
def voice() -> Voice:
    return Voice()


@pytest.fixture(scope="session")
def stage(voice: Voice, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    vendor = start_vendor(voice)
    directory: Path = tmp_path_factory.mktemp("stage")
    with Stage(directory, vendor_keys(vendor), publish_seconds=PUBLISH_SECONDS) as stage:
        people(stage)
        yield stage
    vendor.stop()


@pytest.fixture
def world(stage: Stage, voice: Voice) -> Iterator[World]:
    """A story's world with a repository name of its own."""
    voice.policy, voice.calls = None, []
    world = World(stage, voice, f"acme/story-{next(NUMBERS)}")
    yield world
    if world.repo in stage.hub.state.repos:
        world.end()
    voice.policy = None
