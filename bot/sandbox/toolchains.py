"""Which directories outside the system must be visible for the programs on PATH to run, and nothing more of a home than those."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
"""Always visible, read-only."""
_PROGRAMS = ("bin", "sbin", "shims", ".bin")
_SHIM_MANAGERS = (".pyenv", ".rbenv", ".nodenv", ".goenv", ".asdf")
_PREFIX_MARKS = frozenset({"lib", "lib64", "libexec", "share", "include", "pyvenv.cfg"})
_PERSONAL = frozenset({".git", ".ssh", ".gnupg", ".aws", ".env", ".netrc", ".bash_history", ".profile"})
"""A directory that holds one of these is somebody's home or project, not an installation."""


@dataclass(frozen=True, slots=True)
class Toolchains:
    """Roots to bind read-only at their own paths, the PATH that finds them, and variables that they need."""

    roots: tuple[Path, ...]
    path: str
    env: tuple[tuple[str, str], ...] = ()


def find(path: str, *, hidden: Iterable[Path] = (), extra: Iterable[Path] = ()) -> Toolchains:
    """Look at every directory of a PATH string; directories below `hidden` are left out, the `extra` installations are made visible too."""
    unseen = [Path(os.path.realpath(p)) for p in hidden]
    entries: list[str] = []
    roots: set[Path] = set(extra)
    for prefix in extra:
        roots |= _roots(prefix / "bin")
    for entry in dict.fromkeys(Path(p) for p in path.split(":") if p.startswith("/")):
        real = Path(os.path.realpath(entry))
        if not real.is_dir() or _personal(real) or any(_within(real, h) for h in unseen):
            continue
        entries.append(str(entry))
        roots |= _roots(entry)
    outside = {root for root in roots if not _in_system(root) and not any(_within(h, root) for h in unseen)}
    # rustup's proxies look for their toolchains under HOME, which inside is the worker's own.
    env = tuple(("RUSTUP_HOME", str(root)) for root in sorted(outside) if root.name == ".rustup")[:1]
    return Toolchains(_outermost(outside), ":".join(entries), env)


def _roots(folder: Path) -> set[Path]:
    """The installation that a directory of programs belongs to, and those that its links lead to."""
    found: set[Path] = set()
    seen: set[Path] = set()
    todo = [folder]
    while todo:
        current = todo.pop()
        if current in seen or _in_system(current) or not current.is_dir():
            continue
        seen.add(current)
        found |= (own := _installation(current))
        for target in _link_targets(current):
            if any(_within(target, root) for root in own):
                continue
            if target.parent.name in _PROGRAMS:
                todo.append(target.parent)
            elif not target.is_dir():
                found.add(target)  # the file alone: its directory may be anything
        real = Path(os.path.realpath(current))
        if real != current:
            todo.append(real)
    return found


def _installation(folder: Path) -> set[Path]:
    parent = folder.parent
    if folder.name in _PROGRAMS and parent.name in _SHIM_MANAGERS:
        return {parent}
    if folder.name == "bin" and parent.name == ".cargo":
        rustup = parent.parent / ".rustup"
        return {folder, rustup} if rustup.is_dir() else {folder}
    if folder.name in ("bin", "sbin") and _is_prefix(parent):
        return {parent}
    return {folder}


def _is_prefix(parent: Path) -> bool:
    if parent == parent.parent or parent.name in (".local", "home", "root") or _personal(parent):
        return False
    try:
        return not _PREFIX_MARKS.isdisjoint(os.listdir(parent))
    except OSError:
        return False


def _personal(folder: Path) -> bool:
    try:
        return folder == Path(os.path.expanduser("~")) or not _PERSONAL.isdisjoint(os.listdir(folder))
    except OSError:
        return True


def _link_targets(folder: Path) -> set[Path]:
    """Where the links in `folder` lead, every hop of the way: a program may look at its own name at any of them."""
    targets: set[Path] = set()
    try:
        links = [Path(entry.path) for entry in os.scandir(folder) if entry.is_symlink()]
    except OSError:
        return targets
    for link in links:
        for _hop in range(8):
            if not link.is_symlink():
                break
            link = Path(os.path.normpath(link.parent / os.readlink(link)))
            if link.exists():
                targets.add(link)
    return targets


def _in_system(path: Path) -> bool:
    return any(_within(path, Path(s)) for s in SYSTEM)


def _within(path: Path, root: Path) -> bool:
    return path == root or root in path.parents


def _outermost(roots: set[Path]) -> tuple[Path, ...]:
    return tuple(sorted(r for r in roots if not any(o in r.parents for o in roots)))
