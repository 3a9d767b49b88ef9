"""`journeyman try`: your repository, your model keys, no GitHub. Branches and texts come back; your work tree is not touched."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.core.run import AwaitingAnswer, AwaitingApproval, InReview, Run
from bot.playground.demo import follow, words
from bot.playground.stage import Stage, StageProblem, scratch
from bot.ports import UserFacing

Say = Callable[[str], None]
WHO = "you"
DETACHED = "main"
"""The playground's default branch where the person's HEAD is on none."""
RUN_SECONDS = 4 * 3600.0
QUIET = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "fetch.prune=false",
    "fetch.pruneTags=false",
    "fetch.recurseSubmodules=false",
)
"""What a person's settings could do beyond what we ask for: run their hooks, repack, take away their tags."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The repository at its HEAD, and the issue: its first line is the title."""

    repo: Path
    branch: str
    head: str
    title: str
    body: str
    dirty: bool
    """Whether tracked files have changes that are not committed; they stay where they are."""


def run_trial(repo: Path, issue: Path, *, keys: Mapping[str, str], unsandboxed: bool, say: Say) -> int:
    """0 when a pull request with passing evidence came out, 1 when not. Raises UserFacing for what can't be used."""
    wanted = _wanted(repo, issue)
    if not keys.get("ANTHROPIC_API_KEY") and not keys.get("OPENAI_API_KEY"):
        raise UserFacing(
            "No model key is set: give ANTHROPIC_API_KEY or OPENAI_API_KEY (or both), then say `journeyman try` again; "
            "`journeyman demo` needs none.",
            verb="",
        )
    try:
        with scratch("journeyman-try-") as directory, Stage(directory, keys, unsandboxed=unsandboxed) as stage:
            return _play(stage, wanted, say)
    except StageProblem as problem:
        raise UserFacing(str(problem), verb="") from None


def git(repo: Path, *words: str) -> str:
    """Ask a person's repository something, or fetch into it, without its hooks and without touching work tree, index or HEAD."""
    env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": os.environ.get("HOME", "/"), "GIT_OPTIONAL_LOCKS": "0"}
    quiet = [it for key in QUIET for it in ("-c", key)]
    done = subprocess.run(["git", *quiet, "-C", str(repo), *words], capture_output=True, text=True, env=env)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        said = next((it for it in lines if it.startswith(("fatal:", "error:"))), lines[-1])
        raise UserFacing(f"git {words[0]} in {repo} failed: {said}", verb="")
    return done.stdout.strip()


def _wanted(repo: Path, issue: Path) -> Wanted:
    if not issue.is_file():
        raise UserFacing(
            f"There is no file {issue}: --issue needs a Markdown file whose first line is the title.", verb=""
        )
    title, _, body = issue.read_text(errors="replace").strip().partition("\n")
    title = title.lstrip("# ").strip()
    if not title:
        raise UserFacing(f"{issue} is empty: its first line is the issue's title.", verb="")
    if not (repo / ".git").exists():
        raise UserFacing(f"{repo} is not the top of a git repository.", verb="")
    try:
        head = git(repo, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    except UserFacing:
        raise UserFacing(f"{repo} has no commit yet: commit something for the work to start from.", verb="") from None
    if git(repo, "rev-parse", "--is-shallow-repository") == "true":
        raise UserFacing(f"{repo} is a shallow clone: say `git fetch --unshallow` in it first.", verb="")
    branch = git(repo, "branch", "--show-current") or DETACHED
    dirty = bool(git(repo, "status", "--porcelain", "--untracked-files=no"))
    return Wanted(repo.resolve(), branch, head, title, body.strip(), dirty)


def _play(stage: Stage, wanted: Wanted, say: Say) -> int:
    name = f"you/{re.sub(r'[^A-Za-z0-9._-]+', '-', wanted.repo.name).strip('.-').removesuffix('.git') or 'repository'}"
    hub = stage.hub
    hub.create_user(WHO)
    made = hub.create_repo(name, default_branch=wanted.branch)
    _seed(wanted, made.git.path)
    hub.add_collaborator(name, WHO, "admin")
    hub.install(stage.app, "you")
    issue = hub.open_issue(name, WHO, wanted.title, wanted.body)
    say(
        f"“{wanted.title}” on {wanted.repo} at {wanted.head[:7]} ({wanted.branch}); follow it at {hub.url}/{name}/issues/{issue.number}"
    )
    if wanted.dirty:
        say("Changes that are not committed are no part of this, and stay as they are.")
    hub.label(name, issue.number, "agent", by=WHO)
    run = follow(stage, say, seconds=RUN_SECONDS)
    return _bring_back(stage, wanted, name, run, say)


def _seed(wanted: Wanted, bare: Path) -> None:
    """The person's HEAD becomes the playground's default branch, by fetch from the playground's side."""
    ref = f"refs/heads/{wanted.branch}"
    git(bare, "fetch", "--quiet", "--no-tags", str(wanted.repo), f"HEAD:{ref}")


def _bring_back(stage: Stage, wanted: Wanted, name: str, run: Run, say: Say) -> int:
    """Branches come back as branches, texts into a folder of the git directory: nothing of the work tree changes."""
    texts = Path(git(wanted.repo, "rev-parse", "--absolute-git-dir")) / "journeyman" / f"{run.issue}-{int(time.time())}"
    texts.mkdir(parents=True, exist_ok=True)
    if run.revisions and (spec := _spec(stage, name, run.issue)):
        (texts / "spec.md").write_text(spec)
        say(f"spec          {texts / 'spec.md'}")
    for line in run.lines:
        if not line.pull_number:
            continue
        branch, pull = _free(wanted.repo, line.branch), stage.hub.pull(name, line.pull_number)
        bare = str(stage.hub.repo(name).git.path)
        refs = f"refs/heads/{line.branch}:refs/heads/{branch}"
        git(wanted.repo, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", bare, refs)
        text = f"# {pull.issue.title}\n\n{pull.issue.body or ''}\n"
        (texts / f"pull-request-{line.number}.md").write_text(text)
        say(
            f"branch        {branch}, in {wanted.repo}\npull request  {texts / f'pull-request-{line.number}.md'}\n\n{text}"
        )
    if isinstance(run.state, InReview) and not run.state.red:
        return 0
    if isinstance(run.state, AwaitingAnswer | AwaitingApproval):
        say(
            "The spec needs you first: read it, write the answers into the issue's file, and say `journeyman try` again."
        )
    reason = getattr(run.state, "reason", "") or getattr(run.state, "why", "")
    say(f"The run came to rest {words(run)}{': ' if reason else '.'}{reason}")
    return 1


def _spec(stage: Stage, name: str, issue: int, *, seconds: float = 60.0) -> str:
    """The spec comment once the publisher has made it; comments follow a run by some seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for comment in stage.hub.issue(name, issue).comments:
            if comment.app is not None and "kind=spec" in comment.body:
                return comment.body
        time.sleep(0.2)
    return ""


def _free(repo: Path, branch: str) -> str:
    """The branch's name, with a number where an earlier try has it."""
    there = set(git(repo, "for-each-ref", "--format=%(refname:short)", "refs/heads/agent").splitlines())
    names = (branch if nth == 1 else f"{branch}-try{nth}" for nth in range(1, 1000))
    return next(name for name in names if name not in there)
