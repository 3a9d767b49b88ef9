"""Checkouts: a base per SHA, a git directory per worker."""

import asyncio
import os
from pathlib import Path

from bot.git.adapter import EngineGit
from bot.ports import Checkout
from tests.git.forge import TOKEN, Forge, line, make_engine, sh

FILES: dict[str, str | bytes] = {"README.md": "# Shop\n", "src/app.py": "print(1)\n", "logo.bin": b"\0\1"}


async def opened(engine: EngineGit, forge: Forge, key: str = "r1/task/1") -> Checkout:
    sha = forge.create("acme/shop", FILES)
    await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN)
    return await engine.checkout("acme/shop", sha, key)


def top(checkout: Checkout) -> Path:
    assert checkout.copy is not None
    return checkout.copy


async def test_a_fresh_checkout_holds_the_files_and_is_clean(engine: EngineGit, forge: Forge) -> None:
    checkout = await opened(engine, forge)

    assert (top(checkout) / "src/app.py").read_text() == "print(1)\n"
    assert sh("git", "status", "--porcelain", cwd=top(checkout)) == b""


async def test_head_is_on_a_local_branch_at_the_sha_and_there_is_no_remote(engine: EngineGit, forge: Forge) -> None:
    checkout = await opened(engine, forge)

    assert line("git", "rev-parse", "HEAD", cwd=top(checkout)) == checkout.sha
    assert line("git", "branch", "--show-current", cwd=top(checkout)) == "work"
    assert line("git", "remote", cwd=top(checkout)) == ""


async def test_a_worker_can_commit_on_top_of_borrowed_history(engine: EngineGit, forge: Forge) -> None:
    checkout = await opened(engine, forge)
    (top(checkout) / "new.txt").write_text("new\n")

    sh("git", "add", "-A", cwd=top(checkout))
    sh("git", "commit", "-qm", "Work", cwd=top(checkout))

    assert line("git", "rev-list", "--count", "HEAD", cwd=top(checkout)) == "2"


async def test_reopening_keeps_what_the_worker_did(engine: EngineGit, forge: Forge) -> None:
    checkout = await opened(engine, forge)
    (top(checkout) / "half.txt").write_text("half\n")

    again = await engine.checkout("acme/shop", checkout.sha, checkout.key)

    assert again == checkout
    assert (top(again) / "half.txt").read_text() == "half\n"


async def test_a_checkout_that_a_crash_left_half_made_is_made_again(engine: EngineGit, forge: Forge) -> None:
    checkout = await opened(engine, forge)
    (top(checkout).parent / "opened.json").unlink()
    (top(checkout) / "src/app.py").unlink()

    again = await engine.checkout("acme/shop", checkout.sha, checkout.key)

    assert (top(again) / "src/app.py").exists()


async def test_a_base_that_a_crash_left_half_made_is_made_again(engine: EngineGit, forge: Forge) -> None:
    checkout = await opened(engine, forge)
    (checkout.base.parent / "done").unlink()
    (checkout.base / "src/app.py").unlink()

    again = await engine.checkout("acme/shop", checkout.sha, "another")

    assert (top(again) / "src/app.py").exists()


async def test_the_same_key_at_another_sha_starts_over(engine: EngineGit, forge: Forge) -> None:
    first = await opened(engine, forge)
    newer = forge.commit("acme/shop", {"src/app.py": "print(2)\n"})
    await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN)

    second = await engine.checkout("acme/shop", newer, first.key)

    assert (top(second) / "src/app.py").read_text() == "print(2)\n"


async def test_closing_leaves_nothing_but_the_base(engine: EngineGit, forge: Forge) -> None:
    checkout = await opened(engine, forge)
    locked = checkout.scratch / "work/deep"
    locked.mkdir(parents=True)
    locked.parent.chmod(0)

    await engine.close(checkout)

    assert list(checkout.upper.parent.parent.iterdir()) == []
    assert (checkout.base / "src/app.py").exists()


async def test_closing_follows_no_link_out_of_the_checkout(engine: EngineGit, forge: Forge, tmp_path: Path) -> None:
    checkout = await opened(engine, forge)
    (tmp_path / "precious").mkdir(mode=0o500)
    (checkout.home / "way-out").symlink_to(tmp_path / "precious")

    await engine.close(checkout)

    assert (tmp_path / "precious").stat().st_mode & 0o777 == 0o500


async def test_closing_copes_with_nesting_without_end(engine: EngineGit, forge: Forge) -> None:
    checkout = await opened(engine, forge)
    sh("python3", "-c", "import os\nfor _ in range(3000):\n os.mkdir('d' * 50)\n os.chdir('d' * 50)", cwd=checkout.home)

    await engine.close(checkout)

    assert not checkout.home.exists()


async def test_bases_hold_no_git_directory(engine: EngineGit, forge: Forge) -> None:
    checkout = await opened(engine, forge)

    assert not (checkout.base / ".git").exists()


async def test_dropping_a_repository_leaves_nothing_of_it(engine: EngineGit, forge: Forge, tmp_path: Path) -> None:
    await opened(engine, forge)

    await engine.drop("acme/shop")

    left = [path for path in (tmp_path / "home").rglob("*") if path.is_file() and path.suffix != ".lock"]
    assert left == []


async def test_links_stay_links_and_modes_are_kept(engine: EngineGit, forge: Forge) -> None:
    sha = forge.create("acme/shop", FILES)
    bare = forge.repo("acme/shop")
    link = line("git", "hash-object", "-w", "--stdin", cwd=bare, stdin=b"/etc/passwd")
    tree = sh("git", "ls-tree", sha, cwd=bare).decode() + f"120000 blob {link}\tlink\n"
    run = line("git", "hash-object", "-w", "--stdin", cwd=bare, stdin=b"#!/bin/sh\n")
    made = line("git", "mktree", cwd=bare, stdin=(tree + f"100755 blob {run}\trun\n").encode())
    linked = line("git", "commit-tree", made, "-m", "Link", cwd=bare)
    sh("git", "update-ref", "refs/heads/links", linked, cwd=bare)
    await engine.fetch("acme/shop", ["refs/heads/links"], TOKEN)

    checkout = await engine.checkout("acme/shop", linked, "k")

    assert os.readlink(top(checkout) / "link") == "/etc/passwd"
    assert os.access(top(checkout) / "run", os.X_OK)
    assert sh("git", "status", "--porcelain", cwd=top(checkout)) == b""


async def test_two_engines_on_one_home_make_one_base_at_once(engine: EngineGit, forge: Forge, tmp_path: Path) -> None:
    sha = forge.create("acme/shop", FILES)
    await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN)
    other = make_engine(tmp_path / "home", forge.url)
    made = await asyncio.gather(
        *(e.checkout("acme/shop", sha, f"k{n}") for n in range(6) for e in (engine, other) if n % 2 or e is engine)
    )
    other.shutdown()

    assert all((top(checkout) / "src/app.py").exists() for checkout in made)
