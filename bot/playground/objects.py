"""One bare repository through plain git, with an environment that reads nobody's configuration."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

ZERO = "0" * 40
_COMMIT_FORMAT = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x00%x01"
_PATCH_CAP = 200_000
_FULL = re.compile(r"[0-9a-f]{40}")
_KNOWN_CAP = 10_000


class GitRefused(Exception):
    """git said no; the text is its standard error."""


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """A commit as git prints it; dates are RFC 3339 with an offset."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: tuple[str, str, str]
    committer: tuple[str, str, str]
    message: str


@dataclass(frozen=True, slots=True)
class TreeRow:
    """One entry of a tree; `size` is None for anything but a blob."""

    mode: str
    type: str
    sha: str
    size: int | None
    path: str


@dataclass(frozen=True, slots=True)
class Change:
    """One file of a diff in GitHub's words; `patch` is None for binary and oversized files."""

    path: str
    status: str
    sha: str
    added: int
    removed: int
    patch: str | None
    previous: str | None


def clean_environment() -> dict[str, str]:
    """PATH, and switches that shut out configuration, prompts and locale."""
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
        "TZ": "UTC",
    }


class GitRepository:
    """The bare repository at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[tuple[str, ...], Any] = {}

    def _once(self, key: tuple[str, ...], find: Callable[[], T]) -> T:
        """What follows from full SHAs alone never changes: found once."""
        if not all(_FULL.fullmatch(part) for part in key[1:]):
            return find()
        if key not in self._known:
            if len(self._known) >= _KNOWN_CAP:
                self._known.clear()
            self._known[key] = find()
        return self._known[key]

    def run(
        self,
        *args: str,
        stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None,
        ok: Sequence[int] = (0,),
    ) -> bytes:
        """Standard output of `git args`. Raises GitRefused when it ends with a code outside `ok`."""
        command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", "-c", "core.quotePath=false"]
        done = subprocess.run(
            [*command, "--git-dir", str(self.path), *args],
            input=stdin if stdin is not None else b"",
            capture_output=True,
            env=clean_environment() | dict(environment or {}),
            check=False,
        )
        if done.returncode not in ok:
            raise GitRefused(done.stderr.decode("utf-8", "replace").strip())
        return done.stdout

    def text(self, *args: str, environment: Mapping[str, str] | None = None) -> str:
        """The same as stripped text."""
        return self.run(*args, environment=environment).decode("utf-8", "replace").strip()

    def init(self, default_branch: str) -> None:
        """Make the repository; fetching any commit by its SHA is allowed, as on GitHub."""
        self.path.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["git", "init", "-q", "--bare", "-b", default_branch, str(self.path)],
            check=True,
            capture_output=True,
            env=clean_environment(),
        )
        with (self.path / "config").open("a", encoding="utf-8") as config:
            config.write(
                "[http]\n\treceivepack = true\n[uploadpack]\n\tallowAnySHA1InWant = true\n\tallowFilter = true\n"
            )

    # ---- reading

    def resolve(self, revision: str, kind: str = "commit") -> str | None:
        """The full SHA of a branch, tag or SHA, or None."""
        if not revision or revision.startswith("-") or any(c in revision for c in " ~^:?*[\\\n") or ".." in revision:
            return None
        for name in (f"refs/heads/{revision}", revision):
            try:
                return self.text("rev-parse", "--verify", "-q", f"{name}^{{{kind}}}")
            except GitRefused:
                continue
        return None

    def tip(self, ref: str) -> str | None:
        """What a full ref name points at, or None."""
        try:
            return self.text("show-ref", "--verify", "--hash", ref)
        except GitRefused:
            return None

    def refs(self, prefix: str = "refs/") -> list[tuple[str, str, str]]:
        """(name, sha, object type) of every ref that begins with `prefix`, in order."""
        out = self.text("for-each-ref", "--format=%(refname) %(objectname) %(objecttype)")
        rows = [line.split(" ") for line in out.splitlines()]
        return [(name, sha, kind) for name, sha, kind in rows if name.startswith(prefix)]

    def kind(self, sha: str) -> str | None:
        """commit, tree, blob, tag, or None where `sha` is no full SHA of an object here."""
        if not _FULL.fullmatch(sha):
            return None
        try:
            return self.text("cat-file", "-t", sha)
        except GitRefused:
            return None

    def commit(self, sha: str) -> CommitInfo:
        """One commit."""
        return self._once(("commit", sha), lambda: self.log(sha, limit=1)[0])

    def log(
        self, revision: str, *, limit: int, skip: int = 0, options: Sequence[str] = (), path: str = ""
    ) -> list[CommitInfo]:
        """Commits from `revision` (or a range) backwards."""
        args = ["log", f"--format={_COMMIT_FORMAT}", f"--max-count={limit}", f"--skip={skip}", *options, revision, "--"]
        raw = self.run(*args, *([path] if path else [])).decode("utf-8", "replace")
        commits = []
        for record in raw.split("\x00\x01"):
            row = record.lstrip("\n").split("\x00")
            if len(row) < 10:
                continue
            sha, tree, parents, an, ae, ad, cn, ce, cd, message = row[:10]
            commits.append(
                CommitInfo(sha, tree, tuple(parents.split()), (an, ae, ad), (cn, ce, cd), message.rstrip("\n"))
            )
        return commits

    def count(self, old: str, new: str) -> int:
        """How many commits `new` has beyond `old`."""
        return self._once(("count", old, new), lambda: int(self.text("rev-list", "--count", f"{old}..{new}")))

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor."""

        def find() -> str | None:
            out = self.run("merge-base", one, other, ok=(0, 1)).decode().split()
            return out[0] if out else None

        return self._once(("merge-base", one, other), find)

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether `new` holds all of `old`."""
        try:
            self.run("merge-base", "--is-ancestor", old, new)
        except GitRefused:
            return False
        return True

    def tree(self, sha: str, *, recursive: bool = False) -> list[TreeRow]:
        """Entries of a tree, with its subtrees' entries when recursive."""
        args = ["ls-tree", "-z", "-l", *(["-r", "-t"] if recursive else []), sha]
        rows = []
        for line in self.run(*args).decode("utf-8", "surrogateescape").split("\0"):
            if line:
                head, path = line.split("\t", 1)
                mode, kind, entry, size = head.split()
                rows.append(TreeRow(mode, kind, entry, None if size == "-" else int(size), path))
        return rows

    def blob(self, sha: str) -> bytes:
        """A blob's bytes."""
        return self.run("cat-file", "blob", sha)

    def entry(self, revision: str, path: str) -> TreeRow | None:
        """What stands at `path`, or None."""
        rows = [
            line
            for line in self.run("ls-tree", "-z", "-l", revision, "--", path).decode("utf-8", "replace").split("\0")
            if line
        ]
        if not rows:
            return None
        head, name = rows[0].split("\t", 1)
        mode, kind, sha, size = head.split()
        return TreeRow(mode, kind, sha, None if size == "-" else int(size), name) if name == path else None

    def incoming(self) -> dict[str, str]:
        """An environment in which the objects of pushes under way can be read, which git keeps apart until its hooks agree."""
        folders = [str(one) for one in (self.path / "objects").glob("*incoming-*") if one.is_dir()]
        return {"GIT_ALTERNATE_OBJECT_DIRECTORIES": ":".join(folders)} if folders else {}

    def unseen_paths(self, new: str, under: str, *, environment: Mapping[str, str]) -> list[str]:
        """Paths below `under` that commits of `new` touch which no ref holds yet; a merge counts for what differs from all parents."""
        args = ["log", "-c", "-z", "--no-renames", "--name-only", "--format=", new, "--not", "--all", "--", under]
        out = self.run(*args, environment=environment)
        return [path for part in out.decode("utf-8", "replace").split("\0") if (path := part.strip("\n"))]

    def diff(self, old: str, new: str) -> list[Change]:
        """Files that differ, renames found, patches without their headers, as GitHub lists them."""
        return self._once(("diff", old, new), lambda: self._diff(old, new))

    def _diff(self, old: str, new: str) -> list[Change]:
        raw = self.run("diff-tree", "-r", "-z", "-M", "--raw", "--numstat", "--no-abbrev", old, new)
        parts = raw.decode("utf-8", "replace").split("\0")
        rows: list[tuple[str, str, str, str | None]] = []
        counts: dict[str, tuple[int, int]] = {}
        at = 0
        while at < len(parts) and parts[at]:
            if parts[at].startswith(":"):
                _, _, old_sha, new_sha, status = parts[at].split(" ")
                moved = status[0] in "RC"
                path = parts[at + 2] if moved else parts[at + 1]
                sha = old_sha if status[0] == "D" else new_sha
                rows.append((status[0], sha, path, parts[at + 1] if moved else None))
                at += 3 if moved else 2
            else:
                added, removed, path = parts[at].split("\t")
                path, step = (path, 1) if path else (parts[at + 2], 3)
                counts[path] = (0 if added == "-" else int(added), 0 if removed == "-" else int(removed))
                at += step
        patches = self._patches(old, new)
        words = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}
        return [
            Change(path, words[letter], sha, *counts.get(path, (0, 0)), patches.get(path), previous)
            for letter, sha, path, previous in rows
        ]

    def _patches(self, old: str, new: str) -> dict[str, str]:
        text = self.run("diff-tree", "-r", "-p", "-M", "--src-prefix=a/", "--dst-prefix=b/", old, new).decode(
            "utf-8", "replace"
        )
        found: dict[str, str] = {}
        for block in ("\n" + text).split("\ndiff --git ")[1:]:
            at = block.find("\n@@ ")
            if at < 0:
                continue
            head = block[:at].splitlines()
            path = next((line[6:] for line in head if line.startswith("+++ b/")), "")
            path = path or next((line[6:] for line in head if line.startswith("--- a/")), "")
            patch = block[at + 1 :].rstrip("\n")
            if path and len(patch) <= _PATCH_CAP:
                found[path.rstrip("\t")] = patch
        return found

    # ---- writing

    def write_blob(self, data: bytes) -> str:
        """Store bytes, give the SHA."""
        return self.run("hash-object", "-w", "--stdin", stdin=data).decode().strip()

    def write_tree(self, entries: Mapping[str, tuple[str, str] | None], *, base: str | None = None) -> str:
        """A tree of `path -> (mode, sha)` over `base`; None deletes a path."""
        index = self.path / f"index-{os.urandom(8).hex()}"
        environment = {"GIT_INDEX_FILE": str(index)}
        try:
            self.run("read-tree", *([base] if base else ["--empty"]), environment=environment)
            rows = b"".join(
                f"{entry[0]} {entry[1]}\t{path}\0".encode() if entry else f"0 {ZERO}\t{path}\0".encode()
                for path, entry in entries.items()
            )
            self.run("update-index", "-z", "--add", "--index-info", stdin=rows, environment=environment)
            return self.text("write-tree", environment=environment)
        finally:
            index.unlink(missing_ok=True)

    def commit_tree(
        self,
        tree: str,
        *,
        parents: Sequence[str],
        message: str,
        author: tuple[str, str, str],
        committer: tuple[str, str, str],
    ) -> str:
        """Make a commit; identities are (name, email, date)."""
        names = ("NAME", "EMAIL", "DATE")
        environment = {f"GIT_AUTHOR_{n}": v for n, v in zip(names, author, strict=True)}
        environment |= {f"GIT_COMMITTER_{n}": v for n, v in zip(names, committer, strict=True)}
        args = [part for parent in parents for part in ("-p", parent)]
        return self.run("commit-tree", tree, *args, stdin=message.encode(), environment=environment).decode().strip()

    def set_ref(self, ref: str, new: str, old: str) -> None:
        """Move a ref from `old` (zero: it must not exist). Raises GitRefused when it moved meanwhile."""
        self.run("update-ref", ref, new, old)

    def delete_ref(self, ref: str, old: str) -> None:
        """Delete a ref that stands at `old`."""
        self.run("update-ref", "-d", ref, old)

    def merge_tree(self, one: str, other: str) -> str | None:
        """The merged tree, or None on conflicts."""
        try:
            return self.text("merge-tree", "--write-tree", "--no-messages", one, other).splitlines()[0]
        except GitRefused:
            return None

    def well_named(self, ref: str) -> bool:
        """Whether git takes `ref` as a ref name."""
        try:
            self.run("check-ref-format", ref)
        except GitRefused:
            return False
        return True
