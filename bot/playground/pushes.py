"""What a push may do, and what it sets off: pull requests follow their branches, suites appear, deliveries go out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bot.playground.acts import checks
from bot.playground.acts.events import note, tell_pull
from bot.playground.acts.issues import close_issue
from bot.playground.data import By, Pull, Repo, Token
from bot.playground.objects import ZERO, GitRefused
from bot.playground.patches import moved
from bot.playground.shapes.commits import push_commit

if TYPE_CHECKING:
    from bot.playground.state import State

HEADS = "refs/heads/"
_WORKFLOWS = ".github/workflows/"
_LISTED = 2048


def _in_scope(state: State, repo: Repo, token: Token) -> bool:
    if token.installation is None:
        return state.may(repo, token.account, "read")
    inside = token.repo_ids is None or repo.id in token.repo_ids
    return inside and token.installation.suspended_at is None and token.installation.covers(repo)


def may_read(state: State, full_name: str, value: str | None) -> bool:
    """Fetching needs nothing on a public repository, else read, or `contents: read` of an App's token."""
    repo, token = state.repo(full_name), state.token(value)
    if repo is None or (value and token is None):
        return False
    if token is None:
        return not repo.private
    if token.installation is None:
        return state.may(repo, token.account, "read")
    return _in_scope(state, repo, token) and token.permissions.get("contents") in ("read", "write")


def refusal(
    state: State,
    full_name: str,
    value: str | None,
    ref: str,
    *,
    old: str,
    new: str,
    environment: Mapping[str, str] | None,
) -> str | None:
    """Why the update of one ref is refused, in GitHub's words."""
    repo, token = state.repo(full_name), state.token(value)
    if repo is None or token is None or not _in_scope(state, repo, token):
        return "Repository not found."
    if repo.archived:
        return "This repository was archived so it is read-only."
    if token.installation is None:
        if not state.may(repo, token.account, "write"):
            return f"Permission to {repo.full_name}.git denied to {token.account.login}."
    elif token.permissions.get("contents") != "write":
        return "Write access to repository not granted."
    if ref.startswith("refs/pull/"):
        return "deny updating a hidden ref"
    seen = repo.git.incoming() if environment is None else environment
    return _protected(repo, token, ref, old=old, new=new, environment=seen) or _workflow(
        repo, token, new=new, environment=seen
    )


def _protected(repo: Repo, token: Token, ref: str, *, old: str, new: str, environment: Mapping[str, str]) -> str | None:
    branch = ref.removeprefix(HEADS)
    if new == ZERO and ref == HEADS + repo.default_branch:
        return f"refusing to delete the current branch: {ref}"
    rule = repo.protected.get(branch) if ref.startswith(HEADS) else None
    if rule is None:
        return None
    prefix = f"GH006: Protected branch update failed for {ref}."
    if new == ZERO:
        return None if rule.allow_deletion else f"{prefix} Cannot delete this protected branch."
    if token.account.login not in rule.pushers:
        return f"{prefix} Changes must be made through a pull request."
    if old != ZERO and not rule.allow_force:
        try:
            repo.git.run("merge-base", "--is-ancestor", old, new, environment=environment)
        except GitRefused:
            return f"{prefix} Cannot force-push to this branch."
    return None


def _workflow(repo: Repo, token: Token, *, new: str, environment: Mapping[str, str]) -> str | None:
    """An App touches workflow files only with `workflows: write`; commits that the repository has already don't count."""
    if token.installation is None or token.permissions.get("workflows") == "write" or new == ZERO:
        return None
    touched = repo.git.unseen_paths(new, _WORKFLOWS, environment=environment)
    if not touched:
        return None
    return f"refusing to allow a GitHub App to create or update workflow `{touched[0]}` without `workflows` permission"


def pushed(state: State, repo: Repo, ref: str, by: By, *, before: str, after: str) -> None:
    """A ref moved."""
    repo.pushed_at = repo.updated_at = state.clock.now()
    state.count("push", repo, by, detail=ref)
    _tell_push(state, repo, ref, by, before=before, after=after)
    if not ref.startswith(HEADS):
        return
    branch = ref.removeprefix(HEADS)
    if after == ZERO:
        for issue in list(repo.issues.values()):
            if issue.pull and issue.state == "open" and branch in (issue.pull.head_ref, issue.pull.base_ref):
                close_issue(state, issue, by)
        return
    for pull in state.open_pulls(repo, head_ref=branch):
        _follow(state, pull, by, before=before, after=after)
    checks.request_suites(state, repo, by, sha=after, branch=branch)
    for issue in list(repo.issues.values()):
        pull = issue.pull
        if pull and issue.state == "open" and pull.base_ref == branch and repo.git.is_ancestor(pull.head_sha, after):
            mark_merged(state, pull, by, commit=after)


def mark_merged(state: State, pull: Pull, by: By, *, commit: str) -> None:
    """The head has reached the base branch."""
    pull.merged_at, pull.merged_by, pull.merge_commit_sha = state.clock.now(), by.account, commit
    note(state, pull.issue, "merged", by, commit_id=commit)
    state.count("merge", pull.repo, by, issue=pull.issue.number, detail=pull.head_ref)
    close_issue(state, pull.issue, by)


def _follow(state: State, pull: Pull, by: By, *, before: str, after: str) -> None:
    git = pull.repo.git
    changed = {one.path: one for one in git.diff(pull.head_sha, after)}
    for thread in pull.threads:
        if thread.path not in changed or thread.outdated or thread.side == "LEFT":
            continue
        patch = changed[thread.path].patch
        line = moved(patch, thread.line) if patch and thread.line else thread.line
        thread.outdated = (line is None and thread.subject == "line") or changed[thread.path].status == "removed"
        thread.line = None if thread.outdated else line
    pull.head_sha = after
    pull.base_sha = git.tip(HEADS + pull.base_ref) or pull.base_sha
    state.touch(pull.issue)
    tell_pull(state, pull, "synchronize", by, {"before": before, "after": after})


def _tell_push(state: State, repo: Repo, ref: str, by: By, *, before: str, after: str) -> None:
    git, html = repo.git, state.web.repo_html(repo)
    commits = []
    if after != ZERO and git.kind(after) == "commit":
        spread = f"{before}..{after}" if before != ZERO else after
        if before == ZERO and (base := git.tip(HEADS + repo.default_branch)) and base != after:
            spread = f"{base}..{after}"
        rows = git.log(spread, limit=_LISTED) if spread != after or before == ZERO else []
        for one in reversed(rows[:20]):
            changes = git.diff(one.parents[0], one.sha) if one.parents else []
            commits.append(push_commit(state.web, repo, one, changes))
    pusher = {"name": by.account.login, "email": by.account.email}
    state.emit(
        repo,
        "push",
        None,
        by,
        {
            "ref": ref,
            "before": before,
            "after": after,
            "created": before == ZERO,
            "deleted": after == ZERO,
            "forced": ZERO not in (before, after) and not git.is_ancestor(before, after),
            "base_ref": None,
            "compare": f"{html}/compare/{before[:12]}...{after[:12]}",
            "commits": commits,
            "head_commit": commits[-1] if commits else None,
            "pusher": pusher if by.account.type != "Bot" else {"name": by.account.login, "email": None},
        },
    )
