"""First commits of repositories: from files given, from a directory, or from another repository, which stays untouched."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from bot.playground.objects import GitRepository

File = tuple[str, str, bytes]
"""(mode, path, content)."""


def from_files(files: Mapping[str, bytes | str]) -> Iterator[File]:
    """Files of `path -> content`; text is UTF-8, and what begins with `#!` can be executed."""
    for path, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        yield ("100755" if data.startswith(b"#!") else "100644", path, data)


def from_directory(directory: Path) -> Iterator[File]:
    """Files below a directory: executables stay so, links stay links, `.git` is left out."""
    for folder, folders, names in os.walk(directory):
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted([*names, *links]):
            file = Path(folder) / name
            where = file.relative_to(directory).as_posix()
            if file.is_symlink():
                yield ("120000", where, os.fsencode(os.readlink(file)))
            elif file.is_file() and name != ".git":
                yield ("100755" if os.access(file, os.X_OK) else "100644", where, file.read_bytes())


def commit_files(
    git: GitRepository, ref: str, files: Iterable[File], *, who: tuple[str, str, int], message: str
) -> None:
    """One root commit of `files` at `ref`, by one git process. `who` is (name, email, seconds since the epoch)."""
    name, email, at = who
    text = message.encode()
    parts = [b"commit %s\n" % ref.encode(), b"committer %s <%s> %d +0000\n" % (name.encode(), email.encode(), at)]
    parts.append(b"data %d\n%s\n" % (len(text), text))
    for mode, path, data in files:
        quoted = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        parts.append(b'M %s inline "%s"\n' % (mode.encode(), os.fsencode(quoted)))
        parts.append(b"data %d\n%s\n" % (len(data), data))
    git.run("fast-import", "--quiet", stdin=b"".join(parts))


def copy_history(git: GitRepository, ref: str, source: Path) -> None:
    """The history of `source`'s HEAD at `ref`. Only reads `source`, whoever owns it. Raises GitRefused."""
    reader = "git -c safe.directory=* upload-pack"
    git.run("fetch", "--quiet", "--no-tags", f"--upload-pack={reader}", str(source.resolve()), f"+HEAD:{ref}")
