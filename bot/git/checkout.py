"""Checkouts: one immutable base per SHA, and per worker a git directory, home and overlay directories of its own.

The engine writes these once and never runs git in them again: from then on they are the worker's, and hostile.
"""

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.git.names import Layout, folded, oid
from bot.git.remove import remove_tree
from bot.git.run import Runner
from bot.ports import Checkout, Permanent

BRANCH = "refs/heads/work"
OPENED = "opened.json"
KEPT_BASES = 4


@dataclass(frozen=True, slots=True)
class Ground:
    """What every checkout of this engine has in common."""

    at: Layout
    owner: tuple[int, int] | None
    overlay: bool
    identity: tuple[str, str]


def prepare(ground: Ground) -> None:
    """Make the engine's directories; those with repositories' contents are closed to everybody but us and the worker."""
    home = ground.at.home
    if not home.exists():
        home.mkdir(parents=True)
        home.chmod(0o711)  # whatever our umask is: the worker passes through
    for name in ("mirrors", "bases", "checkouts", "quarantine", "tmp", "locks", "empty"):
        directory = home / name
        directory.mkdir(exist_ok=True)
        directory.chmod(0o700)
        if ground.owner and name in ("mirrors", "bases", "checkouts") and os.geteuid() == 0:
            os.chown(directory, -1, ground.owner[1])
            directory.chmod(0o710)


def ensure_base(git: Runner, ground: Ground, repo: str, *, sha: str) -> Path:
    """The base of a SHA, complete; call it under the repository's lock. What a crash left half done is done again."""
    place = ground.at.bases(repo) / oid(sha)
    if is_complete(place):
        return place
    remove_tree(place, tool_path=git.path)
    files = place / "files"
    make_passable(files, ground.at.home)
    mirror = ground.at.mirror(repo)
    env = {"GIT_INDEX_FILE": str(place / "index"), "GIT_WORK_TREE": str(files)}
    git(mirror, "read-tree", sha, env=env, timeout=600.0)
    # -u writes stat data into the index, which is what lets a worker's `git status` trust the files without reading them
    git(mirror, "checkout-index", "--all", "--force", "--quiet", "-u", env=env, timeout=1800.0)
    _give(files, ground.owner)
    (place / "done").touch()
    _evict(git, ground, repo)
    return place


def is_complete(place: Path) -> bool:
    """Whether a base was finished."""
    return (place / "done").exists()


def open_checkout(git: Runner, ground: Ground, repo: str, *, sha: str, key: str) -> Checkout:
    """Open or reopen a checkout over a base that is complete. A finished one of the same SHA keeps what its worker did."""
    place = ground.at.checkout(repo, key)
    checkout = _described(ground, repo, sha=sha, key=key)
    os.utime(checkout.base.parent / "done")  # bases go by last use
    if _opened_at(place) == sha:
        return checkout
    remove_tree(place, tool_path=git.path)
    for directory in (checkout.upper, checkout.scratch, checkout.home):
        make_passable(directory, ground.at.home)
    top = checkout.upper
    if checkout.copy is not None:
        top = checkout.copy
        shutil.copytree(checkout.base, top, symlinks=True)
    _write_git_dir(ground, top / ".git", checkout, algorithm="sha256" if len(sha) == 64 else "sha1")
    for directory in (checkout.upper, checkout.scratch, checkout.home, *((top,) if checkout.copy else ())):
        _give(directory, ground.owner)
    draft = place / (OPENED + ".new")
    draft.write_text(json.dumps({"sha": sha, "key": key, "repo": folded(repo)}))
    draft.rename(place / OPENED)
    return checkout


def close_checkout(git: Runner, ground: Ground, checkout: Checkout) -> None:
    """Remove everything of a checkout; the base stays. The paths come from the key, never from the value handed in."""
    place = ground.at.checkout(checkout.repo, checkout.key)
    # the marker goes first: a removal that is cut short must not look like a checkout that can be reopened
    (place / OPENED).unlink(missing_ok=True)
    remove_tree(place, tool_path=git.path)


def left(ground: Ground) -> list[Path]:
    """Every checkout there is, half made and half removed ones included."""
    return sorted(ground.at.home.glob("checkouts/*/*/*"))


def sweep_one(git: Runner, place: Path, keep: Callable[[str], bool]) -> None:
    """Remove a checkout unless its key is kept; call it under its lock, where one without a marker is nobody's."""
    key = _opened(place).get("key", "")
    if key and keep(key):
        return
    (place / OPENED).unlink(missing_ok=True)
    remove_tree(place, tool_path=git.path)


def make_passable(directory: Path, home: Path) -> None:
    """Make a directory whose way the worker may pass whatever our umask is; who else may is decided at the top of `home`."""
    directory.mkdir(parents=True)
    inside = directory.relative_to(home)
    for place in (inside, *inside.parents):
        if len(place.parts) > 1:
            (home / place).chmod(0o755)


def _evict(git: Runner, ground: Ground, repo: str) -> None:
    """Remove bases that no checkout stands on and nobody asked for in a day, but the newest few."""
    used = {_opened_at(place) for place in ground.at.checkouts(repo).glob("*")}
    aged = sorted((done.stat().st_mtime, done.parent) for done in ground.at.bases(repo).glob("*/done"))
    for last_use, base in aged[:-KEPT_BASES]:
        if base.name not in used and last_use < time.time() - 86_400:
            (base / "done").unlink()
            remove_tree(base, tool_path=git.path)


def _described(ground: Ground, repo: str, *, sha: str, key: str) -> Checkout:
    place = ground.at.checkout(repo, key)
    return Checkout(
        key=key,
        repo=repo,
        sha=oid(sha),
        base=ground.at.bases(repo) / sha / "files",
        upper=place / "upper",
        scratch=place / "scratch",
        home=place / "home",
        objects=ground.at.mirror(repo) / "objects",
        copy=None if ground.overlay else place / "copy",
    )


def _opened_at(place: Path) -> str:
    return _opened(place).get("sha", "")


def _opened(place: Path) -> dict[str, str]:
    """What the marker of a finished checkout says; empty where there is none."""
    try:
        return dict(json.loads((place / OPENED).read_text()))
    except (OSError, ValueError):
        return {}


def _write_git_dir(ground: Ground, gitdir: Path, checkout: Checkout, *, algorithm: str) -> None:
    """What `clone --shared --no-checkout` would leave, without its remote and without running git: a few small files."""
    name, email = ground.identity
    for directory in ("objects/info", "objects/pack", "refs/heads", "info"):
        (gitdir / directory).mkdir(parents=True)
    version, extension = ("1", "[extensions]\n\tobjectformat = sha256\n") if algorithm == "sha256" else ("0", "")
    (gitdir / "config").write_text(
        f"[core]\n\trepositoryformatversion = {version}\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n"
        "\tcheckStat = minimal\n\ttrustctime = false\n\tuntrackedCache = false\n"
        f'[gc]\n\tauto = 0\n[user]\n\tname = "{_quoted(name)}"\n\temail = "{_quoted(email)}"\n{extension}'
    )
    (gitdir / "objects/info/alternates").write_text(f"{checkout.objects}\n")
    (gitdir / BRANCH).write_text(f"{checkout.sha}\n")
    (gitdir / "HEAD").write_text(f"ref: {BRANCH}\n")
    shutil.copyfile(checkout.base.parent / "index", gitdir / "index")


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


def _give(top: Path, owner: tuple[int, int] | None) -> None:
    """Hand a tree to the worker, user AND group: an overlay can't copy up a file of a group that its namespace doesn't map."""
    if owner is None or owner == (os.geteuid(), os.getegid()):
        return
    try:
        for directory, _, names in os.walk(top):
            os.lchown(directory, *owner)
            for name in names:
                os.lchown(os.path.join(directory, name), *owner)
            # links to directories are listed among the directories, and are not walked into
            for entry in os.scandir(directory):
                if entry.is_symlink():
                    os.lchown(entry.path, *owner)
    except PermissionError as error:
        raise Permanent(f"a checkout can't be given to uid {owner[0]}: {error}") from error
