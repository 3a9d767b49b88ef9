"""First trees of repositories: from files given, or from a directory on disk, which stays untouched."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from bot.playground.objects import GitRepository


def tree_from_files(git: GitRepository, files: Mapping[str, bytes | str]) -> str:
    """A tree of `path -> content`; text is UTF-8."""
    entries: dict[str, tuple[str, str] | None] = {}
    for path, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        entries[path] = ("100644", git.write_blob(data))
    return git.write_tree(entries)


def tree_from_path(git: GitRepository, path: Path) -> str:
    """A tree of the files below `path`: executables stay so, links stay links, `.git` is left out."""
    entries: dict[str, tuple[str, str] | None] = {}
    for folder, folders, names in os.walk(path):
        for name in [one for one in folders if one == ".git"]:
            folders.remove(name)
        for name in [*names, *(one for one in folders if (Path(folder) / one).is_symlink())]:
            file = Path(folder) / name
            where = file.relative_to(path).as_posix()
            if file.is_symlink():
                entries[where] = ("120000", git.write_blob(os.fsencode(os.readlink(file))))
            elif file.is_file() and name != ".git":
                mode = "100755" if os.access(file, os.X_OK) else "100644"
                entries[where] = (mode, git.write_blob(file.read_bytes()))
    return git.write_tree(entries)
