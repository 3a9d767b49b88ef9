"""SECURITY.md 13: the worker's tools reach the checkout and nothing else; and what it did is carried out as data."""

import os
import subprocess
from pathlib import Path

import pytest
from sandbox_worlds import git, make_checkout, sh

from bot.agent.export import export
from bot.agent.tools import bash, edit
from bot.ports import Checkout, Permanent
from bot.sandbox.bubblewrap import Bubblewrap

LIMITS = {"seconds": 60.0, "memory_mb": 512, "processes": 64}


async def change(level, path: str, old: str, new: str) -> tuple[str, bool]:
    sandbox, checkout = level
    return await edit.run({"path": path, "old": old, "new": new}, sandbox=sandbox, checkout=checkout)


async def content(level, path: str) -> bytes:
    sandbox, checkout = level
    return (await sh(sandbox, checkout, 'cat -- "$0"'.replace("$0", path))).output


async def test_a_text_that_is_there_once_is_replaced(level):
    assert await change(level, "seed", "seed", "tree") == ("Changed seed at line 1.", False)
    assert await content(level, "seed") == b"tree\n"


async def test_bytes_around_the_text_stay_as_they_are(level):
    sandbox, checkout = level
    await sh(sandbox, checkout, r"printf 'a\r\n\377\000x\r\nlast' > odd")
    await change(level, "odd", "x", "y")
    assert await content(level, "odd") == b"a\r\n\xff\x00y\r\nlast"


async def test_a_file_keeps_its_mode(level):
    sandbox, checkout = level
    await sh(sandbox, checkout, "chmod 755 seed")
    await change(level, "seed", "seed", "tree")
    assert (await sh(sandbox, checkout, "stat -c %a seed")).output == b"755\n"


async def test_a_text_that_is_there_twice_is_not_guessed_at(level):
    assert await change(level, "seed", "e", "x") == ("`old` occurs 2 times in seed; add lines around it.", True)
    assert await content(level, "seed") == b"seed\n"


async def test_a_new_file_is_made_with_its_directories(level):
    assert await change(level, "a/b/c.txt", "", "new\n") == ("Created a/b/c.txt.", False)
    assert await content(level, "a/b/c.txt") == b"new\n"


async def test_a_file_that_is_there_is_not_overwritten(level):
    said, is_error = await change(level, "seed", "", "new")
    assert (said, is_error) == ("Not done: the file is there already.", True)


@pytest.mark.fast
@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../x", "a/../../x", "", "dir/", ".git/config", "a/.GIT/hooks/x", "a\nb"]
)
def test_a_path_that_looks_wrong_is_refused_before_anything_runs(path):
    assert edit.refusal(path)


@pytest.mark.fast
@pytest.mark.parametrize("path", ["a", "a/b.c", ".github/x", "-n", "a..b", "...", "git/x"])
def test_an_ordinary_path_is_not(path):
    assert edit.refusal(path) == ""


async def test_a_refused_path_is_an_error_for_the_model(level):
    assert await change(level, "../x", "", "x") == (
        "The path must be relative to the checkout and may not contain `..`.",
        True,
    )


async def test_no_directory_is_made_through_a_link(level):
    sandbox, checkout = level
    await sh(sandbox, checkout, "mkdir elsewhere; ln -s elsewhere out")
    assert (await change(level, "out/made/x", "", "x"))[1]
    assert (await sh(sandbox, checkout, "ls elsewhere")).output == b""


@pytest.mark.parametrize(
    "link", ["ln -s /tmp out", "ln -s .. out", "ln -s /proc/self out", "ln -s /proc/self/cwd/.. out"]
)
async def test_a_directory_link_out_of_the_checkout_is_refused(level, link):
    sandbox, checkout = level
    await sh(sandbox, checkout, link)
    for old in ("", "x"):
        said, is_error = await change(level, "out/made-by-edit", old, "x")
        assert is_error
        assert "leaves the checkout" in said or "symbolic link" in said


async def test_a_file_link_is_refused_even_when_it_stays_inside(level):
    sandbox, checkout = level
    await sh(sandbox, checkout, "ln -s seed link")
    assert await change(level, "link", "seed", "x") == ("Not done: it is a symbolic link.", True)


async def test_what_is_no_file_is_refused(level):
    sandbox, checkout = level
    await sh(sandbox, checkout, "mkfifo pipe")
    assert await change(level, "pipe", "a", "b") == ("Not done: it is not a regular file.", True)


async def test_a_link_made_by_a_worker_does_not_lead_an_edit_into_the_engine(level, tmp_path):
    sandbox, checkout = level
    victim = tmp_path / "victim"
    victim.write_text("engine\n")
    victim.chmod(0o666)
    await sh(sandbox, checkout, f"ln -s {tmp_path} out; ln -s {victim} file")
    await change(level, "out/victim", "engine", "owned")
    await change(level, "file", "engine", "owned")
    assert victim.read_text() == "engine\n"


async def test_a_command_shows_how_it_ended_and_its_output(level):
    sandbox, checkout = level
    said, is_error = await bash.run(
        {"command": "echo hi; exit 3", "timeout": 5}, sandbox=sandbox, checkout=checkout, **LIMITS
    )
    assert said.startswith("[exit code 3, ")
    assert said.endswith("s]\nhi\n")
    assert not is_error


async def test_a_flood_is_shown_head_and_tail_with_its_digest(level):
    sandbox, checkout = level
    said, _ = await bash.run({"command": "seq 1 100000", "timeout": 20}, sandbox=sandbox, checkout=checkout, **LIMITS)
    assert len(said) < bash.SHOWN_BYTES + 400
    assert "572895 of 588895 bytes left out; sha256 of all " in said
    assert said.endswith("99999\n100000\n")


class TestExport:
    """A pack and a tree leave the sandbox; the engine's own git can read them."""

    @pytest.fixture
    def mirror(self, tmp_path: Path) -> Path:
        mirror = tmp_path / "mirror"
        mirror.mkdir()
        git(mirror, "init", "-q", "-b", "main")
        (mirror / "seed").write_text("seed\n")
        (mirror / ".gitignore").write_text("*.log\n")
        git(mirror, "add", ".")
        git(mirror, "commit", "-qm", "base")
        return mirror

    @pytest.fixture
    def checkout(self, mirror: Path, bubblewrap: Bubblewrap, tmp_path: Path) -> Checkout:
        made = make_checkout(tmp_path / "c", bubblewrap.owner())
        sha = git(mirror, "rev-parse", "HEAD")
        gitdir = made.upper / ".git"
        git(tmp_path, "clone", "-q", "--shared", "--no-checkout", str(mirror), str(tmp_path / "clone"))
        (tmp_path / "clone/.git").rename(gitdir)
        objects = mirror / ".git/objects"
        (gitdir / "objects/info/alternates").write_text(f"{objects}\n")
        (made.base / ".gitignore").write_text("*.log\n")
        git(made.base, f"--git-dir={gitdir}", "--work-tree=.", "read-tree", sha)
        uid, gid = bubblewrap.owner()
        for path in (made.base, made.upper, *made.base.rglob("*"), *made.upper.rglob("*")):
            os.chown(path, uid, gid)
        return Checkout(made.key, made.repo, sha, made.base, made.upper, made.scratch, made.home, objects)

    def imported(self, mirror: Path, pack: bytes) -> None:
        argv = ["git", "index-pack", "--strict", "--fix-thin", "--stdin"]
        subprocess.run(argv, cwd=mirror, input=pack, check=True, capture_output=True)

    async def test_what_was_changed_is_in_the_pack_and_what_git_ignores_is_not(self, mirror, checkout, bubblewrap):
        await sh(bubblewrap, checkout, "echo more >> seed; mkdir d; echo new > d/new; echo noise > x.log")
        out = await export(bubblewrap, checkout)
        self.imported(mirror, out.pack)
        assert git(mirror, "ls-tree", "-r", "--name-only", out.tree).split() == [".gitignore", "d/new", "seed"]
        assert git(mirror, "show", f"{out.tree}:seed") == "seed\nmore"

    async def test_what_the_worker_committed_counts_as_well(self, mirror, checkout, bubblewrap):
        script = (
            "echo x > made; git add made; git -c user.name=w -c user.email=w@example.invalid commit -qm mine; rm seed"
        )
        await sh(bubblewrap, checkout, script)
        out = await export(bubblewrap, checkout)
        self.imported(mirror, out.pack)
        assert git(mirror, "ls-tree", "-r", "--name-only", out.tree).split() == [".gitignore", "made"]

    async def test_the_pack_holds_only_what_the_base_lacks(self, checkout, bubblewrap):
        await sh(bubblewrap, checkout, "echo new > new")
        out = await export(bubblewrap, checkout)
        assert int.from_bytes(out.pack[8:12], "big") == 2  # a blob and the tree

    async def test_nothing_changed_is_an_empty_pack_and_the_base_s_tree(self, mirror, checkout, bubblewrap):
        out = await export(bubblewrap, checkout)
        assert out.pack == b""
        assert out.tree == git(mirror, "rev-parse", "HEAD^{tree}")

    async def test_the_worker_s_own_index_is_left_as_it_was(self, checkout, bubblewrap):
        await sh(bubblewrap, checkout, "echo new > new")
        await export(bubblewrap, checkout)
        assert (await sh(bubblewrap, checkout, "git status --short")).output == b"?? new\n"

    async def test_an_index_that_was_broken_does_not_matter(self, mirror, checkout, bubblewrap):
        await sh(bubblewrap, checkout, "echo new > new; echo rubbish > .git/index")
        out = await export(bubblewrap, checkout)
        self.imported(mirror, out.pack)
        assert "new" in git(mirror, "ls-tree", "--name-only", out.tree).split()

    async def test_a_repository_that_was_broken_is_said_plainly(self, checkout, bubblewrap):
        await sh(bubblewrap, checkout, "rm -rf .git/objects .git/HEAD")
        with pytest.raises(Permanent, match="could not be read"):
            await export(bubblewrap, checkout)

    async def test_too_much_is_refused(self, checkout, bubblewrap):
        await sh(bubblewrap, checkout, "head -c 2000000 /dev/urandom > big")
        with pytest.raises(Permanent, match="passed a limit"):
            await export(bubblewrap, checkout, limit=1_000_000)
