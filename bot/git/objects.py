"""Reading and writing objects of a store of ours: trees, blobs, diffs, commits. No index, no work tree, no attributes."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.core.diff import FileDiff, TreeEntry
from bot.core.policy import ABSENT, GITLINK
from bot.git.names import oid
from bot.git.run import GitFailed, Runner
from bot.ports import Permanent

DIFF = ("diff-tree", "-r", "-z", "--no-commit-id", "--no-ext-diff", "--no-textconv", "--no-color", "--full-index")
_TRAILER = re.compile(r"[A-Za-z][A-Za-z-]*: \S")


@dataclass(frozen=True, slots=True)
class RawDiff:
    """One entry of `diff-tree --raw`, before sizes and counts are known. Paths as bytes: git promises no encoding."""

    path: bytes
    old_path: bytes
    status: str
    old_mode: str
    new_mode: str
    old_oid: str
    new_oid: str


def tree(git: Runner, store: Path, sha: str) -> list[TreeEntry]:
    """Every blob, link and submodule below a commit or tree, sorted by path."""
    listed = git(store, "ls-tree", "-r", "-z", "-l", "--full-tree", oid(sha)).out
    return sorted((_entry(row) for row in listed.split(b"\0") if row), key=lambda entry: entry.path)


def _entry(row: bytes) -> TreeEntry:
    meta, path = row.split(b"\t", 1)
    mode, _, name, size = meta.decode().split()
    return TreeEntry(text(path), mode, name, None if size == "-" else int(size))


def blob(git: Runner, store: Path, sha: str, *, path: str, limit: int) -> bytes | None:
    """A regular file's first `limit` bytes; None where there is none at that path."""
    if "\0" in path or any(part in ("", ".", "..") for part in path.split("/")):
        return None
    listed = git(store, "ls-tree", "-z", "--full-tree", oid(sha), "--", path).out
    rows = [row.split(b"\t", 1) for row in listed.split(b"\0") if row]
    for meta, name in rows:
        mode, _, found = meta.decode().split()
        if text(name) == path and mode in ("100644", "100755", "100664"):
            return git(store, "cat-file", "blob", found, limit=limit, clip=True).out
    return None


def raw_diff(
    git: Runner, store: Path, old: str, new: str, *, most: int, renames: bool, timeout: float = 120.0
) -> list[RawDiff]:
    """The raw difference of two trees or commits. Raises GitFailed(why="output") past `most` KiB of entries."""
    rename = "--find-renames=100%" if renames else "--no-renames"
    out = git(store, *DIFF, "--raw", rename, oid(old), oid(new), limit=most * 1024, timeout=timeout).out
    return list(_raw(iter(out.split(b"\0")[:-1])))


def _raw(fields: Iterator[bytes]) -> Iterator[RawDiff]:
    for head in fields:
        old_mode, new_mode, old_oid, new_oid, status = head.decode().lstrip(":").split(" ")
        first = next(fields)
        path, old_path = (next(fields), first) if status[0] in "RC" else (first, b"")
        yield RawDiff(path, old_path, status[0], old_mode, new_mode, old_oid, new_oid)


def sizes(git: Runner, store: Path, oids: Sequence[str]) -> dict[str, int]:
    """Size in bytes of each blob. Raises Permanent for one that is missing or is no blob."""
    asked = "".join(f"{oid(name)}\n" for name in dict.fromkeys(oids))
    listed = git(store, "cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)", stdin=asked.encode()).out
    found: dict[str, int] = {}
    for name, kind, *size in (row.split(" ") for row in listed.decode().splitlines()):
        if kind != "blob":
            raise Permanent(f"object {name} is {kind}, not a blob")
        found[name] = int(size[0])
    return found


def files(
    git: Runner, store: Path, *, old: str, new: str, raw: Sequence[RawDiff], timeout: float = 120.0
) -> tuple[FileDiff, ...]:
    """Raw entries with sizes and line counts."""
    known = sizes(git, store, [entry.new_oid for entry in raw if entry.new_mode not in (ABSENT, GITLINK)])
    counts = _counts(git, store, old, new, renames=any(entry.old_path for entry in raw), timeout=timeout)
    return tuple(
        FileDiff(
            path=text(entry.path),
            old_path=text(entry.old_path),
            status=entry.status,
            old_mode=entry.old_mode,
            new_mode=entry.new_mode,
            added=counts.get(entry.path, (0, 0))[0],
            removed=counts.get(entry.path, (0, 0))[1],
            new_size=known.get(entry.new_oid, 0),
        )
        for entry in raw
    )


def _counts(
    git: Runner, store: Path, old: str, new: str, *, renames: bool, timeout: float
) -> dict[bytes, tuple[int | None, int | None]]:
    rename = "--find-renames=100%" if renames else "--no-renames"
    fields = iter(git(store, *DIFF, "--numstat", rename, oid(old), oid(new), timeout=timeout).out.split(b"\0")[:-1])
    found: dict[bytes, tuple[int | None, int | None]] = {}
    for field in fields:
        added, removed, path = field.split(b"\t", 2)
        if not path:  # a rename: the old and the new name follow as fields of their own
            next(fields)
            path = next(fields)
        found[path] = (None, None) if added == b"-" else (int(added), int(removed))
    return found


def patch(git: Runner, store: Path, old: str, new: str, *, limit: int) -> str:
    """The unified diff, clipped at a line's end below `limit` bytes with a last line that says so."""
    options = [option for option in DIFF if option not in ("-z", "--full-index")]
    done = git(store, *options, "-p", "--find-renames=100%", oid(old), oid(new), limit=limit, clip=True)
    shown = done.out.decode(errors="replace")
    if not done.clipped:
        return shown
    return shown[: shown.rfind("\n") + 1] + f"[the diff is longer than {limit} bytes and was cut here]\n"


def overlay_tree(git: Runner, store: Path, *, head: str, base: str, paths: Sequence[str]) -> str:
    """`head`'s tree with `paths` (files or directories, taken literally) as they stand at `base`."""
    with TemporaryDirectory(prefix="index-", dir=git.empty.parent / "tmp") as scratch:
        env = {"GIT_INDEX_FILE": f"{scratch}/index"}
        git(store, "read-tree", oid(head), env=env)
        if paths:
            gone = git(store, "ls-tree", "-r", "-z", "--full-tree", oid(head), "--", *paths).out
            back = git(store, "ls-tree", "-r", "-z", "--full-tree", oid(base), "--", *paths).out
            zero = b"0 " + b"0" * len(head) + b"\t"
            rows = [zero + row.split(b"\t", 1)[1] for row in gone.split(b"\0") if row]
            rows += [row for row in back.split(b"\0") if row]
            if rows:
                update = ("update-index", "--add", "--replace", "-z", "--index-info")
                git(store, *update, stdin=b"\0".join(rows) + b"\0", env=env)
        return oid(git(store, "write-tree", env=env).out.decode().strip())


def commit(
    git: Runner,
    store: Path,
    *,
    tree: str,
    parents: Sequence[str],
    message: str,
    at: str,
    identity: tuple[str, str],
) -> str:
    """A commit of ours: identity, dates and message decide its id, so the same input gives the same SHA. `at` is RFC 3339."""
    name, email = identity
    moment = datetime.fromisoformat(at.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise Permanent(f"a commit's time needs a zone: {at!r}")
    date = f"@{int(moment.astimezone(UTC).timestamp())} +0000"
    who = {
        f"GIT_{role}_{field}": value
        for role in ("AUTHOR", "COMMITTER")
        for field, value in (("NAME", name), ("EMAIL", email), ("DATE", date))
    }
    links = [part for parent in parents for part in ("-p", oid(parent))]
    done = git(store, "commit-tree", oid(tree), *links, "-F", "-", stdin=message.replace("\0", "").encode(), env=who)
    return oid(done.out.decode().strip())


def with_co_author(message: str, co_author: str) -> str:
    """The message with a `Co-authored-by` trailer (`Name <address>`), joined to trailers that are there already."""
    body = message.rstrip("\n")
    author = " ".join(co_author.split())
    if not author:
        return body + "\n"
    last = body.rpartition("\n\n")
    trailers = bool(last[0]) and all(_TRAILER.match(line) for line in last[2].splitlines())
    return f"{body}{'' if trailers else chr(10)}\nCo-authored-by: {author}\n"


def exists(git: Runner, store: Path, sha: str, kind: str) -> bool:
    """Whether the store has that object, of that kind."""
    try:
        git(store, "cat-file", "-e", f"{oid(sha)}^{{{kind}}}")
    except GitFailed as failure:
        if failure.why:
            raise
        return False
    return True


def text(path: bytes) -> str:
    """A path as text: bytes that are no UTF-8 show as `\\xNN`, so the text can always be stored and printed."""
    return path.decode(errors="backslashreplace")
