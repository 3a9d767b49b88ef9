"""Where root binds what a worker must reach: the places of living engines are left alone, whoever starts beside them."""

import fcntl
import os
from pathlib import Path

import pytest

from bot.sandbox.staging import Staging

pytestmark = pytest.mark.needs_root(why="only root binds anything")


@pytest.fixture
def unreachable(tmp_path: Path) -> Path:
    """A folder that only root can enter."""
    folder = tmp_path / "home" / "inside"
    folder.mkdir(parents=True)
    folder.parent.chmod(0o700)
    return folder


@pytest.fixture
def place():
    """A staging place of an engine that has no process id here."""
    folder = Path("/run") / f"journeyman.other-{os.getpid()}"
    folder.mkdir()
    yield folder
    if folder.exists():
        folder.rmdir()


def test_the_place_of_an_engine_in_another_container_stays(unreachable: Path, place: Path):
    # given a place that its engine holds
    fd = os.open(place, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)

    # when another engine makes its own
    staging = Staging(61_743)
    staging.pin(unreachable)
    staging.close()

    # then it is still there
    assert place.exists()
    os.close(fd)


def test_what_a_killed_engine_left_is_taken_away(unreachable: Path, place: Path):
    staging = Staging(61_743)
    staging.pin(unreachable)
    staging.close()
    assert not place.exists()
