"""Things of GitHub as data: what the calls we make give back."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Comment:
    """An issue comment. `app_id` is set where an App wrote it."""

    id: int
    body: str
    author: str
    author_type: str
    created_at: str
    updated_at: str
    app_id: int | None
    url: str


@dataclass(frozen=True, slots=True)
class IssueText:
    """An issue as GitHub has it now."""

    number: int
    title: str
    body: str
    author: str
    author_type: str
    state: str
    labels: tuple[str, ...]
    updated_at: str
    is_pull_request: bool
    locked: bool = False


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as GitHub has it now."""

    number: int
    url: str
    node_id: str
    head_ref: str
    head_sha: str
    base_ref: str
    state: str
    draft: bool
    merged: bool
    body: str


@dataclass(frozen=True, slots=True)
class RepositoryInfo:
    """What we need of a repository; `empty` when it has no commit on its default branch."""

    id: int
    full_name: str
    default_branch: str
    private: bool
    archived: bool
