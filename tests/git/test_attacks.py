"""Planted attacks on the engine's git. Each plants something that would create a canary file if it were ever run.

Where an attack lives in configuration, a plain git shows first that the attack is alive; then the engine does all it ever does
to a repository, and the canary must not be there.
"""

import os
import shutil
from pathlib import Path

import pytest

from bot.core.diff import Harvest
from bot.git.adapter import EngineGit
from bot.ports import Checkout, Permanent, UserFacing
from tests.git.forge import POLICY, TOKEN, Forge, line, make_engine, sh

FILES: dict[str, str | bytes] = {
    "src/app.py": "print(1)\n",
    ".gitattributes": "*.py filter=evil diff=evil merge=evil\n",
}


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "canary"


@pytest.fixture
def evil(tmp_path: Path, canary: Path) -> Path:
    """A program that leaves the canary and then behaves like cat."""
    program = tmp_path / "evil"
    program.write_text(f"#!/bin/sh\ntouch {canary}\ncat\n")
    program.chmod(0o755)
    touch = tmp_path / "touch"  # for transports, whose other end would wait for an answer of cat's
    touch.write_text(f"#!/bin/sh\ntouch {canary}\n")
    touch.chmod(0o755)
    return program


async def opened(engine: EngineGit, forge: Forge) -> tuple[Checkout, Path]:
    sha = forge.create("acme/shop", FILES)
    await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN)
    checkout = await engine.checkout("acme/shop", sha, "k")
    assert checkout.copy is not None
    return checkout, checkout.copy


def change(place: Path) -> tuple[bytes, str]:
    """An honest change, exported by a clean git from a clean git directory, as the sandbox's export does."""
    gitdir = place.parent / "export.git"
    if not gitdir.exists():
        shutil.copytree(place / ".git", gitdir)
    (place / "src/app.py").write_text("print(2)\n")
    at = (f"--git-dir={gitdir}", f"--work-tree={place}")
    sh("git", *at, "add", "src/app.py", cwd=place)
    tree = line("git", *at, "write-tree", cwd=place)
    pack = sh(
        "git", *at, "pack-objects", "--revs", "--stdout", "-q", cwd=place, stdin=f"{tree}\n--not\nHEAD\n".encode()
    )
    return pack, tree


async def everything(engine: EngineGit, forge: Forge, checkout: Checkout, pack: bytes, tree: str) -> Harvest:
    """All that the engine ever does around a worker's checkout."""
    await engine.checkout("acme/shop", checkout.sha, checkout.key)
    got = await engine.harvest(checkout, pack, tree, POLICY)
    assert got.problems == ()
    sha = await engine.commit("acme/shop", tree=tree, parents=[checkout.sha], message="Work", at="2026-11-24T09:14:02Z")
    await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN)
    await engine.tree("acme/shop", sha)
    await engine.diff("acme/shop", checkout.sha, sha)
    await engine.patch("acme/shop", checkout.sha, sha)
    await engine.overlay_tree("acme/shop", head=sha, base=checkout.sha, paths=["src"])
    await engine.checkout("acme/shop", sha, "verify")
    await engine.push("acme/shop", sha=sha, branch="agent/1-x", expected="", token=TOKEN)
    await engine.close(checkout)
    return got


GLOBAL = {
    "hooks": ("[core]\n hooksPath = {hooks}\n", ("git", "commit", "-qm", "x", "--allow-empty")),
    "fsmonitor": ("[core]\n fsmonitor = {evil}\n", ("git", "status")),
    "filter": ('[filter "evil"]\n clean = {evil}\n smudge = {evil}\n required = true\n', ("git", "checkout", "-f", "HEAD")),
    "textconv": ('[diff "evil"]\n textconv = {evil} <\n', ("git", "show", "HEAD")),
    "external diff": ("[diff]\n external = {evil}\n", ("git", "diff", "HEAD")),
    "include": ("[include]\n path = {included}\n", ("git", "status")),
    "receivepack": ('[remote "r"]\n url = {remote}\n receivepack = {touch}\n', ("git", "push", "-q", "r", "HEAD:refs/heads/agent/0")),
    "insteadOf": ('[url "ext::{touch} "]\n insteadOf = http://\n[protocol]\n allow = always\n', ("git", "ls-remote", "http://x/")),
    "credential helper": ("[credential]\n helper = !{evil}\n", ("git", "credential", "fill")),
    "attributes": ("[core]\n attributesFile = {attributes}\n[diff \"evil\"]\n textconv = {evil} <\n", ("git", "show", "HEAD")),
}  # fmt: skip


@pytest.mark.parametrize("name", GLOBAL)
async def test_configuration_of_this_machine_is_inert(
    engine: EngineGit,
    forge: Forge,
    tmp_path: Path,
    canary: Path,
    evil: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    checkout, place = await opened(engine, forge)
    pack, tree = change(place)
    config, control = _plant(tmp_path, forge, evil, GLOBAL[name][0]), GLOBAL[name][1]
    as_global = {"GIT_CONFIG_GLOBAL": str(config), "HOME": str(config.parent)}

    scene = tmp_path / "scene"
    shutil.copytree(place, scene)
    sh("git", "checkout", "-q", "--detach", cwd=scene)
    os.utime(scene / "src/app.py", (1, 1))
    (scene / "src/app.py").write_text("print(3)\n")
    sh(*control, cwd=scene, env=as_global, stdin=b"protocol=http\nhost=x\n\n", check=False)
    assert canary.exists(), "the attack itself is dead, so the test would show nothing"
    canary.unlink()

    for variable, value in (
        as_global | {"GIT_CONFIG_SYSTEM": str(config), "XDG_CONFIG_HOME": str(config.parent)}
    ).items():
        monkeypatch.setenv(variable, value)
    other = make_engine(tmp_path / "home", forge.url)
    await everything(other, forge, checkout, pack, tree)

    other.shutdown()
    assert not canary.exists()


def _plant(tmp_path: Path, forge: Forge, evil: Path, template: str) -> Path:
    home = tmp_path / "operator"
    (home / "git").mkdir(parents=True)
    hooks = home / "hooks"
    hooks.mkdir()
    for hook in (
        "pre-commit",
        "post-checkout",
        "post-index-change",
        "reference-transaction",
        "pre-push",
        "post-commit",
        "pre-auto-gc",
    ):
        shutil.copy(evil, hooks / hook)
    (home / "included").write_text(f"[core]\n fsmonitor = {evil}\n")
    (home / "attributes").write_text("* diff=evil filter=evil\n")
    text = template.format(
        hooks=hooks,
        evil=evil,
        touch=evil.with_name("touch"),
        included=home / "included",
        attributes=home / "attributes",
        remote=forge.repo("acme/shop"),
    )
    for name in (".gitconfig", "git/config"):
        (home / name).write_text(text)
    return home / ".gitconfig"


@pytest.mark.parametrize(
    "variables",
    [
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.fsmonitor", "GIT_CONFIG_VALUE_0": "{evil}"},
        {"GIT_CONFIG_PARAMETERS": "'diff.external={evil}'"},
        {"GIT_EXTERNAL_DIFF": "{evil}"},
        {"GIT_SSH_COMMAND": "{evil}", "GIT_PROXY_COMMAND": "{evil}", "GIT_ASKPASS": "{evil}", "GIT_EDITOR": "{evil}"},
        {"GIT_DIR": "/nonexistent", "GIT_WORK_TREE": "/nonexistent", "GIT_INDEX_FILE": "/nonexistent"},
        {"GIT_OBJECT_DIRECTORY": "/nonexistent", "GIT_ALTERNATE_OBJECT_DIRECTORIES": "/nonexistent"},
        {"GIT_EXEC_PATH": "/nonexistent", "GIT_TEMPLATE_DIR": "/nonexistent", "GIT_NAMESPACE": "elsewhere"},
        {"GIT_TRACE": "{canary}", "GIT_TRACE_CURL": "{canary}", "GIT_TRACE2": "{canary}", "GIT_CURL_VERBOSE": "1"},
        {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"},
    ],
    ids=lambda variables: next(iter(variables)),
)
async def test_the_environment_of_this_process_is_inert(
    forge: Forge, tmp_path: Path, canary: Path, evil: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    engine = make_engine(tmp_path / "home", forge.url)
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(evil=evil, canary=canary))

    checkout, place = await opened(engine, forge)
    pack, tree = change(place)
    await everything(engine, forge, checkout, pack, tree)

    engine.shutdown()
    assert not canary.exists()


async def test_hooks_and_fsmonitor_in_the_mirror_itself_are_inert(
    engine: EngineGit, forge: Forge, tmp_path: Path, canary: Path, evil: Path
) -> None:
    checkout, place = await opened(engine, forge)
    pack, tree = change(place)
    mirror = tmp_path / "home/mirrors/acme/shop.git"
    (mirror / "hooks").mkdir()
    for hook in (
        "reference-transaction",
        "post-index-change",
        "pre-push",
        "post-checkout",
        "post-merge",
        "pre-auto-gc",
    ):
        shutil.copy(evil, mirror / "hooks" / hook)
    sh("git", "config", "core.fsmonitor", str(evil), cwd=mirror)
    sh("git", "update-ref", "refs/x", checkout.sha, cwd=mirror)
    assert canary.exists()
    canary.unlink()

    await everything(engine, forge, checkout, pack, tree)

    assert not canary.exists()


WORKERS = {
    "hooks": lambda git, evil: [shutil.copytree(_hooks(git.parent.parent, evil), git / "hooks")],
    "fsmonitor": lambda git, evil: _append(git, f"[core]\n fsmonitor = {evil}\n"),
    "hooksPath": lambda git, evil: _append(git, f"[core]\n hooksPath = {_hooks(git.parent.parent, evil)}\n"),
    "filter": lambda git, evil: _append(
        git, f'[filter "evil"]\n clean = {evil}\n smudge = {evil}\n process = {evil}\n'
    ),
    "textconv": lambda git, evil: _append(git, f'[diff "evil"]\n textconv = {evil} <\n command = {evil}\n'),
    "include": lambda git, evil: [
        (git / "inc").write_text(f"[core]\n fsmonitor = {evil}\n"),
        _append(git, "[include]\n path = inc\n"),
    ],
    "insteadOf": lambda git, evil: _append(
        git, f'[url "ext::{evil} "]\n insteadOf = http://\n[protocol]\n allow = always\n'
    ),
    "receivepack": lambda git, evil: _append(
        git, f'[remote "origin"]\n url = /\n receivepack = {evil}\n uploadpack = {evil}\n'
    ),
    "alternates": lambda git, evil: (git / "objects/info/alternates").write_text("/nonexistent/objects\n"),
    "alternates command": lambda git, evil: _append(git, f"[core]\n alternateRefsCommand = {evil}\n"),
    "core.worktree": lambda git, evil: _append(git, "[core]\n worktree = /\n"),
    "gitfile swap": lambda git, evil: [shutil.rmtree(git), git.write_text("gitdir: /proc/self/cwd\n")],
    "git directory as a link": lambda git, evil: [git.rename(git.parent.parent / "moved"), git.symlink_to("/")],
    "nested repository": lambda git, evil: shutil.copytree(git, git.parent / "src/.git"),
    "grafts": lambda git, evil: (git / "info/grafts").write_text("1" * 40 + "\n"),
    "attributes": lambda git, evil: (git / "info/attributes").write_text("* filter=evil diff=evil\n"),
    "no git directory": lambda git, evil: shutil.rmtree(git),
    "a directory that can't be entered": lambda git, evil: git.chmod(0),
}


def _append(git: Path, text: str) -> None:
    (git / "config").write_text((git / "config").read_text() + text)


def _hooks(beside: Path, evil: Path) -> Path:
    hooks = beside / "planted-hooks"
    hooks.mkdir()
    for hook in ("pre-commit", "post-checkout", "post-index-change", "reference-transaction", "pre-push"):
        shutil.copy(evil, hooks / hook)
    return hooks


@pytest.mark.parametrize("name", WORKERS)
async def test_what_a_worker_plants_in_its_git_directory_is_inert(
    engine: EngineGit, forge: Forge, canary: Path, evil: Path, name: str
) -> None:
    checkout, place = await opened(engine, forge)
    pack, tree = change(place)
    WORKERS[name](place / ".git", evil)

    await everything(engine, forge, checkout, pack, tree)

    assert not canary.exists()
    assert not place.exists()


async def test_replaced_objects_are_read_as_they_are(engine: EngineGit, forge: Forge, tmp_path: Path) -> None:
    checkout, _ = await opened(engine, forge)
    mirror = tmp_path / "home/mirrors/acme/shop.git"
    real = line("git", "rev-parse", f"{checkout.sha}:src/app.py", cwd=mirror)
    fake = line("git", "hash-object", "-w", "--stdin", cwd=mirror, stdin=b"evil\n")
    sh("git", "replace", real, fake, cwd=mirror)
    assert sh("git", "cat-file", "blob", real, cwd=mirror) == b"evil\n"

    assert await engine.blob("acme/shop", checkout.sha, "src/app.py") == b"print(1)\n"


async def test_replacements_on_the_remote_are_not_fetched(engine: EngineGit, forge: Forge, tmp_path: Path) -> None:
    sha = forge.create("acme/shop", FILES)
    sh("git", "replace", "--graft", sha, cwd=forge.repo("acme/shop"), check=False)

    await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN)

    refs = line("git", "for-each-ref", "--format=%(refname)", cwd=tmp_path / "home/mirrors/acme/shop.git").split("\n")
    assert [ref for ref in refs if not ref.startswith("refs/fetched/")] == []


async def test_attributes_cannot_hide_a_change_from_the_diff(engine: EngineGit, forge: Forge) -> None:
    old = forge.create("acme/shop", {".gitattributes": "*.py -diff\n* -text\n", "src/app.py": "print(1)\n"})
    new = forge.commit("acme/shop", {"src/app.py": "print(2)\n"})
    await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN)

    assert "+print(2)" in await engine.patch("acme/shop", old, new)
    assert [(f.added, f.removed) for f in await engine.diff("acme/shop", old, new)] == [(1, 1)]


async def test_a_large_file_pointer_stays_a_pointer(engine: EngineGit, forge: Forge) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 1\n"
    sha = forge.create(
        "acme/shop", {".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "big.bin": pointer}
    )
    await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN)

    checkout = await engine.checkout("acme/shop", sha, "k")

    assert (checkout.base / "big.bin").read_text() == pointer


@pytest.mark.parametrize(
    ("path", "url"), [("x", "--upload-pack=touch x"), ("x", "ext::sh -c touch% x"), ("-x", "https://example.com/x")]
)
async def test_a_submodule_file_that_smuggles_a_command_keeps_the_repository_out(
    engine: EngineGit, forge: Forge, path: str, url: str
) -> None:
    forge.create("acme/shop", {".gitmodules": f'[submodule "x"]\n\tpath = {path}\n\turl = {url}\n'})

    if url.startswith("ext"):  # no rule of fsck names it, and nothing ever follows it
        await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN)
        return
    with pytest.raises(UserFacing) as told:
        await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN)
    assert "git calls broken" in told.value.message


async def test_submodules_are_not_followed(engine: EngineGit, forge: Forge) -> None:
    forge.create("acme/other", {"x": "x"})
    forge.create("acme/shop", {".gitmodules": f'[submodule "o"]\n\tpath = o\n\turl = {forge.url}/acme/other.git\n'})
    bare = forge.repo("acme/shop")
    tree = sh("git", "ls-tree", "main", cwd=bare).decode() + f"160000 commit {forge.head('acme/other', 'main')}\to\n"
    sha = line("git", "commit-tree", line("git", "mktree", cwd=bare, stdin=tree.encode()), "-m", "x", cwd=bare)
    sh("git", "update-ref", "refs/heads/main", sha, cwd=bare)

    await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN)
    checkout = await engine.checkout("acme/shop", sha, "k")

    assert list((checkout.base / "o").iterdir()) == []
    assert not any("acme/other" in path for path, _ in forge.seen)


@pytest.mark.parametrize(
    "base",
    [
        "ext::sh -c touch",
        "file:///tmp",
        "ssh://git@example.com",
        "git://example.com",
        "http://example.com",
        "https://user:pass@example.com",
        "/tmp",
    ],
)
def test_only_https_or_a_loopback_host_can_be_the_remote(tmp_path: Path, base: str) -> None:
    with pytest.raises(UserFacing):
        make_engine(tmp_path / "home", base)


@pytest.mark.parametrize(
    "repo",
    ["acme", "acme/../x", "acme/..", "../x", "acme/shop/x", "-c/x", "acme/sh op", "acme/shop\n", "", "acme/", "/x"],
)
async def test_only_plain_repository_names_reach_a_path_or_a_url(engine: EngineGit, repo: str) -> None:
    with pytest.raises(Permanent):
        await engine.fetch(repo, ["refs/heads/main"], TOKEN)
