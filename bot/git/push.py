"""Pushing: exactly one SHA, to exactly one branch under agent/, from exactly the value that we expect there."""

import re
from pathlib import Path

from bot.git import mirror as mirrors
from bot.git import objects
from bot.git.failures import told_of_remote
from bot.git.names import Layout, agent_branch, oid
from bot.git.run import GitFailed, Runner
from bot.ports import PortError, UserFacing

TIMEOUT = 900.0


def push(
    git: Runner,
    at: Layout,
    repo: str,
    *,
    sha: str,
    branch: str,
    expected: str,
    token: str,
    identity: tuple[str, str],
    lock: int,
) -> None:
    """See ports.Git.push. A push whose answer was lost but that landed is a success."""
    target = agent_branch(branch)  # before anything else: no other ref ever reaches a command line
    oid(sha)
    if expected:
        oid(expected)
    mirror = mirrors.ensure(git, at, repo)
    if not objects.exists(git, mirror, sha, "commit"):
        raise UserFacing(
            f"The commit {sha[:12]} is not in this machine's mirror of {repo}; retry builds it again.",
            verb="/agent retry",
        )
    if expected:
        _check_replaces(
            git, at, repo, mirror, sha=sha, branch=branch, expected=expected, token=token, identity=identity, lock=lock
        )
    flags = ("--porcelain", "--no-verify", "--no-follow-tags", "--no-signed", "--no-recurse-submodules")
    order = ("push", *flags, f"--force-with-lease={target}:{expected}", mirrors.url(git, repo), f"{sha}:{target}")
    try:
        done = git(mirror, *order, token=token, timeout=TIMEOUT, keep=(lock,), check=False)
        if done.code:  # with --porcelain the verdict on the ref is on stdout
            raise GitFailed(done.code, done.error + done.out.decode(errors="replace"))
    except GitFailed as failure:
        raise_unless_landed(git, mirror, repo, sha=sha, branch=branch, expected=expected, token=token, failure=failure)


def remote_head(git: Runner, mirror: Path, repo: str, *, branch: str, token: str) -> str:
    """The SHA at a branch of the remote, empty where there is none."""
    name = f"refs/heads/{branch}"
    return mirrors.remote_refs(git, mirror, repo, patterns=(name,), token=token).get(name, "")


def raise_unless_landed(
    git: Runner, mirror: Path, repo: str, *, sha: str, branch: str, expected: str, token: str, failure: GitFailed
) -> None:
    """After a failure the remote alone knows: our SHA there is a success, anything else an error that says what to do."""
    error = _told(failure, repo, branch)
    if failure.why == "stopped":
        raise error
    try:
        now = remote_head(git, mirror, repo, branch=branch, token=token)
    except PortError:
        raise error from failure  # the first error says more than that looking failed too
    if now == sha:
        return
    if now != expected:
        raise _moved(repo, branch) from failure
    raise error from failure


def _told(failure: GitFailed, repo: str, branch: str) -> PortError:
    """Git's porcelain line and the remote's words, as a sentence."""
    text = failure.error
    if re.search(r"without [`']?workflows?[`']? (permission|scope)", text):
        return UserFacing(
            f"GitHub refused the push to `{branch}`: it changes a file under `.github/workflows/`, which this App may not do. "
            "Make that change by hand, or leave it out."
        )
    if "archived so it is read-only" in text:
        return UserFacing(
            f"{repo} is archived, so nothing can be pushed to it: unarchive it, then say `/agent resume`."
        )
    if "GH009" in text or "push protection" in text.lower() or "cannot contain secrets" in text:
        return UserFacing(f"GitHub refused the push to `{branch}`: its push protection found what looks like a secret.")
    if re.search(r"protected branch|GH006|GH013|rule violations", text):
        return UserFacing(
            f"GitHub refused the push to `{branch}`: a branch rule of {repo} covers it. Exempt `agent/**` or allow this App."
        )
    if "GH001" in text or "exceeds GitHub's file size limit" in text:
        return UserFacing(f"GitHub refused the push to `{branch}`: a file is larger than GitHub takes.")
    if "stale info" in text or "fetch first" in text or "non-fast-forward" in text:
        return _moved(repo, branch)
    if "[remote rejected]" in text or "pre-receive hook declined" in text:
        return UserFacing(f"GitHub refused the push to `{branch}`; its rules for {repo} say no to this change.")
    return told_of_remote(failure, repo, write=True)


def _moved(repo: str, branch: str) -> UserFacing:
    return UserFacing(
        f"Somebody else moved `{branch}` in {repo}, so nothing was pushed over their work.", verb="/agent retry"
    )


def _check_replaces(
    git: Runner,
    at: Layout,
    repo: str,
    mirror: Path,
    *,
    sha: str,
    branch: str,
    expected: str,
    token: str,
    identity: tuple[str, str],
    lock: int,
) -> None:
    """A lease alone would let us drop a person's commit that we have seen: only a fast-forward, or commits of our own, may go."""
    if not objects.exists(git, mirror, expected, "commit"):
        mirrors.fetch(git, at, repo, refs=[f"refs/heads/{branch}"], token=token, lock=lock)
        if not objects.exists(git, mirror, expected, "commit"):
            raise _moved(repo, branch)
    dropped = git(
        mirror, "log", "--no-show-signature", "--format=%ae%x00%ce", expected, "--not", sha, limit=1 << 20
    ).out.decode(errors="replace")
    ours = identity[1]
    if any(line.split("\0") != [ours, ours] for line in dropped.splitlines()):
        raise UserFacing(
            f"`{branch}` in {repo} holds commits that are not this bot's, and the push would drop them.",
            verb="/agent retry",
        )
