"""SECURITY.md 16: whatever a command does, it ends, its limit is named, and nothing of it is left. The same at every level."""

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from sandbox_worlds import WORKER, make_checkout, running, says, sh, until

import bot
from bot.ports import SandboxRun, Transient
from bot.sandbox.bubblewrap import Bubblewrap
from bot.sandbox.checkout_lock import PATIENCE


def mark() -> str:
    """A number of seconds that no other process sleeps."""
    return f"6{os.getpid()}{time.monotonic_ns() % 1_000_000}"


async def test_an_exit_code_comes_back(level):
    ended = await sh(*level, "exit 7")
    assert (ended.exit_code, ended.killed) == (7, "")


async def test_a_command_that_sleeps_for_ever_is_ended(level):
    number = mark()
    ended = await sh(*level, f"sleep {number}", timeout=0.3)
    assert (ended.exit_code, ended.killed) == (None, "timeout")
    assert until(lambda: running(number) == [], 2)


async def test_a_daemon_that_left_its_session_is_ended_with_its_command(level):
    number = mark()
    ended = await sh(*level, f"setsid sh -c 'setsid sleep {number} &' </dev/null >/dev/null 2>&1 & sleep 0.1")
    assert ended.exit_code == 0
    assert until(lambda: running(number) == [], 2)


async def test_a_daemon_that_keeps_the_output_open_does_not_hold_us_up(level):
    began = time.monotonic()
    await sh(*level, f"setsid sleep {mark()} & echo started")
    assert time.monotonic() - began < 5


async def test_a_greedy_process_is_ended_for_its_memory(level):
    script = "exec perl -e '$x = \"x\" x (4 << 30); sleep 60'"
    ended = await sh(*level, script, memory_mb=256, timeout=60)
    assert ended.killed == "memory"


async def test_a_greedy_crowd_is_counted_together(level):
    one = "perl -e '$x = \"x\" x (100 << 20); sleep 60' &"
    ended = await sh(*level, one * 5 + " wait", memory_mb=300, timeout=60)
    assert ended.killed == "memory"


async def test_output_for_ever_is_ended_and_clipped(level):
    ended = await sh(*level, "yes", output_limit=10_000, timeout=30)
    assert ended.killed == "output"
    assert len(ended.output) < 10_200


async def test_long_output_keeps_head_and_tail_and_the_digest_of_all(level):
    ended = await sh(*level, "seq 1 50000", output_limit=1000)
    whole = "".join(f"{n}\n" for n in range(1, 50_001)).encode()
    assert ended.output.startswith(b"1\n2\n3\n")
    assert ended.output.endswith(b"\n50000\n")
    assert ended.output_sha256 == hashlib.sha256(whole).hexdigest()
    assert ended.clipped == len(whole) - 1000


async def test_a_crowd_of_processes_is_held_and_ended(level):
    number = mark()
    crowd = f"for i in $(seq 1 200); do sleep {number} & done; sleep 30"
    ended = await sh(*level, crowd, processes=64, timeout=10)
    assert b"fork" in ended.output
    assert until(lambda: running(number) == [], 2)


async def test_one_file_can_t_grow_for_ever(tmp_path):
    sandbox = Bubblewrap(tmp_path / "engine", uid=WORKER, file_mb=2)
    try:
        checkout = make_checkout(tmp_path / "c", sandbox.owner(), copy=True)
        ended = await sh(sandbox, checkout, "head -c 5000000 /dev/zero > big; wc -c < big")
        assert b"2097152" in ended.output
    finally:
        sandbox.close()


async def test_many_files_can_t_fill_the_disk(tmp_path):
    sandbox = Bubblewrap(tmp_path / "engine", uid=WORKER, disk_mb=20)
    try:
        checkout = make_checkout(tmp_path / "c", sandbox.owner(), copy=True)
        fill = "for i in $(seq 1 400); do head -c 1000000 /dev/zero > f$i; sleep 0.01; done"
        ended = await sh(sandbox, checkout, fill, timeout=60)
        assert ended.killed == "disk"
    finally:
        sandbox.close()


async def test_cancelling_ends_the_command_within_seconds(level):
    sandbox, checkout = level
    number = mark()
    job = asyncio.create_task(sandbox.run(SandboxRun(checkout, ("sleep", number))))
    while not running(number):
        await asyncio.sleep(0.02)
    began = time.monotonic()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert time.monotonic() - began < 5
    assert until(lambda: running(number) == [], 2)


async def test_a_checkout_in_use_is_not_mounted_twice(level):
    sandbox, checkout = level
    job = asyncio.create_task(sh(sandbox, checkout, f"sleep {PATIENCE + 2}"))
    await asyncio.sleep(0.3)
    with pytest.raises(Transient, match="in use"):
        await sh(sandbox, checkout, "true")
    await job
    assert (await sh(sandbox, checkout, "true")).exit_code == 0


async def test_a_checkout_whose_command_is_about_to_end_is_waited_for(bubblewrap, overlay):
    checkout = overlay()
    job = asyncio.create_task(sh(bubblewrap, checkout, "sleep 1; echo first > seen"))
    await asyncio.sleep(0.3)
    assert (await sh(bubblewrap, checkout, "cat seen")).output == b"first\n"
    await job


async def test_a_command_can_t_give_up_the_lock_of_its_own_checkout(bubblewrap, overlay):
    checkout = overlay()
    job = asyncio.create_task(
        sh(bubblewrap, checkout, f"for fd in 3 4 5 6 7 8 9; do flock -u $fd; done 2>/dev/null; sleep {PATIENCE + 2}")
    )
    await asyncio.sleep(0.4)
    with pytest.raises(Transient, match="in use"):
        await sh(bubblewrap, checkout, "true")
    await job


async def test_the_sandbox_s_first_process_holds_the_lock(bubblewrap, overlay):
    # It is the last to end, also when the engine was killed and only the kernel is left to clean up.
    assert "k.lock" in await says(bubblewrap, overlay(), "for fd in /proc/1/fd/*; do readlink $fd; done")


async def test_siblings_run_at_the_same_time_and_do_not_see_each_other(bubblewrap, overlay):
    number = mark()
    first, second = overlay(), overlay()
    job = asyncio.create_task(sh(bubblewrap, first, f"sleep {number}", timeout=1.5))
    while not running(number):
        await asyncio.sleep(0.02)
    assert number not in await says(
        bubblewrap, second, "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -v grep | grep sleep"
    )
    await job


async def test_no_descriptors_are_left_with_us(level):
    await sh(*level, "true")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        await sh(*level, "echo x; exit 1", separate_stderr=True)
    assert len(os.listdir("/proc/self/fd")) <= before


ENGINE = """
    import asyncio, sys
    from pathlib import Path
    sys.path[:0] = [sys.argv[1], sys.argv[2]]
    from sandbox_worlds import WORKER, make_checkout, sh
    from bot.sandbox.bubblewrap import Bubblewrap
    from bot.sandbox.plain import Plain

    async def main(level, folder, number):
        sandbox = Bubblewrap(folder / "engine", uid=WORKER) if level == "bubblewrap" else Plain(uid=WORKER)
        checkout = make_checkout(folder / "c", sandbox.owner(), copy=True)
        await sh(sandbox, checkout, f"sleep {number} & sleep {number}; sleep {number}", timeout=600)

    asyncio.run(main(sys.argv[3], Path(sys.argv[4]), sys.argv[5]))
"""


@pytest.mark.chaos
@pytest.mark.parametrize("which", ["bubblewrap", "plain"])
def test_nothing_outlives_an_engine_that_is_killed(which, tmp_path, copied):
    folder = copied().home.parent  # reachable for the worker without a namespace, for the level that has none
    number = mark()
    root = str(Path(bot.__file__).parent.parent)
    argv = [
        sys.executable,
        "-c",
        textwrap.dedent(ENGINE),
        root,
        str(Path(__file__).parent),
        which,
        str(folder / "x"),
        number,
    ]
    engine = subprocess.Popen(argv)
    inside = [f"sleep {number} ", f"sleep {number}"]
    assert until(lambda: sum(line.split(": ", 1)[1].strip() in inside for line in running(number)) == 2)
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    assert until(lambda: running(number) == [], 5)


@pytest.mark.chaos
async def test_after_a_kill_the_checkout_can_be_used_again(tmp_path, bubblewrap):
    number = mark()
    root = str(Path(bot.__file__).parent.parent)
    argv = [
        sys.executable,
        "-c",
        textwrap.dedent(ENGINE),
        root,
        str(Path(__file__).parent),
        "bubblewrap",
        str(tmp_path),
        number,
    ]
    engine = subprocess.Popen(argv)
    assert until(lambda: len(running(f"sleep {number}")) > 2)
    engine.kill()
    engine.wait()
    places = {name: tmp_path / "c" / name for name in ("base", "upper", "scratch", "home", "objects", "copy")}
    from bot.ports import Checkout

    checkout = Checkout("k", "acme/shop", "0" * 40, **places)

    async def again() -> bool:
        try:
            return (await sh(bubblewrap, checkout, "true")).exit_code == 0
        except Transient:
            return False

    for _ in range(100):
        if await again():
            return
        await asyncio.sleep(0.05)
    pytest.fail("the lock of a killed engine was never let go")
