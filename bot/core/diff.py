"""Trees and differences as git reports them, and what may leave a worker."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A path in a tree. `mode` is git's octal as text; `size` is None for submodules and trees."""

    path: str
    mode: str
    oid: str
    size: int | None


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One raw diff entry with its counts; `old_mode`/`new_mode` as git prints them, added/removed None for binary files."""

    path: str
    old_path: str
    status: str
    old_mode: str
    new_mode: str
    added: int | None
    removed: int | None
    new_size: int


@dataclass(frozen=True, slots=True)
class Harvest:
    """What left a worker: a tree that passed index-pack --strict, connectivity and the caps, now in the engine's own store.

    `problems` are sentences, one per refusal by diff policy; `held` are the paths that a person must release.
    """

    tree: str
    files: tuple[FileDiff, ...]
    problems: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
