"""What an engine and its workers could leave behind on the machine."""

import os
from collections.abc import Iterator
from pathlib import Path


def processes(*words: str) -> list[str]:
    """Living processes with one of these words in their command line or environment, ourselves left out."""
    return [line for pid, line in _everything() if pid != os.getpid() and any(word in line for word in words)]


def _everything() -> Iterator[tuple[int, str]]:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            around = (entry / "environ").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if command:  # a zombie has none
            yield int(entry.name), f"{entry.name} {command}| {around}"


def checkouts(home: Path) -> list[str]:
    """Checkouts on disk, half removed ones included."""
    return sorted(str(it.relative_to(home)) for it in home.glob("checkouts/*/*/*"))


def mounts(home: Path) -> list[str]:
    """Mounts below the home, as this process sees them."""
    return [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(home) in line]
