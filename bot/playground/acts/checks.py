"""Check suites, check runs and commit statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.playground.clock import stamp
from bot.playground.data import App, By, CheckRun, CheckSuite, CommitStatus, Repo
from bot.playground.shapes import checks as shapes
from bot.playground.shapes import commits
from bot.playground.validation import ApiError, custom, invalid

if TYPE_CHECKING:
    from bot.playground.state import State

_STATUS_CAP = 1000


def suite_of(state: State, repo: Repo, app: App, *, sha: str, branch: str | None = None) -> tuple[CheckSuite, bool]:
    """The App's suite at a SHA, made where there is none; and whether it was made."""
    for suite in repo.suites:
        if suite.app is app and suite.head_sha == sha:
            return suite, False
    now = state.clock.now()
    suite = CheckSuite(state.new_id(), repo, app, sha, branch, now, now)
    repo.suites.append(suite)
    return suite, True


def _tell_suite(state: State, suite: CheckSuite, action: str, by: By, *, only: App | None = None) -> None:
    head = suite.repo.git.commit(suite.head_sha)
    pulls = state.open_pulls(suite.repo, sha=suite.head_sha)
    body = shapes.check_suite(state.web, suite, head, pulls)
    body.pop("repository")
    state.emit(suite.repo, "check_suite", action, by, {"check_suite": body}, only=only)


def request_suites(state: State, repo: Repo, by: By, *, sha: str, branch: str) -> None:
    """After a push: a suite for every App that may write checks, and `check_suite.requested` to that App alone."""
    for installation in list(state.installations.values()):
        if installation.permissions.get("checks") != "write" or not installation.covers(repo):
            continue
        suite, made = suite_of(state, repo, installation.app, sha=sha, branch=branch)
        if made:
            _tell_suite(state, suite, "requested", by, only=installation.app)


def check_runs(repo: Repo) -> list[CheckRun]:
    """Every check run of a repository, oldest first."""
    return sorted((run for suite in repo.suites for run in suite.runs), key=lambda run: run.id)


def _tell_run(state: State, run: CheckRun, action: str, by: By) -> None:
    suite = run.suite
    pulls = state.open_pulls(suite.repo, sha=suite.head_sha)
    body = shapes.check_run(state.web, run, pulls)
    status, conclusion = shapes.suite_state(suite)
    body["check_suite"] = {
        "id": suite.id,
        "node_id": shapes.node_id("CS", suite.id),
        "head_branch": suite.head_branch,
        "head_sha": suite.head_sha,
        "status": status,
        "conclusion": conclusion,
        "url": f"{state.web.repo_api(suite.repo)}/check-suites/{suite.id}",
        "before": None,
        "after": suite.head_sha,
        "pull_requests": body["pull_requests"],
        "app": body["app"],
        "created_at": stamp(suite.born),
        "updated_at": stamp(suite.updated_at),
    }
    state.emit(suite.repo, "check_run", action, by, {"check_run": body})


def create_run(state: State, repo: Repo, by: By, *, name: str, sha: str, fields: dict[str, Any]) -> CheckRun:
    """Create a check run as an App. Raises ApiError 403 for people, 422 for an unknown SHA."""
    if by.app is None:
        raise ApiError(403, "You must authenticate via a GitHub App.")
    if repo.git.kind(sha) != "commit":
        raise ApiError(422, f"No commit found for SHA: {sha}")
    suite, _ = suite_of(state, repo, by.app, sha=sha)
    run = CheckRun(state.new_id(), suite, name, state.clock.now())
    _apply(state, run, fields)
    suite.runs.append(run)
    suite.updated_at = state.clock.now()
    state.count("check_run", repo, by, detail=f"{name}@{sha}", id=run.id)
    _tell_run(state, run, "created", by)
    _completed(state, run, by, was="")
    return run


def update_run(state: State, run: CheckRun, by: By, fields: dict[str, Any]) -> None:
    """Change a check run of the same App. Raises ApiError 403 for anybody else's."""
    if by.app is not run.suite.app:
        number = by.app.id if by.app else ""
        sentence = f"Invalid app_id `{number}` - check run can only be modified by the GitHub App that created it."
        raise ApiError(403, sentence)
    was = run.status
    _apply(state, run, fields)
    run.suite.updated_at = state.clock.now()
    state.count("check_run_edit", run.suite.repo, by, detail=f"{run.name}@{run.suite.head_sha}", id=run.id)
    _completed(state, run, by, was=was)


def _completed(state: State, run: CheckRun, by: By, *, was: str) -> None:
    if run.status != "completed" or was == "completed":
        return
    _tell_run(state, run, "completed", by)
    if shapes.suite_state(run.suite)[0] == "completed":
        _tell_suite(state, run.suite, "completed", by)


def _apply(state: State, run: CheckRun, fields: dict[str, Any]) -> None:
    """`conclusion` means completed; completed needs a conclusion; a run starts when it is made."""
    now = stamp(state.clock.now())
    given = dict(fields)
    output = given.pop("output", None) or {}
    if given.get("conclusion"):
        given["status"] = "completed"
    if given.get("status") == "completed" and not (given.get("conclusion") or run.conclusion):
        raise invalid("CheckRun", "conclusion", "missing_field")
    if given.get("status") in ("queued", "in_progress"):
        run.conclusion = run.completed_at = None
    for name, value in given.items():
        setattr(run, name, value)
    if run.started_at is None:
        run.started_at = now
    if run.status == "completed" and run.completed_at is None:
        run.completed_at = now
    for name in ("title", "summary", "text"):
        if output.get(name) is not None:
            setattr(run, name, output[name])
    run.annotations.extend(output.get("annotations") or [])


def set_status(
    state: State,
    repo: Repo,
    by: By,
    sha: str,
    *,
    status: str,
    context: str,
    description: str | None,
    target_url: str | None,
) -> CommitStatus:
    """Put a commit status. Raises ApiError 422 for an unknown SHA or the 1,001st of one context."""
    if len(sha) != 40 or repo.git.kind(sha) != "commit":
        raise ApiError(422, f"No commit found for SHA: {sha}")
    if sum(one.sha == sha and one.context == context for one in repo.statuses) >= _STATUS_CAP:
        raise custom("Status", "This SHA and context has reached the maximum number of statuses.")
    made = CommitStatus(state.new_id(), sha, status, context, description, target_url, by.account, state.clock.now())
    repo.statuses.append(made)
    state.count("status", repo, by, detail=f"{context}@{sha}", id=made.id)
    _tell_status(state, repo, by, made)
    return made


def _tell_status(state: State, repo: Repo, by: By, one: CommitStatus) -> None:
    web, api = state.web, state.web.repo_api(repo)
    tips = [(name.removeprefix("refs/heads/"), tip) for name, tip, _ in repo.git.refs("refs/heads/") if tip == one.sha]
    head = {"sha": one.sha, "url": f"{api}/commits/{one.sha}"}
    branches = [{"name": name, "commit": head, "protected": name in repo.protected} for name, _ in tips]
    payload = {
        "id": one.id,
        "sha": one.sha,
        "name": repo.full_name,
        "target_url": one.target_url,
        "avatar_url": None,
        "context": one.context,
        "description": one.description,
        "state": one.state,
        "commit": commits.commit(web, repo, repo.git.commit(one.sha), state.account_of),
        "branches": branches[:10],
        "created_at": stamp(one.born),
        "updated_at": stamp(one.born),
    }
    state.emit(repo, "status", None, by, payload)
