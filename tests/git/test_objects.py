"""Reading and writing objects of the engine's store."""

import asyncio
import time
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from bot.core.diff import FileDiff, TreeEntry
from bot.git.adapter import EngineGit
from bot.git.objects import with_co_author
from bot.ports import Permanent
from tests.git.forge import TOKEN, Forge, line, oid_of, sh

AT = "2026-11-24T09:14:02Z"


async def fetched(engine: EngineGit, forge: Forge, files: dict[str, str | bytes]) -> str:
    sha = forge.create("acme/shop", files)
    await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN)
    return sha


async def newer(engine: EngineGit, forge: Forge, files: dict[str, str | bytes | None]) -> str:
    sha = forge.commit("acme/shop", files)
    await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN)
    return sha


async def test_a_tree_lists_every_file_with_its_size(engine: EngineGit, forge: Forge) -> None:
    sha = await fetched(engine, forge, {"b/ü.txt": "xyz", "a.txt": ""})

    assert await engine.tree("ACME/Shop", sha) == [
        TreeEntry("a.txt", "100644", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", 0),
        TreeEntry("b/ü.txt", "100644", oid_of("blob", b"xyz"), 3),
    ]


@pytest.mark.parametrize(
    ("path", "got"),
    [
        ("dir/a.txt", b"hello"),
        ("dir", None),
        ("dir/", None),
        ("", None),
        ("gone", None),
        ("*", None),
        (":(glob)**", None),
        ("-x", None),
        ("../dir/a.txt", None),
        ("a\0b", None),
    ],
)
async def test_a_blob_is_read_by_its_exact_path(engine: EngineGit, forge: Forge, path: str, got: bytes | None) -> None:
    sha = await fetched(engine, forge, {"dir/a.txt": "hello"})

    assert await engine.blob("acme/shop", sha, path) == got


async def test_a_blob_is_cut_at_the_limit(engine: EngineGit, forge: Forge) -> None:
    sha = await fetched(engine, forge, {"a": b"x" * 500_000})

    assert await engine.blob("acme/shop", sha, "a", limit=1000) == b"x" * 1000


async def test_a_link_is_no_file_and_is_not_followed(engine: EngineGit, forge: Forge) -> None:
    await fetched(engine, forge, {"secret": "s"})
    bare = forge.repo("acme/shop")
    link = line("git", "hash-object", "-w", "--stdin", cwd=bare, stdin=b"secret")
    tree = line("git", "mktree", cwd=bare, stdin=f"120000 blob {link}\tlink\n".encode())
    sh("git", "update-ref", "refs/heads/main", line("git", "commit-tree", tree, "-m", "x", cwd=bare), cwd=bare)
    sha = (await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN))["refs/heads/main"]

    assert await engine.blob("acme/shop", sha, "link") is None


async def test_a_diff_has_counts_sizes_and_exact_renames(engine: EngineGit, forge: Forge) -> None:
    old = await fetched(engine, forge, {"keep": "a\nb\n", "moved": "m" * 50, "gone": "g\n", "bin": b"\0"})
    new = await newer(
        engine, forge, {"keep": "a\nc\nd\n", "moved": None, "dir/moved": "m" * 50, "gone": None, "bin": b"\0\1"}
    )

    assert await engine.diff("acme/shop", old, new) == (
        FileDiff("bin", "", "M", "100644", "100644", None, None, 2),
        FileDiff("dir/moved", "moved", "R", "100644", "100644", 0, 0, 50),
        FileDiff("gone", "", "D", "100644", "000000", 0, 1, 0),
        FileDiff("keep", "", "M", "100644", "100644", 2, 1, 6),
    )


async def test_a_patch_is_cut_at_a_line_and_says_so(engine: EngineGit, forge: Forge) -> None:
    old = await fetched(engine, forge, {"a": "one\n"})
    new = await newer(engine, forge, {"a": "".join(f"line {n}\n" for n in range(50))})

    assert await engine.patch("acme/shop", old, new, limit=120) == snapshot("""\
diff --git a/a b/a
index 5626abf..28bd056 100644
--- a/a
+++ b/a
@@ -1 +1,50 @@
-one
+line 0
+line 1
+line 2
+line 3
[the diff is longer than 120 bytes and was cut here]
""")


async def test_the_bases_tests_are_laid_over_the_new_code(engine: EngineGit, forge: Forge) -> None:
    base = await fetched(
        engine, forge, {"src/a.py": "1", "tests/test_a.py": "old", "tests/test_b.py": "b", "conftest.py": "c"}
    )
    head = await newer(
        engine,
        forge,
        {
            "src/a.py": "2",
            "tests/test_a.py": "new",
            "tests/test_b.py": None,
            "tests/x/test_c.py": "c",
            "conftest.py": "d",
        },
    )

    tree = await engine.overlay_tree("acme/shop", head=head, base=base, paths=["tests", "conftest.py", "never/there"])

    read = {
        entry.path: await engine.blob("acme/shop", tree, entry.path) for entry in await engine.tree("acme/shop", tree)
    }
    assert read == {"src/a.py": b"2", "tests/test_a.py": b"old", "tests/test_b.py": b"b", "conftest.py": b"c"}


async def test_a_folder_where_the_base_had_a_file_gives_way(engine: EngineGit, forge: Forge) -> None:
    base = await fetched(engine, forge, {"tests": "a file", "a": "1"})
    head = await newer(engine, forge, {"tests": None, "tests/x": "2"})

    tree = await engine.overlay_tree("acme/shop", head=head, base=base, paths=["tests"])

    assert [entry.path for entry in await engine.tree("acme/shop", tree)] == ["a", "tests"]


async def test_the_same_commit_made_twice_has_the_same_name(engine: EngineGit, forge: Forge) -> None:
    sha = await fetched(engine, forge, {"a": "1"})
    tree = line("git", "rev-parse", f"{sha}^{{tree}}", cwd=forge.repo("acme/shop"))

    made = [await engine.commit("acme/shop", tree=tree, parents=[sha], message="Work", at=AT) for _ in range(2)]

    assert made[0] == made[1]
    assert (
        await engine.commit("acme/shop", tree=tree, parents=[sha], message="Work", at="2026-11-24T09:14:03Z") != made[0]
    )


@pytest.mark.parametrize(
    ("message", "whole"),
    [
        ("Fix it", "Fix it\n\nCo-authored-by: Ada <a@b>\n"),
        ("Fix it\n\nBody\n", "Fix it\n\nBody\n\nCo-authored-by: Ada <a@b>\n"),
        ("Fix: it", "Fix: it\n\nCo-authored-by: Ada <a@b>\n"),
        ("Fix it\n\nRefs: #4\n", "Fix it\n\nRefs: #4\nCo-authored-by: Ada <a@b>\n"),
    ],
)
def test_a_co_author_becomes_a_trailer(message: str, whole: str) -> None:
    assert with_co_author(message, "Ada\n<a@b>") == whole


@pytest.mark.parametrize("name", ["HEAD", "main", "", "abc123", "--help", "1" * 40 + "^", "1" * 40 + "\n", "A" * 40])
async def test_only_full_object_ids_are_taken(engine: EngineGit, forge: Forge, name: str) -> None:
    await fetched(engine, forge, {"a": "1"})

    with pytest.raises(Permanent):
        await engine.tree("acme/shop", name)


async def test_a_cancelled_call_ends_its_git_at_once(engine: EngineGit, forge: Forge) -> None:
    forge.create("acme/shop", {"a": "1"})

    def slow(path: str, answer: bytes) -> None:
        time.sleep(1.5)

    forge.spoil = slow
    call = asyncio.create_task(engine.fetch("acme/shop", ["refs/heads/main"], TOKEN))
    while not forge.seen:
        await asyncio.sleep(0.01)
    started = time.monotonic()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    forge.spoil = lambda path, answer: None

    assert time.monotonic() - started < 1.0
    assert await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN)


async def test_a_killed_fetchs_leftovers_do_not_stop_the_next(engine: EngineGit, forge: Forge, tmp_path: Path) -> None:
    await fetched(engine, forge, {"a": "1"})
    mirror = tmp_path / "home/mirrors/acme/shop.git"
    for left in (
        "packed-refs.lock",
        f"{next((mirror / 'refs/fetched').iterdir()).relative_to(mirror)}.lock",
        "objects/pack/tmp_pack_x",
    ):
        (mirror / left).touch()

    sha = await newer(engine, forge, {"a": "2"})

    assert await engine.blob("acme/shop", sha, "a") == b"2"
    assert not list(mirror.rglob("*.lock")) + list(mirror.rglob("tmp_*"))


async def test_a_branch_may_become_a_folder_of_branches(engine: EngineGit, forge: Forge) -> None:
    forge.create("acme/shop", {"a": "1"})
    forge.commit("acme/shop", {"a": "2"}, "topic")
    await engine.fetch("acme/shop", ["refs/heads/topic"], TOKEN)
    sh("git", "update-ref", "-d", "refs/heads/topic", cwd=forge.repo("acme/shop"))
    sha = forge.commit("acme/shop", {"a": "3"}, "topic/one")

    assert await engine.fetch("acme/shop", ["refs/heads/topic/one"], TOKEN) == {"refs/heads/topic/one": sha}
