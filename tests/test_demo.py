"""`journeyman demo` as the README promises it: a ready pull request, and nothing left behind however it ends."""

import signal
import time
from pathlib import Path

import pytest

from tests.command import Command, end, listening

pytestmark = pytest.mark.story


@pytest.fixture
def journeyman(tmp_path: Path) -> Command:
    return Command(tmp_path)


@pytest.mark.parametrize("target", ["shop", "parse"])
def test_a_demo_ends_in_a_ready_pull_request_with_passing_evidence(journeyman: Command, target: str):
    code, said = journeyman.run("demo", "--target", target)
    assert "(ready for review)" in said, said
    assert "### How it was verified: PASS" in said
    assert ("before failing, after passing" in said) == (target == "parse")
    assert code == 0
    assert journeyman.leftovers() == []


def test_an_unknown_target_is_told_which_there_are(journeyman: Command):
    code, said = journeyman.run("demo", "--target", "nonsense")
    assert code == 2
    assert "invalid choice: 'nonsense' (choose from 'shop', 'parse')" in said


def test_a_kept_demo_stays_up_until_it_is_interrupted(journeyman: Command):
    process = journeyman.start("demo", "--keep")
    try:
        said = journeyman.says("Everything stays up")
        assert listening(said)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert not listening(said)
        assert journeyman.leftovers() == []
    finally:
        end(process)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_it_ends_everything_and_leaves_nothing(journeyman: Command, how: signal.Signals):
    process = journeyman.start("demo")
    try:
        journeyman.says("spec revision 1 drafted")
        process.send_signal(how)
        assert process.wait(60) == 130
        assert journeyman.processes() == []
        assert journeyman.leftovers() == []
        assert journeyman.output().endswith("journeyman: interrupted; everything that was started has ended\n")
    finally:
        end(process)


def test_killed_its_server_ends_by_itself(journeyman: Command):
    process = journeyman.start("demo", "--keep")
    try:
        journeyman.says("Everything stays up")
        assert journeyman.processes()
        process.kill()
        process.wait()
        limit = time.monotonic() + 30
        while (left := journeyman.processes()) and time.monotonic() < limit:
            time.sleep(0.1)
        assert left == []
    finally:
        end(process)
