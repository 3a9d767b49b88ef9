"""One engine a home, and no child that outlives its supervisor."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from bot.engine.executor import ExecutorLock
from bot.engine.supervisor import ORPHANED
from bot.ports import UserFacing

pytestmark = pytest.mark.fast


def test_a_second_engine_is_refused_in_one_sentence(tmp_path: Path):
    ExecutorLock(tmp_path).take()
    with pytest.raises(UserFacing) as refused:
        ExecutorLock(tmp_path, patience=0.1).take()
    assert str(refused.value) == (
        f"Another engine already works on {tmp_path}: stop it first, or give this one another JOURNEYMAN_HOME."
    )


def test_an_engine_that_is_just_dying_is_waited_for(tmp_path: Path):
    # given another process that holds the lock for half a second more
    script = f"""
        import time
        from pathlib import Path
        from bot.engine.executor import ExecutorLock
        ExecutorLock(Path({str(tmp_path)!r})).take()
        print("held", flush=True)
        time.sleep(0.5)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE) as other:
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        # when this one wants it
        ExecutorLock(tmp_path, patience=5.0).take()
        # then it has it once that one is gone
        assert other.wait(5) == 0


def test_a_supervised_child_ends_at_once_when_its_supervisor_is_gone():
    script = """
        import signal, threading
        from bot.engine.supervisor import end_with_supervisor
        signal.signal(signal.SIGTERM, lambda *_: None)  # a drain that would take its time
        end_with_supervisor()
        print("ready", flush=True)
        threading.Event().wait(20)
    """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "JOURNEYMAN_SUPERVISED": "1"},
    )
    with child:
        assert child.stdin
        assert child.stdout
        assert child.stdout.readline() == b"ready\n"
        child.stdin.close()
        assert child.wait(5) == ORPHANED


def test_the_lock_goes_with_its_process_however_it_dies(tmp_path: Path):
    script = f"""
        import time
        from pathlib import Path
        from bot.engine.executor import ExecutorLock
        ExecutorLock(Path({str(tmp_path)!r})).take()
        print("held", flush=True)
        time.sleep(20)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE) as other:
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        other.send_signal(signal.SIGKILL)
        other.wait()
    ExecutorLock(tmp_path, patience=0.0).take()
