"""Packs that a worker with bad intentions hands over: every one is refused with a sentence, and leaves nothing behind."""

import os
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from bot.core.diff import Harvest
from bot.core.policy import Policy
from bot.git.adapter import EngineGit
from bot.ports import Checkout
from tests.git.forge import POLICY, TOKEN, Forge, make_engine, oid_of, pack_of, tree_of

BLOB = b"hello\n"
HELLO = oid_of("blob", BLOB)


@pytest.fixture
async def checkout(engine: EngineGit, forge: Forge) -> Checkout:
    sha = forge.create("acme/shop", {"README.md": "# Shop\n"})
    await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN)
    return await engine.checkout("acme/shop", sha, "k")


def store(home: Path) -> list[Path]:
    return sorted(path for name in ("mirrors", "quarantine") for path in (home / name).rglob("*"))


async def refused(
    engine: EngineGit, checkout: Checkout, home: Path, *, pack: bytes, tree: str, policy: Policy = POLICY
) -> tuple[str, ...]:
    """The problems; whatever they are, the engine's store is as it was."""
    before = store(home)
    got = await engine.harvest(checkout, pack, tree, policy)
    assert store(home) == before
    assert got.problems
    return got.problems


async def of_tree(
    engine: EngineGit, checkout: Checkout, home: Path, tree: bytes, *more: tuple[str, bytes]
) -> tuple[str, ...]:
    pack = pack_of(("blob", BLOB), *more, ("tree", tree))
    return await refused(engine, checkout, home, pack=pack, tree=oid_of("tree", tree))


async def test_a_harmless_pack_made_by_hand_is_taken(engine: EngineGit, checkout: Checkout) -> None:
    tree = tree_of(("100644", "hello.txt", HELLO))

    got = await engine.harvest(checkout, pack_of(("blob", BLOB), ("tree", tree)), oid_of("tree", tree), POLICY)

    assert got.problems == ()
    assert await engine.blob("acme/shop", got.tree, "hello.txt") == BLOB


@pytest.mark.parametrize(
    "name",
    [
        ".git",
        ".GIT",
        ".git\u200c",
        "git~1",
        ".git ",
        ".git.",
        "..",
        ".",
        "a/b",
        "",
        ".git::$INDEX_ALLOCATION",
        "a\\..\\.git\\x",
    ],
)
async def test_names_that_lead_into_git_directories_are_refused(
    engine: EngineGit, checkout: Checkout, tmp_path: Path, name: str
) -> None:
    assert await of_tree(engine, checkout, tmp_path / "home", tree_of(("100644", name, HELLO)))


async def test_a_link_is_refused(engine: EngineGit, checkout: Checkout, tmp_path: Path) -> None:
    problems = await of_tree(engine, checkout, tmp_path / "home", tree_of(("120000", "link", HELLO)))
    assert problems == snapshot(("`link` is a symbolic link; links may not be added or changed.",))


async def test_a_submodule_is_refused(engine: EngineGit, checkout: Checkout, tmp_path: Path) -> None:
    problems = await of_tree(engine, checkout, tmp_path / "home", tree_of(("160000", "sub", checkout.sha)))
    assert problems == snapshot(("`sub` is a submodule; submodules may not be added or moved.",))


async def test_a_submodule_file_that_smuggles_an_option_is_refused(
    engine: EngineGit, checkout: Checkout, tmp_path: Path
) -> None:
    evil = b'[submodule "x"]\n\tpath = x\n\turl = --upload-pack=touch /tmp/x\n'
    tree = tree_of(("100644", ".gitmodules", oid_of("blob", evil)))
    assert "gitmodulesUrl" in "".join(await of_tree(engine, checkout, tmp_path / "home", tree, ("blob", evil)))


async def test_a_missing_file_is_refused(engine: EngineGit, checkout: Checkout, tmp_path: Path) -> None:
    problems = await of_tree(
        engine, checkout, tmp_path / "home", tree_of(("100644", "a", HELLO), ("100644", "b", "1" * 40))
    )
    assert problems


async def test_a_missing_folder_is_refused(engine: EngineGit, checkout: Checkout, tmp_path: Path) -> None:
    assert await of_tree(engine, checkout, tmp_path / "home", tree_of(("40000", "a", "1" * 40)))


async def test_a_missing_tree_is_refused(engine: EngineGit, checkout: Checkout, tmp_path: Path) -> None:
    problems = await refused(engine, checkout, tmp_path / "home", pack=pack_of(("blob", BLOB)), tree="1" * 40)
    assert problems == snapshot(("The worker's tree is not among the objects that it handed over.",))


async def test_a_commit_in_place_of_a_tree_is_refused(engine: EngineGit, checkout: Checkout, tmp_path: Path) -> None:
    assert await refused(engine, checkout, tmp_path / "home", pack=b"", tree=checkout.sha)


@pytest.mark.parametrize("tree", ["", "HEAD", "--help", "1" * 39, "1" * 41, "1" * 40 + "^{tree}", "１" * 40])
async def test_a_tree_that_is_no_object_id_is_refused(
    engine: EngineGit, checkout: Checkout, tmp_path: Path, tree: str
) -> None:
    assert await refused(engine, checkout, tmp_path / "home", pack=b"", tree=tree) == (
        "The worker named no valid tree.",
    )


async def test_a_folder_in_the_guise_of_a_file_is_refused(
    engine: EngineGit, checkout: Checkout, tmp_path: Path
) -> None:
    folder = tree_of(("100644", "x", HELLO))
    tree = tree_of(("100644", "file", oid_of("tree", folder)))
    assert await of_tree(engine, checkout, tmp_path / "home", tree, ("tree", folder))


async def test_a_known_commit_in_the_guise_of_a_file_is_refused(
    engine: EngineGit, checkout: Checkout, tmp_path: Path
) -> None:
    assert await of_tree(engine, checkout, tmp_path / "home", tree_of(("100644", "file", checkout.sha)))


async def test_the_same_name_twice_is_refused(engine: EngineGit, checkout: Checkout, tmp_path: Path) -> None:
    tree = tree_of(("100644", "a", HELLO), ("100644", "a", HELLO))
    assert await of_tree(engine, checkout, tmp_path / "home", tree)


async def test_names_that_differ_only_in_case_are_refused(
    engine: EngineGit, checkout: Checkout, tmp_path: Path
) -> None:
    tree = tree_of(("100644", "A.txt", HELLO), ("100644", "a.txt", HELLO))
    assert await of_tree(engine, checkout, tmp_path / "home", tree) == snapshot(
        ("`a.txt` and `A.txt` are one file on systems that ignore case.",)
    )


@pytest.mark.parametrize("pack", [b"garbage", b"PACK", pack_of(("blob", BLOB))[:-9], pack_of(("blob", BLOB)) + b"more"])
async def test_a_broken_pack_is_refused(engine: EngineGit, checkout: Checkout, tmp_path: Path, pack: bytes) -> None:
    assert await refused(engine, checkout, tmp_path / "home", pack=pack, tree=HELLO)


async def test_a_pack_beyond_the_limit_is_refused_before_git_sees_it(
    forge: Forge, tmp_path: Path, checkout: Checkout
) -> None:
    small = make_engine(tmp_path / "home", forge.url)
    noise = os.urandom(5 * 1024 * 1024)

    problems = await refused(
        small, checkout, tmp_path / "home", pack=pack_of(("blob", noise)), tree=HELLO, policy=Policy(max_patch_kb=16)
    )

    small.shutdown()
    assert problems == snapshot(("The worker's change is 5121 KiB packed; the limit is 4112 KiB.",))


async def test_a_file_that_unpacks_to_far_more_than_its_pack_is_refused(
    engine: EngineGit, checkout: Checkout, tmp_path: Path
) -> None:
    bomb = bytes(64 * 1024 * 1024)
    tree = tree_of(("100644", "zeros", oid_of("blob", bomb)))
    assert await of_tree(engine, checkout, tmp_path / "home", tree, ("blob", bomb)) == snapshot(
        ("`zeros` is 65536 KiB; the limit for one file is 1024 KiB.",)
    )


async def test_ten_to_the_tenth_paths_in_eleven_trees_are_refused(
    engine: EngineGit, checkout: Checkout, tmp_path: Path
) -> None:
    trees = [tree_of(*(("100644", f"f{n}", HELLO) for n in range(10)))]
    for _ in range(9):
        below = oid_of("tree", trees[-1])
        trees.append(tree_of(*(("40000", f"d{n}", below) for n in range(10))))
    bomb = trees.pop()
    assert await of_tree(engine, checkout, tmp_path / "home", bomb, *(("tree", tree) for tree in trees)) == snapshot(
        ("The change lists more files, or deeper folders, than can be judged.",)
    )


async def test_twenty_thousand_nested_folders_are_refused(
    engine: EngineGit, checkout: Checkout, tmp_path: Path
) -> None:
    trees = [tree_of(("100644", "f", HELLO))]
    for _ in range(20_000):
        trees.append(tree_of(("40000", "d", oid_of("tree", trees[-1]))))
    bomb = trees.pop()
    assert await of_tree(engine, checkout, tmp_path / "home", bomb, *(("tree", tree) for tree in trees))


async def test_more_files_than_the_limit_are_refused(engine: EngineGit, checkout: Checkout, tmp_path: Path) -> None:
    tree = tree_of(*(("100644", f"f{n:03}", HELLO) for n in range(101)))
    assert await of_tree(engine, checkout, tmp_path / "home", tree) == snapshot(
        ("The change touches 102 files; the limit is 100.",)
    )


async def test_a_name_that_is_not_utf8_is_refused(engine: EngineGit, checkout: Checkout, tmp_path: Path) -> None:
    tree = b"100644 \xff\xfe\0" + bytes.fromhex(HELLO)
    assert await of_tree(engine, checkout, tmp_path / "home", tree) == snapshot(
        ("`\\xff\\xfe` has a name that is not UTF-8.",)
    )


async def test_objects_of_another_repository_are_out_of_reach(
    engine: EngineGit, forge: Forge, checkout: Checkout, tmp_path: Path
) -> None:
    forge.create("acme/vault", {"secret.txt": "the vault's own\n"})
    await engine.fetch("acme/vault", ["refs/heads/main"], TOKEN)
    secret = oid_of("blob", b"the vault's own\n")

    assert await of_tree(engine, checkout, tmp_path / "home", tree_of(("100644", "loot", secret)))


async def test_a_hold_keeps_the_objects_for_whoever_releases_it(engine: EngineGit, checkout: Checkout) -> None:
    tree = tree_of(("100644", "AGENTS.md", HELLO))

    got = await engine.harvest(checkout, pack_of(("blob", BLOB), ("tree", tree)), oid_of("tree", tree), POLICY)

    assert isinstance(got, Harvest)
    assert (got.problems, got.held) == ((), ("AGENTS.md",))
    assert await engine.blob("acme/shop", got.tree, "AGENTS.md") == BLOB
