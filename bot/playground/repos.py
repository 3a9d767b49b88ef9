"""Bare git repositories of the playground: made, read and merged without a work tree, an ambient configuration or a hook."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.core.diff import TreeEntry

ZERO = "0" * 40


class GitRefused(Exception):
    """Git said no; the message is its own, for the log of the playground."""


class MergeConflict(Exception):
    """The two sides can't be merged by themselves; `paths` are the files in conflict."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        super().__init__(", ".join(paths))
        self.paths = paths


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a commit names."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit; `authored_at` and `committed_at` are RFC 3339 with the author's own offset."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    authored_at: str
    committer: Person
    committed_at: str
    message: str


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of a difference. `status` is git's letter; counts are None for a binary file, whose `patch` is empty.

    `patch` starts at the first `@@`, as GitHub's does.
    """

    path: str
    old_path: str
    status: str
    added: int | None
    removed: int | None
    patch: str


def clean_env() -> dict[str, str]:
    """What git may know of this machine: where its programs are, and nothing of anybody's configuration."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
    }


def run_git(
    argv: Sequence[str], *, stdin: bytes = b"", env: Mapping[str, str] | None = None, accept: Sequence[int] = (0,)
) -> subprocess.CompletedProcess[bytes]:
    """Run git to its end in the clean environment plus `env`. Raises GitRefused for an exit code that is not in `accept`."""
    full = {**clean_env(), **(env or {})}
    done = subprocess.run(["git", *argv], input=stdin, env=full, capture_output=True, check=False)
    if done.returncode not in accept:
        words = done.stderr.decode(errors="replace").strip()
        raise GitRefused(f"git {argv[0] if argv[0] != '-C' else argv[2]}: {words or f'exit code {done.returncode}'}")
    return done


def quoted(path: str) -> bytes:
    """A path as `git fast-import` wants it where it may hold anything."""
    return b'"' + path.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'


def import_stream(
    *, ref: str, parent: str, who: Person, at: int, message: str, files: Mapping[str, tuple[str, bytes] | None]
) -> bytes:
    """One commit in the words of `git fast-import`; a file is (mode, bytes), or None to delete it."""

    def data(content: bytes) -> bytes:
        return b"data %d\n" % len(content) + content + b"\n"

    identity = f"{who.name} <{who.email}> {at} +0000\n".encode()
    parts = [f"commit {ref}\n".encode(), b"author " + identity, b"committer " + identity, data(message.encode())]
    if parent:
        parts.append(f"from {parent}\n".encode())
    for path, entry in files.items():
        if entry is None:
            parts.append(b"D " + quoted(path) + b"\n")
        else:
            parts.append(f"M {entry[0]} inline ".encode() + quoted(path) + b"\n" + data(entry[1]))
    return b"feature done\n" + b"".join(parts) + b"done\n"


def read_directory(source: Path) -> dict[str, tuple[str, bytes] | None]:
    """Every file under a directory as (mode, bytes), symlinks as such, anything named `.git` left out."""
    found: dict[str, tuple[str, bytes] | None] = {}
    for folder, folders, names in os.walk(source):
        folders[:] = sorted(name for name in folders if name != ".git")
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in sorted([*names, *links]):
            path = Path(folder) / name
            if name == ".git":
                continue
            mode = "120000" if path.is_symlink() else "100755" if os.access(path, os.X_OK) else "100644"
            content = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
            found[path.relative_to(source).as_posix()] = (mode, content)
    return found


@dataclass(frozen=True, slots=True)
class BareRepo:
    """A bare repository at `path`. All methods block: call them from a thread."""

    path: Path

    # ---- making ------------------------------------------------------------------------------------------------

    @classmethod
    def create(cls, path: Path, *, branch: str = "main") -> "BareRepo":
        """An empty repository whose HEAD names `branch`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        run_git(["init", "--quiet", "--bare", "--template=", f"--initial-branch={branch}", str(path)])
        return cls(path)

    @classmethod
    def create_from_git(cls, path: Path, source: Path, *, branch: str = "main", rev: str = "HEAD") -> "BareRepo":
        """A repository with the history of `rev` of another one, which stays untouched, as its `branch`."""
        repo = cls.create(path, branch=branch)
        # upload-pack asks whose repository it is; the person who names it on the command line has answered that
        allow = path / "source-config"
        allow.write_text("[safe]\n\tdirectory = *\n")
        try:
            refspec = f"{rev}:refs/heads/{branch}"
            repo._git(
                "fetch", "--quiet", "--no-tags", str(source.resolve()), refspec, env={"GIT_CONFIG_GLOBAL": str(allow)}
            )
        finally:
            allow.unlink()
        return repo

    def commit_files(
        self, branch: str, files: Mapping[str, str | bytes | None], *, message: str, who: Person, at: int
    ) -> str:
        """A commit on top of `branch` (or its first) that writes these files, None deleting one; returns its SHA.

        `at` is seconds since the epoch.
        """
        entries = {path: self._entry(content) for path, content in files.items()}
        return self._import(branch, entries, message=message, who=who, at=at)

    def commit_directory(self, branch: str, source: Path, *, message: str, who: Person, at: int) -> str:
        """A commit on top of `branch` that adds every file under `source`; returns its SHA."""
        return self._import(branch, read_directory(source), message=message, who=who, at=at)

    @staticmethod
    def _entry(content: str | bytes | None) -> tuple[str, bytes] | None:
        if content is None:
            return None
        return "100644", content.encode() if isinstance(content, str) else content

    def _import(
        self, branch: str, files: Mapping[str, tuple[str, bytes] | None], *, message: str, who: Person, at: int
    ) -> str:
        ref = f"refs/heads/{branch}"
        parent = self.resolve(ref) or ""
        stream = import_stream(ref=ref, parent=parent, who=who, at=at, message=message, files=files)
        self._git("fast-import", "--quiet", "--done", "--date-format=raw", stdin=stream)
        return self.resolve(ref) or ""

    # ---- reading -----------------------------------------------------------------------------------------------

    def resolve(self, rev: str) -> str | None:
        """The commit that a branch, ref or SHA names; None where there is none."""
        for name in (f"refs/heads/{rev}", rev):
            argv = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"]
            done = self._git(*argv, accept=(0, 1, 128))
            if done.returncode == 0:
                return done.stdout.decode().strip()
        return None

    def default_branch(self) -> str:
        """The branch that HEAD names, whether it has a commit or not."""
        return self._git("symbolic-ref", "--short", "HEAD").stdout.decode().strip()

    def branches(self) -> dict[str, str]:
        """Branch name to SHA, sorted by name."""
        out = self._git("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads/").stdout.decode()
        pairs = [line.split(" ", 1) for line in out.splitlines()]
        return {ref.removeprefix("refs/heads/"): sha for sha, ref in pairs}

    def commit(self, sha: str) -> Commit:
        """One commit. Raises GitRefused where there is none."""
        return self._log("--max-count=1", sha)[0]

    def commits(self, base: str, head: str, *, limit: int = 250) -> list[Commit]:
        """What `head` has and `base` has not, oldest first, as a pull request lists them."""
        return self._log("--reverse", "--topo-order", f"--max-count={limit}", head, f"^{base}")

    def history(self, rev: str, *, limit: int = 30) -> list[Commit]:
        """The newest commits of a branch, newest first."""
        return self._log(f"--max-count={limit}", rev)

    def _log(self, *argv: str) -> list[Commit]:
        fields = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B"
        options = [word for word in argv if word.startswith("--")]
        revs = [word for word in argv if not word.startswith("--")]
        done = self._git("log", "-z", "--no-show-signature", f"--format={fields}", *options, "--end-of-options", *revs)
        cells = done.stdout.decode(errors="replace").split("\0")
        return [to_commit(cells[at : at + 10]) for at in range(0, len(cells) - 9, 10)]

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor; None for unrelated histories."""
        done = self._git("merge-base", "--end-of-options", one, other, accept=(0, 1))
        return done.stdout.decode().strip() or None

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether `new` contains `old`, which makes going from one to the other a fast-forward."""
        return self._git("merge-base", "--is-ancestor", old, new, accept=(0, 1)).returncode == 0

    def patch(self, old: str, new: str) -> str:
        """The unified difference of two commits."""
        argv = [
            "diff",
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            "--find-renames",
            "--full-index",
            old,
            new,
            "--",
        ]
        return self._git(*argv).stdout.decode(errors="replace")

    def files(self, old: str, new: str) -> list[FileChange]:
        """The files of a difference with their counts and patches, in git's order."""
        same = ["--no-color", "--no-ext-diff", "--no-textconv", "--find-renames"]
        raw = split_raw(self._git("diff", "--raw", "-z", *same, old, new, "--").stdout.decode(errors="replace"))
        counts = split_numstat(
            self._git("diff", "--numstat", "-z", *same, old, new, "--").stdout.decode(errors="replace")
        )
        patches = split_patch(self.patch(old, new), len(raw))
        return [
            FileChange(path, old_path, status, *counts.get(path, (None, None)), patch)
            for (status, old_path, path), patch in zip(raw, patches, strict=True)
        ]

    def tree(self, rev: str) -> list[TreeEntry]:
        """Every blob, link and submodule at a commit, sorted by path."""
        out = self._git("ls-tree", "-r", "-z", "--long", "--full-tree", rev).stdout.decode(errors="replace")
        entries = []
        for line in filter(None, out.split("\0")):
            head, path = line.split("\t", 1)
            mode, _, oid, size = head.split()
            entries.append(TreeEntry(path=path, mode=mode, oid=oid, size=None if size == "-" else int(size)))
        return entries

    def blob(self, rev: str, path: str) -> bytes | None:
        """A file's bytes at a commit; None where no blob has that path."""
        done = self._git("cat-file", "blob", f"{rev}:{path}", accept=(0, 128, 129))
        return done.stdout if done.returncode == 0 else None

    # ---- changing ----------------------------------------------------------------------------------------------

    def set_ref(self, ref: str, sha: str, *, expected: str | None = None) -> None:
        """Point a full ref at a commit, if it still is at `expected` where that is given (ZERO: it must not exist)."""
        self._git("update-ref", "--", ref, sha, *([expected] if expected is not None else []))

    def delete_ref(self, ref: str) -> None:
        """Delete a full ref; one that is gone already is fine."""
        self._git("update-ref", "-d", "--", ref)

    def merge(self, *, base: str, head: str, message: str, who: Person, at: int, squash: bool = False) -> str:
        """Merge `head` into the branch `base` by a merge commit, or by one commit of its changes; returns the new SHA.

        Raises MergeConflict, and GitRefused where somebody moved the branch meanwhile.
        """
        ref = f"refs/heads/{base}"
        onto, head_sha = self._commit_of(ref), self._commit_of(head)
        tree = self.merged_tree(onto, head_sha)
        parents = [onto] if squash else [onto, head_sha]
        env = {f"GIT_{role}_{part}": v for role in ("AUTHOR", "COMMITTER") for part, v in identity(who, at)}
        argv = ["commit-tree", tree, *(word for parent in parents for word in ("-p", parent))]
        made = self._git(*argv, stdin=message.encode(), env=env).stdout.decode().strip()
        self.set_ref(ref, made, expected=onto)
        return made

    def merged_tree(self, base: str, head: str) -> str:
        """The tree of both sides together. Raises MergeConflict."""
        argv = ["merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", base, head]
        done = self._git(*argv, accept=(0, 1))
        tree, *paths = [part for part in done.stdout.decode(errors="replace").split("\0") if part]
        if done.returncode == 1:
            raise MergeConflict(tuple(dict.fromkeys(paths)))
        return tree

    def _commit_of(self, rev: str) -> str:
        sha = self.resolve(rev)
        if sha is None:
            raise GitRefused(f"no commit is named {rev}")
        return sha

    def _git(
        self, *argv: str, stdin: bytes = b"", env: Mapping[str, str] | None = None, accept: Sequence[int] = (0,)
    ) -> subprocess.CompletedProcess[bytes]:
        settled = ["-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false", "-c", "gc.auto=0"]
        return run_git([f"--git-dir={self.path}", *settled, *argv], stdin=stdin, env=env, accept=accept)


def identity(who: Person, at: int) -> tuple[tuple[str, str], ...]:
    """What git's environment wants to know of a person at a time."""
    return ("NAME", who.name), ("EMAIL", who.email), ("DATE", f"{at} +0000")


def to_commit(cells: Sequence[str]) -> Commit:
    """A commit from the ten fields that `_log` asks for."""
    sha, tree, parents, an, ae, at, cn, ce, ct, message = cells
    return Commit(
        sha=sha.strip(),
        tree=tree,
        parents=tuple(parents.split()),
        author=Person(an, ae),
        authored_at=at,
        committer=Person(cn, ce),
        committed_at=ct,
        message=message.rstrip("\n"),
    )


def split_raw(text: str) -> list[tuple[str, str, str]]:
    """(status letter, old path, path) of each entry of `git diff --raw -z`."""
    cells = iter(text.split("\0"))
    found = []
    for head in cells:
        if not head:
            continue
        letter = head.split(" ")[4][0]
        old = next(cells)
        found.append((letter, old, next(cells) if letter in "RC" else old))
    return found


def split_numstat(text: str) -> dict[str, tuple[int | None, int | None]]:
    """Path to (added, removed) of `git diff --numstat -z`; None for binary files."""
    cells = iter(text.split("\0"))
    found: dict[str, tuple[int | None, int | None]] = {}
    for head in cells:
        if not head:
            continue
        added, removed, path = head.split("\t", 2)
        if not path:  # a rename: the two paths follow
            next(cells)
            path = next(cells)
        found[path] = (int(added), int(removed)) if added != "-" else (None, None)
    return found


def split_patch(text: str, count: int) -> list[str]:
    """The hunks of each file of a patch, in order; a file without any (binary, mode, pure rename) gives an empty text."""
    files: list[list[str]] = []
    inside = False
    for line in text.splitlines(keepends=True):
        if line.startswith("diff --git "):
            files.append([])
            inside = False
        inside = inside or line.startswith("@@ ")
        if inside:
            files[-1].append(line)
    return ["".join(lines).rstrip("\n") for lines in files] or [""] * count
