"""A git of one commit, held in memory, for readers of objects."""

from typing import Any

from bot.core.diff import TreeEntry


class FakeGit:
    """Answers `tree` and `blob`; whatever else is asked of it fails. Remembers what was asked."""

    def __init__(self, files: dict[str, bytes | str], *, links: dict[str, str] | None = None) -> None:
        self.files = {path: data.encode() if isinstance(data, str) else data for path, data in files.items()}
        self.links = links or {}
        self.asked: list[tuple[str, str]] = []

    async def tree(self, repo: str, sha: str) -> list[TreeEntry]:
        regular = [TreeEntry(path, "100644", "0" * 40, len(data)) for path, data in self.files.items()]
        links = [TreeEntry(path, "120000", "0" * 40, len(target)) for path, target in self.links.items()]
        return sorted([*regular, *links], key=lambda entry: entry.path)

    async def blob(self, repo: str, sha: str, path: str, limit: int = 1_000_000) -> bytes | None:
        self.asked.append((sha, path))
        data = self.files.get(path)
        return None if data is None or len(data) > limit else data

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a reader of objects must not call {name}")
