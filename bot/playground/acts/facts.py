"""What git says of a pull request."""

from __future__ import annotations

from bot.playground.data import Pull
from bot.playground.objects import Change
from bot.playground.shapes.pulls import PullFacts


def merge_base(pull: Pull) -> str:
    """Where the branch left its base: the merge base with the base branch, or with the stored base SHA once merged."""
    git = pull.repo.git
    base = pull.base_sha if pull.merged_at else git.tip(f"refs/heads/{pull.base_ref}") or pull.base_sha
    return git.merge_base(base, pull.head_sha) or pull.base_sha


def changes(pull: Pull) -> list[Change]:
    """The files of a pull request."""
    return pull.repo.git.diff(merge_base(pull), pull.head_sha)


def pull_facts(pull: Pull, *, ask: bool) -> PullFacts:
    """The sums, and whether it merges. The first question (`ask`) after a move of head or base is answered with None, as by GitHub."""
    git, base = pull.repo.git, merge_base(pull)
    files = git.diff(base, pull.head_sha)
    return PullFacts(
        commits=git.count(base, pull.head_sha),
        added=sum(one.added for one in files),
        removed=sum(one.removed for one in files),
        files=len(files),
        mergeable=_mergeable(pull, ask=ask),
    )


def _mergeable(pull: Pull, *, ask: bool) -> bool | None:
    if pull.issue.state == "closed":
        return None
    tip = pull.repo.git.tip(f"refs/heads/{pull.base_ref}") or pull.base_sha
    if pull.mergeable is not None and pull.mergeable[:2] == (tip, pull.head_sha):
        return pull.mergeable[2]
    if ask:
        merges = pull.repo.git.merge_tree(tip, pull.head_sha) is not None
        pull.mergeable = (tip, pull.head_sha, merges)
    return None
