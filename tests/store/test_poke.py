"""A nudge wakes whoever listens, and costs nothing where nobody does."""

import asyncio
import socket
import stat
from pathlib import Path

import pytest
import uvloop

from bot.store.poke import Listener, poke

pytestmark = pytest.mark.fast


async def woken(path: Path) -> int:
    """Listens at `path`, pokes it thrice, and counts how often it woke."""
    count = 0
    first = asyncio.Event()

    def wake() -> None:
        nonlocal count
        count += 1
        first.set()

    listener = Listener(path, wake)
    for _ in range(3):
        poke(path)
    await asyncio.wait_for(first.wait(), 5)
    listener.close()
    return count


async def test_several_pokes_at_once_wake_once(tmp_path: Path):
    assert await woken(tmp_path / "poke.sock") == 1


def test_it_works_on_uvloop(tmp_path: Path):
    assert uvloop.run(woken(tmp_path / "poke.sock")) == 1


async def test_a_home_deeper_than_a_socket_path_may_be_works_too(tmp_path: Path):
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    assert await woken(deep / "poke.sock") == 1


def test_a_poke_that_nobody_hears_is_no_error(tmp_path: Path):
    poke(tmp_path / "poke.sock")
    poke(tmp_path / "missing" / ("d" * 120) / "poke.sock")


def test_a_full_buffer_never_blocks_the_sender(tmp_path: Path):
    deaf = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    deaf.bind(str(tmp_path / "poke.sock"))
    for _ in range(5000):
        poke(tmp_path / "poke.sock")
    deaf.close()


async def test_a_listener_takes_over_from_one_that_died(tmp_path: Path):
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    dead.bind(str(tmp_path / "poke.sock"))
    dead.close()
    assert await woken(tmp_path / "poke.sock") == 1


async def test_only_the_owner_may_poke(tmp_path: Path):
    listener = Listener(tmp_path / "poke.sock", lambda: None)
    assert stat.S_IMODE((tmp_path / "poke.sock").stat().st_mode) == 0o600
    listener.close()
    assert not (tmp_path / "poke.sock").exists()


async def test_a_place_that_can_not_be_bound_raises(tmp_path: Path):
    with pytest.raises(OSError, match="No such file"):
        Listener(tmp_path / "missing" / "poke.sock", lambda: None)
