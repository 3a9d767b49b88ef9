from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.git.adapter import EngineGit
from tests.git.forge import Forge, make_engine, serving


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    with serving(tmp_path / "forge") as made:
        yield made


@pytest.fixture
def engine(forge: Forge, tmp_path: Path) -> Iterator[EngineGit]:
    made = make_engine(tmp_path / "home", forge.url)
    yield made
    made.shutdown()
