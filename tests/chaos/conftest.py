"""Chaos has a home and processes of its own in every test: what is killed there is nobody else's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.playground.vendor import start_vendor
from tests.chaos.ward import Ward, ward
from tests.stories.world import Voice


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Ward]:
    voice = Voice()
    vendor = start_vendor(voice)
    with ward(tmp_path, voice, vendor) as made:
        yield made
    vendor.stop()
