"""What a worker made comes in here, and only here: a strict import into a fresh store, policy, and then our own store.

Nothing of the worker's git directory is opened: the pack is bytes, the tree a name.
"""

import os
import uuid
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bot.core.diff import FileDiff, Harvest
from bot.core.policy import ABSENT, GITLINK, SCRIPTED, Judgement, Policy, fold, judge, scripts_differ, show
from bot.git import objects
from bot.git.names import Layout, oid
from bot.git.remove import remove_tree
from bot.git.run import GitFailed, Runner
from bot.ports import Permanent

TIMEOUT = 120.0
MEMORY_MB = 1024
"""What git may allocate here: diff-tree lists a bomb's paths in memory before it prints the first."""
RAW_KIB = 4096
"""Raw diff entries that are read at most: about 25,000, far above any policy's count of files."""


class Refused(Exception):
    """The import is refused; the argument is a sentence for a person."""


def harvest(git: Runner, at: Layout, repo: str, *, base: str, pack: bytes, tree: str, policy: Policy) -> Harvest:
    """Import `pack`, judge `tree` against the commit `base`, and take the objects over if nothing speaks against it."""
    git = replace(git, memory_mb=MEMORY_MB)
    mirror = at.mirror(repo)
    try:
        new = oid(tree)
    except Permanent:
        return Harvest(tree="", files=(), problems=("The worker named no valid tree.",))
    with _quarantine(git, at, mirror) as store:
        try:
            _index(git, store, pack, most=_most_bytes(policy))
            _connect(git, store, new, base)
            files, judgement = _judge(git, store, old=base, new=new, policy=policy)
        except Refused as refusal:
            return Harvest(tree=new, files=(), problems=(str(refusal),))
        except GitFailed as failure:
            if _is_ours(failure):
                raise
            return Harvest(tree=new, files=(), problems=(f"The change can't be judged: {_reason(failure)}.",))
        if not judgement.problems:
            _migrate(git, store, mirror, new=new, base=base)
    return Harvest(new, files, judgement.problems, judgement.held, judgement.warned)


def _most_bytes(policy: Policy) -> int:
    """Room for every file that policy admits at its largest would be far too much; the patch's cap and its trees are enough."""
    return (policy.max_patch_kb + 4096) * 1024


@contextmanager
def _quarantine(git: Runner, at: Layout, mirror: Path) -> Generator[Path]:
    """A fresh bare store that borrows the mirror's objects and is gone afterwards, whatever happened."""
    store = at.quarantine / uuid.uuid4().hex
    try:
        for directory in ("objects/info", "objects/pack", "refs"):
            (store / directory).mkdir(parents=True)
        (store / "objects/info/alternates").write_text(f"{mirror / 'objects'}\n")
        (store / "HEAD").write_text("ref: refs/heads/unborn\n")
        (store / "config").write_bytes((mirror / "config").read_bytes())
        yield store
    finally:
        remove_tree(store, tool_path=git.path)


def _index(git: Runner, store: Path, pack: bytes, *, most: int) -> None:
    if not pack:
        return
    if len(pack) > most:
        raise Refused(f"The worker's change is {len(pack) // 1024} KiB packed; the limit is {most // 1024} KiB.")
    strict = ("index-pack", "--strict", "--stdin", "--fix-thin", f"--max-input-size={most}")
    _contained(git, store, *strict, stdin=pack, what="The worker's objects did not pass git's strict check")


def _connect(git: Runner, store: Path, new: str, base: str) -> None:
    """Everything that the tree needs is there, of the kind it should be. The base's own objects are known to be."""
    if not objects.exists(git, store, new, "tree") or _kind(git, store, new) != "tree":
        raise Refused("The worker's tree is not among the objects that it handed over.")
    walk = ("rev-list", "--objects", "--quiet", new, "--not", f"{base}^{{tree}}")
    _contained(git, store, *walk, what="The worker's objects are not complete")


def _kind(git: Runner, store: Path, name: str) -> str:
    return git(store, "cat-file", "-t", name).out.decode().strip()


def _judge(git: Runner, store: Path, *, old: str, new: str, policy: Policy) -> tuple[tuple[FileDiff, ...], Judgement]:
    """Policy in three passes, each cheap enough for what the one before let through: entries, sizes, then contents."""
    try:
        raw = objects.raw_diff(git, store, old, new, most=RAW_KIB, renames=False, timeout=TIMEOUT)
    except GitFailed as failure:
        if _is_ours(failure):
            raise
        raise Refused("The change lists more files, or deeper folders, than can be judged.") from failure
    if len(raw) > policy.max_files:
        raise Refused(f"The change touches {len(raw)} files; the limit is {policy.max_files}.")
    for entry in raw:
        _decodable(entry.path)
    try:
        known = objects.sizes(git, store, [e.new_oid for e in raw if e.new_mode not in (ABSENT, GITLINK)])
    except Permanent as confusion:  # a tree or a commit where the mode says file
        raise Refused("The change lists as a file what is no file.") from confusion
    rough = tuple(_rough(entry, known) for entry in raw)
    judgement = judge(policy, rough)
    if judgement.problems:
        return rough, judgement
    files = objects.files(git, store, old=old, new=new, raw=raw, timeout=TIMEOUT)
    size = _patch_bytes(git, store, old, new, most=policy.max_patch_kb * 1024)
    size += sum(file.new_size for file in files if file.added is None)
    return files, judge(policy, files, patch_bytes=size, scripts=_script_changes(git, store, raw))


def _decodable(path: bytes) -> None:
    try:
        path.decode()
    except UnicodeDecodeError:
        raise Refused(f"{show(objects.text(path))} has a name that is not UTF-8.") from None


def _rough(entry: objects.RawDiff, known: dict[str, int]) -> FileDiff:
    return FileDiff(
        path=entry.path.decode(),
        old_path="",
        status=entry.status,
        old_mode=entry.old_mode,
        new_mode=entry.new_mode,
        added=None,
        removed=None,
        new_size=known.get(entry.new_oid, 0),
    )


def _patch_bytes(git: Runner, store: Path, old: str, new: str, *, most: int) -> int:
    options = [option for option in objects.DIFF if option != "-z"]
    return len(git(store, *options, "-p", "--no-renames", old, new, limit=most + 1, clip=True, timeout=TIMEOUT).out)


def _script_changes(git: Runner, store: Path, raw: Sequence[objects.RawDiff]) -> list[str]:
    """Manifests whose scripts are not what they were."""
    changed = []
    for entry in raw:
        path = entry.path.decode()
        if fold(path).rpartition("/")[2] in SCRIPTED:
            old, new = (_content(git, store, name) for name in (entry.old_oid, entry.new_oid))
            if scripts_differ(path, old, new):
                changed.append(path)
    return changed


def _content(git: Runner, store: Path, name: str) -> bytes | None:
    return git(store, "cat-file", "blob", name, limit=8 * 1024 * 1024).out if name.strip("0") else None


def _migrate(git: Runner, store: Path, mirror: Path, *, new: str, base: str) -> None:
    """Take over what the tree needs and the base lacks: what else the pack held stays behind and is removed."""
    asked = f"{new}\n--not\n{base}^{{tree}}\n".encode()
    out = store / "out"
    out.mkdir()
    packed = git(store, "pack-objects", "--revs", "--quiet", str(out / "pack"), stdin=asked, timeout=TIMEOUT).out
    name = f"pack-{packed.decode().strip()}"
    if not (out / f"{name}.pack").exists():  # nothing new: an empty pack is not written
        return
    for suffix in (".pack", ".idx"):  # git looks for the .idx, so it comes last
        target = mirror / "objects/pack" / (name + suffix)
        if not target.exists():
            os.rename(out / (name + suffix), target)


def _contained(git: Runner, store: Path, *args: str, what: str, stdin: bytes = b"") -> None:
    """Run git on hostile objects: bounded memory and time, and a failure of any kind is a refusal, a crash of git included."""
    try:
        git(store, *args, stdin=stdin, timeout=TIMEOUT)
    except GitFailed as failure:
        if _is_ours(failure):
            raise
        raise Refused(f"{what}: {_reason(failure)}.") from failure


def _is_ours(failure: GitFailed) -> bool:
    """Whether it says nothing about the change: we stopped it, or our disk is full."""
    return failure.why == "stopped" or "No space left on device" in failure.error


def _reason(failure: GitFailed) -> str:
    """Git's first complaint, which names object ids and rules; names that a worker chose are made harmless."""
    if failure.why == "timeout":
        return "it took too long"
    if failure.code < 0 or failure.why:
        return "git could not process them within its limits"
    line = next((row for row in failure.error.splitlines() if row.startswith(("error:", "fatal:"))), "git refused them")
    return show(line.split(":", 1)[-1].strip()).strip("`")
