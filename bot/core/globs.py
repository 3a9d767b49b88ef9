"""Path patterns as tasks and specs use them: always read from the root of the repository."""

import re
from collections.abc import Iterable

import pathspec

GLOB = re.compile(r"[*?\[]")


def is_glob(path: str) -> bool:
    """Whether it is a pattern and not one path."""
    return GLOB.search(path) is not None


def stem(pattern: str) -> str:
    """The folder before the first wildcard, without a slash at its end; empty for the root."""
    return GLOB.split(pattern, maxsplit=1)[0].rpartition("/")[0]


def matched(patterns: Iterable[str], files: Iterable[str]) -> frozenset[str]:
    """Files that the patterns take: `a.py` is that one file, `a/` and `a` are all below, `a/*.py` one level, `a/**` all levels."""
    lines = [f"/{pattern.lstrip('/')}" for pattern in patterns if pattern and pattern[0] not in "!#"]
    return frozenset(pathspec.GitIgnoreSpec.from_lines(lines).match_files(files))


def sample(pattern: str) -> str:
    """A path that a pattern takes, so that patterns of files that are not there yet can be compared."""
    text = re.sub(r"\*\*/?", lambda found: "any/" if found[0].endswith("/") else "any/file", pattern.rstrip("/"))
    return re.sub(r"\[[^\]]*\]|\?", "x", text.replace("*", "file"))
