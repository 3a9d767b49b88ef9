"""The engine's sign of life, as a small file that the web process can read without a database driver."""

import os
from pathlib import Path

import msgspec


class Beat(msgspec.Struct, frozen=True):
    """`at` is when the engine last went round its loop, `last_success` when it last finished anything; epoch seconds, 0 for never."""

    engine: str
    at: float
    last_success: float = 0.0
    backlog: int = 0


def write_beat(path: Path, beat: Beat) -> None:
    """Replace the file in one move, so that no reader sees half of it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_bytes(msgspec.json.encode(beat))
    draft.replace(path)


def read_beat(path: Path) -> Beat | None:
    """The last beat, or None where there is none or it can't be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Beat)
    except (OSError, ValueError):
        return None
