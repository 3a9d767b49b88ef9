"""SECURITY.md 14: the level is chosen by attacks that are really tried."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from sandbox_worlds import WORKER

from bot.ports import UserFacing
from bot.sandbox import attacks
from bot.sandbox.probes import choose, probe


async def test_bubblewrap_holds_against_every_attack(tmp_path):
    rows = await probe(tmp_path / "engine", WORKER)
    assert {row.name: row.detail for row in rows if not row.ok} == {}
    assert {row.name for row in rows} == {"overlay", *attacks.ATTACKS}


async def test_what_holds_is_chosen_and_the_bait_is_taken_away(tmp_path):
    chosen = await choose("auto", tmp_path / "engine", WORKER)
    try:
        assert chosen.sandbox.level == "L2 bubblewrap"
        assert chosen.sandbox.supports_overlay
        assert os.listdir(tmp_path / "engine") == ["sandbox"]
    finally:
        chosen.sandbox.close()


async def test_a_home_with_a_long_name_is_no_obstacle(tmp_path):
    rows = await probe(tmp_path / ("long" * 30) / "engine", WORKER)
    assert [row for row in rows if not row.ok] == []


async def test_no_sandbox_only_when_told(tmp_path):
    chosen = await choose("none", tmp_path / "engine", WORKER)
    assert chosen.sandbox.level == "L0 none"
    assert not chosen.sandbox.supports_overlay
    chosen.sandbox.close()


async def test_an_unknown_setting_is_said_plainly(tmp_path):
    with pytest.raises(UserFacing, match="it may be auto, bubblewrap or none"):
        await choose("docker", tmp_path / "engine", WORKER)


class TestTheAttacksAreReal:
    """Each attack, run with no sandbox around it, gets through: so a sandbox that holds is what stopped it."""

    @pytest.fixture
    def bait(self, tmp_path: Path):
        token = f"token{os.getpid()}"
        (tmp_path / "canary").write_text(token)
        with (
            socket.create_server(("127.0.0.1", 0)) as tcp,
            socket.socket(type=socket.SOCK_DGRAM) as udp,
            socket.socket(socket.AF_UNIX) as unix,
            socket.socket(socket.AF_UNIX) as abstract,
        ):
            udp.bind(("127.0.0.1", 0))
            here = os.open(tmp_path, os.O_RDONLY)
            unix.bind(f"/proc/self/fd/{here}/socket")
            os.close(here)
            abstract.bind("\0" + token)
            unix.listen()
            abstract.listen()
            yield {
                "token": token,
                "folder": str(tmp_path),
                "canary": str(tmp_path / "canary"),
                "home": str(tmp_path),
                "roots": [],
                "outside": [str(tmp_path)],
                "tcp": tcp.getsockname()[1],
                "udp": udp.getsockname()[1],
                "abstract": token,
            }

    @pytest.mark.parametrize(
        "name",
        ["write_outside", "read_home", "read_engine_home", "tcp", "unix_socket", "abstract_socket", "privileges"],
    )
    def test_it_reaches_what_lies_open(self, bait, name):
        assert attacks.ATTACKS[name](bait)

    def test_it_reads_the_variables_of_another_process(self, bait):
        other = subprocess.Popen(
            [sys.executable, "-c", "input()"], env={"SECRET": bait["token"]}, stdin=subprocess.PIPE
        )
        try:
            assert attacks.ATTACKS["read_other_environ"](bait)
        finally:
            other.communicate()


async def test_a_sandbox_that_can_t_be_set_up_is_never_replaced_by_none():
    with pytest.raises(UserFacing, match="No sandbox holds here"):
        await choose("auto", Path("/proc/nowhere"), WORKER)
