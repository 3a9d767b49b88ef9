"""Real sandboxes and real checkouts. Where bubblewrap can't work these tests fail: a machine without a sandbox is not a supported one."""

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sandbox_worlds import WORKER, make_checkout

from bot.ports import Checkout, Sandbox
from bot.sandbox.bubblewrap import Bubblewrap
from bot.sandbox.plain import Plain


@pytest.fixture(scope="session")
def bubblewrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bubblewrap]:
    sandbox = Bubblewrap(tmp_path_factory.mktemp("engine"), uid=WORKER)
    yield sandbox
    sandbox.close()


@pytest.fixture(scope="session")
def plain() -> Iterator[Plain]:
    sandbox = Plain(uid=WORKER, path=f"{os.defpath}:/usr/sbin:/sbin")
    yield sandbox
    sandbox.close()


@pytest.fixture
def overlay(tmp_path: Path, bubblewrap: Bubblewrap) -> Iterator[Callable[[], Checkout]]:
    """Makes checkouts whose files are an overlay."""
    numbers = itertools.count()
    yield lambda: make_checkout(tmp_path / str(next(numbers)), bubblewrap.owner())
    for work in tmp_path.glob("*/scratch/work"):
        work.chmod(0o700)


@pytest.fixture
def copied(plain: Plain) -> Iterator[Callable[[], Checkout]]:
    """Makes checkouts that are a copy, in a place that the worker's uid can reach without help."""
    folder = Path("/tmp") / f"journeyman-test-{os.getpid()}"
    numbers = itertools.count()
    yield lambda: make_checkout(folder / str(next(numbers)), plain.owner(), copy=True)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["bubblewrap", "plain"])
def level(request: pytest.FixtureRequest) -> tuple[Sandbox, Checkout]:
    """A sandbox of each level with a checkout that suits it."""
    checkouts = request.getfixturevalue("overlay" if request.param == "bubblewrap" else "copied")
    return request.getfixturevalue(request.param), checkouts()
