"""Removing what a worker had its hands on."""

import os
import subprocess
from pathlib import Path

from bot.ports import Transient


def remove_tree(path: Path, *, tool_path: str) -> None:
    """Remove a directory whatever is in it: mode-000 directories (overlays leave one), links, names nested without end.

    By `rm`: it descends by file descriptors and follows no link, and nesting beyond Python's recursion limit or PATH_MAX doesn't
    stop it. A plain user's rm needs the modes opened first; chmod -R follows no link below its argument either.
    """
    if not os.path.lexists(path):
        return
    env = {"PATH": tool_path, "LC_ALL": "C"}
    if os.geteuid():
        subprocess.run(
            ["chmod", "-R", "u+rwx", "--", str(path)], env=env, capture_output=True, check=False, timeout=600
        )
    done = subprocess.run(["rm", "-rf", "--", str(path)], env=env, capture_output=True, check=False, timeout=600)
    if done.returncode:
        raise Transient(f"a checkout could not be removed: {done.stderr[-300:].decode(errors='replace')}")
