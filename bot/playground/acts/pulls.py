"""Pull requests: opening, changing, asking for reviewers, merging."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from bot.playground import pushes
from bot.playground.acts.events import note, tell_pull
from bot.playground.acts.facts import merge_base
from bot.playground.acts.issues import check_body, check_title, close_issue, next_number
from bot.playground.clock import stamp
from bot.playground.data import Account, By, Issue, Pull, Repo
from bot.playground.objects import ZERO, GitRefused
from bot.playground.shapes.accounts import user
from bot.playground.validation import ApiError, custom, invalid

if TYPE_CHECKING:
    from bot.playground.state import State

HEADS = "refs/heads/"
Method = Literal["merge", "squash", "rebase"]
_NOT_A_COLLABORATOR = (
    "Reviews may only be requested from collaborators. One or more of the users or teams you specified "
    "is not a collaborator of the {} repository."
)
_CLOSING = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):? #(\d+)\b", re.IGNORECASE)


def _branch(repo: Repo, given: str, field: str) -> tuple[str, str]:
    """(name, SHA) of a branch of this repository, given as `name` or `owner:name`. Raises ApiError 422."""
    owner, _, name = given.rpartition(":")
    sha = repo.git.tip(HEADS + name)
    if sha is None or (owner and owner.lower() != repo.owner.login.lower()):
        raise invalid("PullRequest", field, "invalid")
    return name, sha


def open_pull(
    state: State, repo: Repo, by: By, *, title: str, head: str, base: str, body: str | None, draft: bool
) -> Pull:
    """Open a pull request. Raises ApiError 422 for a missing branch, no commits between, or a second one of the same pair."""
    check_title("PullRequest", title)
    check_body("PullRequest", body)
    base_name, base_sha = _branch(repo, base, "base")
    head_name, head_sha = _branch(repo, head, "head")
    for one in state.open_pulls(repo, head_ref=head_name):
        if one.base_ref == base_name:
            raise custom("PullRequest", f"A pull request already exists for {repo.owner.login}:{head_name}.")
    if repo.git.is_ancestor(head_sha, base_sha):
        raise custom("PullRequest", f"No commits between {base_name} and {head_name}")
    if repo.git.merge_base(base_sha, head_sha) is None:
        raise custom("PullRequest", f"The {head_name} branch has no history in common with {base_name}")
    now = state.clock.now()
    issue = Issue(state.new_id(), repo, next_number(repo), title, body, by.account, by.app, now, now)
    pull = Pull(state.new_id(), issue, head_name, head_sha, base_name, base_sha, draft)
    issue.pull = pull
    repo.issues[issue.number] = issue
    state.pulls[pull.id] = pull
    state.count("pull", repo, by, issue=issue.number, detail=head_name, id=pull.id)
    tell_pull(state, pull, "opened", by)
    return pull


def rebase_onto(state: State, pull: Pull, by: By, base: str) -> None:
    """Change the base branch."""
    name, sha = _branch(pull.repo, base, "base")
    if name == pull.base_ref:
        return
    changes = {"base": {"ref": {"from": pull.base_ref}, "sha": {"from": pull.base_sha}}}
    pull.base_ref, pull.base_sha = name, sha
    state.touch(pull.issue)
    state.count("pull_edit", pull.repo, by, issue=pull.issue.number, id=pull.id)
    tell_pull(state, pull, "edited", by, {"changes": changes})


def set_draft(state: State, pull: Pull, by: By, *, draft: bool) -> None:
    """Draft to ready or back; what is so already changes nothing."""
    if pull.draft == draft:
        return
    pull.draft = draft
    note(state, pull.issue, "convert_to_draft" if draft else "ready_for_review", by)
    state.count("draft" if draft else "ready", pull.repo, by, issue=pull.issue.number, id=pull.id)
    tell_pull(state, pull, "converted_to_draft" if draft else "ready_for_review", by)


def request_reviewers(state: State, pull: Pull, by: By, logins: Sequence[str]) -> None:
    """Ask people to review. Raises ApiError 422 for the author and for anybody without a role of their own."""
    accounts: list[Account] = []
    for login in logins:
        account = state.account(login)
        if account is pull.issue.author:
            raise ApiError(422, "Review cannot be requested from pull request author.")
        member = account is not None and (account is pull.repo.owner or account.id in pull.repo.collaborators)
        if account is None or not member or account.type != "User":
            raise ApiError(422, _NOT_A_COLLABORATOR.format(pull.repo.full_name))
        accounts.append(account)
    for account in accounts:
        if account in pull.requested:
            continue
        pull.requested.append(account)
        note(state, pull.issue, "review_requested", by, reviewer=account)
        state.count("review_request", pull.repo, by, issue=pull.issue.number, detail=account.login)
        tell_pull(state, pull, "review_requested", by, {"requested_reviewer": user(state.web, account)})


def remove_reviewers(state: State, pull: Pull, by: By, logins: Sequence[str]) -> None:
    """Take requests back; unknown logins are passed over, as by GitHub."""
    for login in logins:
        account = state.account(login)
        if account is not None and account in pull.requested:
            pull.requested.remove(account)
            note(state, pull.issue, "review_request_removed", by, reviewer=account)
            tell_pull(state, pull, "review_request_removed", by, {"requested_reviewer": user(state.web, account)})


def _may_merge(state: State, pull: Pull, sha: str | None) -> tuple[str, str]:
    """(base tip, merged tree). Raises ApiError 405 or 409."""
    git = pull.repo.git
    tip = git.tip(HEADS + pull.base_ref)
    if pull.issue.state == "closed" or pull.draft or tip is None:
        still_draft = pull.draft and pull.issue.state == "open"
        raise ApiError(405, "Pull Request is still a draft" if still_draft else "Pull Request is not mergeable")
    if sha is not None and sha != pull.head_sha:
        raise ApiError(409, "Head branch was modified. Review and try the merge again.")
    tree = git.merge_tree(tip, pull.head_sha)
    if tree is None:
        raise ApiError(405, "Pull Request is not mergeable")
    return tip, tree


def _rebased(pull: Pull, tip: str, who: tuple[str, str, str]) -> str:
    git = pull.repo.git
    if merge_base(pull) != tip:
        raise ApiError(405, "This branch can't be rebased")
    parent = tip
    for one in reversed(git.log(f"{tip}..{pull.head_sha}", limit=10_000, options=["--topo-order"])):
        if len(one.parents) != 1:
            raise ApiError(405, "This branch can't be rebased")
        parent = git.commit_tree(one.tree, parents=[parent], message=one.message, author=one.author, committer=who)
    return parent


def merge(
    state: State,
    pull: Pull,
    by: By,
    *,
    method: Method = "merge",
    sha: str | None = None,
    title: str | None = None,
    message: str | None = None,
) -> str:
    """Merge as a person does; gives the merge commit's SHA. Raises ApiError 405 or 409."""
    tip, tree = _may_merge(state, pull, sha)
    git, number, account = pull.repo.git, pull.issue.number, by.account
    who = (account.name or account.login, account.email, stamp(state.clock.now()))
    if method == "rebase":
        commit = _rebased(pull, tip, who)
    else:
        parents = [tip, pull.head_sha] if method == "merge" else [tip]
        heading = f"Merge pull request #{number} from {pull.repo.owner.login}/{pull.head_ref}"
        heading = title or (heading if method == "merge" else f"{pull.issue.title} (#{number})")
        text = f"{heading}\n\n{pull.issue.title if message is None and method == 'merge' else message or ''}".rstrip()
        commit = git.commit_tree(tree, parents=parents, message=f"{text}\n", author=who, committer=who)
    try:
        git.set_ref(HEADS + pull.base_ref, commit, tip)
    except GitRefused:
        raise ApiError(409, "Base branch was modified. Review and try the merge again.") from None
    messages = [one.message for one in git.log(f"{tip}..{pull.head_sha}", limit=250)]
    pull.base_sha = tip
    pushes.mark_merged(state, pull, by, commit=commit)
    pushes.pushed(state, pull.repo, HEADS + pull.base_ref, by, before=tip, after=commit)
    if pull.base_ref == pull.repo.default_branch:
        _close_linked(state, pull, by, [pull.issue.body or "", *messages], commit)
    return commit


def _close_linked(state: State, pull: Pull, by: By, texts: Sequence[str], commit: str) -> None:
    numbers = {int(found) for text in texts for found in _CLOSING.findall(text)}
    for number in sorted(numbers):
        issue = pull.repo.issues.get(number)
        if issue is not None and issue.pull is None:
            close_issue(state, issue, by, commit=commit)


def delete_branch(state: State, repo: Repo, by: By, branch: str) -> None:
    """Delete a branch as the button of the page does. Raises ApiError 422 where there is none."""
    ref = HEADS + branch
    tip = repo.git.tip(ref)
    if tip is None:
        raise ApiError(422, "Reference does not exist")
    repo.git.delete_ref(ref, tip)
    pushes.pushed(state, repo, ref, by, before=tip, after=ZERO)
