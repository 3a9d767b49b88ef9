"""Ends of `serve`, of an engine and of a run: who dies, what stays, and who goes on."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.playground.samples import shop
from bot.playground.samples.sample import Sample
from bot.playground.stage import Stage
from bot.playground.vendor import start_vendor
from bot.playground.vendor_replies import Call, Reply, tools
from tests.chaos.leftovers import checkouts, mounts, processes
from tests.chaos.test_kill_at_every_mark import exactly_one_of_each
from tests.chaos.ward import Ward
from tests.stories.conftest import PUBLISH_SECONDS, people, vendor_keys
from tests.stories.world import Voice, World

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(200)]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[World]:
    """A repository beside a `serve` of its own."""
    voice = Voice()
    vendor = start_vendor(voice)
    with Stage(tmp_path, vendor_keys(vendor), publish_seconds=PUBLISH_SECONDS) as stage:
        people(stage)
        yield World(stage, voice, "acme/served")
    vendor.stop()


def sleeping(world: World, seconds: str) -> tuple[Sample, int]:
    """An issue whose worker first writes a line and then sleeps, in one command; `seconds` is found again in /proc."""
    sample = shop.sample()
    command = f"echo ran >> trace.txt; sleep {seconds}"

    def policy(call: Call) -> Reply:
        if call.name != "work/task":
            return sample.policy(call)
        if call.turn == 1:
            return tools(("bash", {"command": command, "timeout": 100}))
        return sample.policy(call)

    world.repository(sample.files)
    world.voice.policy = policy
    return sample, world.issue(sample.title, sample.body)


def asleep(seconds: str) -> bool:
    return bool(processes(f"sleep {seconds} |"))


def nothing_left(world: World) -> None:
    world.until(lambda: not checkouts(world.stage.home), seconds=10, why=str(checkouts(world.stage.home)))
    assert mounts(world.stage.home) == []
    assert processes(str(world.stage.home / "checkouts")) == []


def trace(world: World) -> str:
    """The file that the worker's command writes to, as the pull request holds it."""
    (pull,) = world.pulls()
    path = world.stage.hub.repo(world.repo).git.path
    argv = ["git", "-C", str(path), "show", f"{pull.head_sha}:trace.txt"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def test_kill_of_serve_takes_everything_with_it_and_the_next_serve_finishes_the_run(served: World):
    # given a run whose worker is in the middle of a command
    _, number = sleeping(served, "37.25")
    served.label(number, "agent")
    served.until(lambda: asleep("37.25"), why="the worker's command")
    # when `serve` itself is killed, and another one is started at once
    served.stage.server.kill()
    killed = time.monotonic()
    served.stage.server.start()
    served.until(lambda: not asleep("37.25"), seconds=5, why="the worker's command to end with its engine")
    assert time.monotonic() - killed < 5
    # then it finishes the run
    served.ends(number, "in-review")
    exactly_one_of_each(served, number)
    assert trace(served) == "ran\n"
    nothing_left(served)
    # and there is one engine and one web process
    assert len(processes(f"JOURNEYMAN_HOME={served.stage.home} ")) == 3


def test_a_second_engine_on_the_same_home_refuses_in_one_sentence(served: World):
    stage = served.stage
    second = subprocess.run(
        [sys.executable, "-P", "-m", "bot.cli", "engine"],
        env=stage.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 78
    assert second.stderr == (
        f"journeyman: Another engine already works on {stage.home}: stop it first, "
        "or give this one another JOURNEYMAN_HOME.\n"
    )


def test_sigterm_ends_serve_within_30_seconds_and_the_run_goes_on_at_the_next_start(served: World):
    # given a worker's command that takes longer than anybody waits
    _, number = sleeping(served, "83.25")
    served.label(number, "agent")
    served.until(lambda: asleep("83.25"), why="the worker's command")
    # when `serve` is asked to end
    server = served.stage.server
    process = server.process
    assert process is not None
    server.stop()
    assert process.returncode == 0
    # then nothing is left of it
    served.until(lambda: not processes(f"JOURNEYMAN_HOME={served.stage.home} "), seconds=2, why="every process to end")
    served.until(lambda: not asleep("83.25"), seconds=2, why="the command to end")
    # and the next one goes on where it stood
    served.stage.server.start()
    served.ends(number, "in-review")
    exactly_one_of_each(served, number)
    assert trace(served) == "ran\n"


def test_stop_ends_the_worker_within_five_seconds_and_leaves_nothing(served: World):
    # given a worker in the middle of a command
    _, number = sleeping(served, "59.25")
    served.label(number, "agent")
    served.until(lambda: asleep("59.25"), why="the worker's command")
    # when somebody says stop
    served.say(number, "/agent stop")
    # then the command ends soon, and nothing is left
    served.until(lambda: not asleep("59.25"), seconds=5, why="the worker's command to end")
    served.ends(number, "stopped", seconds=20)
    nothing_left(served)
    assert served.pulls() == []


def test_a_tool_that_a_crash_cut_short_is_not_run_again(here: Ward):
    # given a worker in the middle of a command
    world = here.world("cut")
    _, number = sleeping(world, "43.25")
    world.label(number, "agent")
    world.until(lambda: asleep("43.25"), why="the worker's command")
    # when the engine is killed
    here.kill_engine("in a tool")
    # then the worker is told so, and the command ran once
    world.ends(number, "in-review")
    told = [result for call in world.voice.calls for result in call.results if "interrupted" in result.content.lower()]
    assert told
    assert told[0].is_error
    assert trace(world) == "ran\n"
    exactly_one_of_each(world, number)
    nothing_left(world)


def test_a_finished_model_call_is_never_paid_twice(here: Ward):
    # given how often each question is asked when nothing goes wrong
    sample = shop.sample()
    calm, struck = here.world("calm"), here.world("paid")
    asked = {}
    for world in (calm, struck):
        world.repository(sample.files)
        world.voice.policy, world.voice.calls = sample.policy, []
        number = world.issue(sample.title, sample.body)
        world.label(number, "agent")
        if world is struck:
            # when the engine is killed each time that it has just stored an answer
            here.strike(("answer",), lambda number=number: "agent/in-review" in struck.labels(number))
        world.ends(number, "in-review")
        asked[world.repo] = sorted((call.name, call.turn) for call in world.voice.calls)
    # then each was asked once, all the same
    assert len(here.kills) > 5
    assert asked[struck.repo] == asked[calm.repo]
