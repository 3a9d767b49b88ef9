"""What the playground's pages show, as plain data, and who gives it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Shown = Literal["open", "closed", "draft", "merged"]


@dataclass(frozen=True, slots=True)
class LabelView:
    """`color` is six hex digits."""

    name: str
    color: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class RepoHeader:
    """What stands above every page of a repository."""

    full_name: str
    private: bool
    default_branch: str
    open_issues: int = 0
    open_pulls: int = 0


@dataclass(frozen=True, slots=True)
class CommentView:
    """A comment. Times are RFC 3339; `body` is Markdown; reactions are (GitHub's content word, count)."""

    id: int
    author: str
    is_bot: bool
    created_at: str
    body: str
    edited: bool = False
    reactions: tuple[tuple[str, int], ...] = ()
    verdict: str = ""
    """Set where the comment is a review: `approved`, `requested changes`, `reviewed`."""
    path: str = ""
    """The file and line that a review comment stands at."""


@dataclass(frozen=True, slots=True)
class EventView:
    """A line between comments: `actor` `text` (`added the label`), with a label or a SHA where it has one."""

    at: str
    actor: str
    is_bot: bool
    text: str
    label: LabelView | None = None
    sha: str = ""


@dataclass(frozen=True, slots=True)
class IssueRow:
    """An issue or a pull request in a list."""

    number: int
    title: str
    author: str
    created_at: str
    state: Shown
    labels: tuple[LabelView, ...] = ()
    comments: int = 0
    is_pull: bool = False


@dataclass(frozen=True, slots=True)
class IssuesPage:
    """A list of issues or of pull requests, newest first, both states."""

    repo: RepoHeader
    rows: tuple[IssueRow, ...]


@dataclass(frozen=True, slots=True)
class IssuePage:
    """An issue: its first comment is its text."""

    repo: RepoHeader
    number: int
    title: str
    state: Shown
    author: str
    created_at: str
    labels: tuple[LabelView, ...]
    timeline: tuple[CommentView | EventView, ...]


@dataclass(frozen=True, slots=True)
class CommitView:
    """A commit; `body` is what follows the first line of its message."""

    sha: str
    title: str
    body: str
    author: str
    committed_at: str


@dataclass(frozen=True, slots=True)
class FileView:
    """A file of a difference: `status` is GitHub's word, counts are None for a binary one, `patch` starts at its first `@@` or is empty."""

    path: str
    old_path: str
    status: str
    added: int | None
    removed: int | None
    patch: str


@dataclass(frozen=True, slots=True)
class CheckView:
    """A check run; `summary` is Markdown. `conclusion` is empty until it has completed."""

    name: str
    status: str
    conclusion: str
    title: str
    summary: str
    app: str
    completed_at: str = ""


@dataclass(frozen=True, slots=True)
class PullPage:
    """A pull request: its first comment is its text."""

    repo: RepoHeader
    number: int
    title: str
    state: Shown
    author: str
    created_at: str
    labels: tuple[LabelView, ...]
    timeline: tuple[CommentView | EventView, ...]
    head_ref: str
    base_ref: str
    head_sha: str
    commits: tuple[CommitView, ...]
    files: tuple[FileView, ...]
    checks: tuple[CheckView, ...]
    reviewers: tuple[str, ...] = ()
    merged_by: str = ""


@dataclass(frozen=True, slots=True)
class CommitPage:
    """A commit with what it changed against its first parent."""

    repo: RepoHeader
    commit: CommitView
    files: tuple[FileView, ...]


@dataclass(frozen=True, slots=True)
class EntryView:
    """A file or folder in a folder."""

    name: str
    is_folder: bool


@dataclass(frozen=True, slots=True)
class FolderPage:
    """A folder at a ref (`path` empty: the root, which is the repository's own page), folders first. `readme` is Markdown."""

    repo: RepoHeader
    ref: str
    path: str
    entries: tuple[EntryView, ...]
    branches: tuple[str, ...] = ()
    latest: CommitView | None = None
    readme: str = ""


@dataclass(frozen=True, slots=True)
class FilePage:
    """A file at a ref."""

    repo: RepoHeader
    ref: str
    path: str
    content: bytes


class PagesSource(Protocol):
    """Where the pages come from. `repo` is `owner/name`; None is a 404. `rest` is what follows in the address: a ref, which may hold
    slashes, and a path (see `split_ref`)."""

    async def repos(self) -> Sequence[RepoHeader]: ...

    async def folder(self, repo: str, rest: str) -> FolderPage | None:
        """`rest` is empty for the root of the default branch."""
        ...

    async def file(self, repo: str, rest: str) -> FilePage | None: ...

    async def commit(self, repo: str, sha: str) -> CommitPage | None: ...

    async def issues(self, repo: str) -> IssuesPage | None: ...

    async def pulls(self, repo: str) -> IssuesPage | None: ...

    async def issue(self, repo: str, number: int) -> IssuePage | None:
        """None for a pull request too."""
        ...

    async def pull(self, repo: str, number: int) -> PullPage | None: ...


def split_ref(rest: str, branches: Sequence[str]) -> tuple[str, str]:
    """(ref, path): the branch that the address starts with (git has no branch below another), else its first segment (a SHA, a tag)."""
    for branch in branches:
        if rest == branch or rest.startswith(f"{branch}/"):
            return branch, rest[len(branch) + 1 :]
    ref, _, path = rest.partition("/")
    return ref, path


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a unified difference; numbers are empty where that side has no such line."""

    kind: Literal["hunk", "add", "del", "same", "note"]
    old: str
    new: str
    text: str


HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


def diff_lines(patch: str) -> list[DiffLine]:
    """The numbered lines of a patch."""
    lines: list[DiffLine] = []
    old = new = 0
    for line in patch.split("\n") if patch else []:
        mark, text = line[:1], line[1:]
        if found := HUNK.match(line):
            old, new = int(found[1]), int(found[2])
            lines.append(DiffLine("hunk", "", "", line))
        elif mark == "+":
            lines.append(DiffLine("add", "", str(new), text))
            new += 1
        elif mark == "-":
            lines.append(DiffLine("del", str(old), "", text))
            old += 1
        elif mark == "\\":
            lines.append(DiffLine("note", "", "", text.strip()))
        else:
            lines.append(DiffLine("same", str(old), str(new), text))
            old, new = old + 1, new + 1
    return lines
