from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.playground.scene import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    built = Scene.build(tmp_path / "hub")
    yield built
    built.close()
