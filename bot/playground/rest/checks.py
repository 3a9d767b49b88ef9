"""Check runs, check suites and commit statuses."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from bot.playground.acts import checks as acts
from bot.playground.api import Answer, Call, Route
from bot.playground.data import CheckRun, CheckSuite
from bot.playground.shapes import checks as shapes
from bot.playground.shapes import commits
from bot.playground.validation import ApiError, Body, custom, invalid, not_found

_ANNOTATIONS = 50
_TEXT_CAP = 65_535
_DESCRIPTION_CAP = 140


class Annotation(Body):
    path: str
    start_line: int
    end_line: int
    annotation_level: Literal["notice", "warning", "failure"]
    message: str
    start_column: int | None = None
    end_column: int | None = None
    title: str | None = None
    raw_details: str | None = None


class _OutputParts(Body):
    summary: str
    text: str | None = None
    annotations: list[Annotation] | None = None


class Output(_OutputParts):
    title: str


class ChangedOutput(_OutputParts):
    title: str | None = None


Conclusion = Literal["action_required", "cancelled", "failure", "neutral", "success", "skipped", "stale", "timed_out"]


class RunFields(Body):
    details_url: str | None = None
    external_id: str | None = None
    status: Literal["queued", "in_progress", "completed"] | None = None
    started_at: str | None = None
    conclusion: Conclusion | None = None
    completed_at: str | None = None


class NewRun(RunFields):
    name: str
    head_sha: str
    output: Output | None = None


class ChangedRun(RunFields):
    name: str | None = None
    output: ChangedOutput | None = None


class NewStatus(Body):
    state: Literal["error", "failure", "pending", "success"]
    target_url: str | None = None
    description: str | None = None
    context: str = "default"


def _fields(body: NewRun | ChangedRun) -> dict[str, Any]:
    for name in ("started_at", "completed_at"):
        if (at := getattr(body, name)) is not None:
            _check_time(name, at)
    if body.output is not None:
        if len(body.output.annotations or []) > _ANNOTATIONS:
            given = len(body.output.annotations or [])
            sentence = f"No more than {_ANNOTATIONS} items are allowed; {given} were supplied."
            raise ApiError(422, f"Invalid request.\n\n{sentence}")
        for field in ("summary", "text"):
            if len((getattr(body.output, field) or "").encode()) > _TEXT_CAP:
                raise custom("CheckRun", f"Only {_TEXT_CAP} characters are allowed; more were supplied.", field=field)
    return body.model_dump(exclude_none=True, exclude={"head_sha"}, mode="python")


def _check_time(name: str, text: str) -> None:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ApiError(
            422, f"Invalid request.\n\nFor 'properties/{name}', \"{text}\" is not a valid date-time."
        ) from None


def _shape(call: Call, run: CheckRun) -> dict[str, Any]:
    pulls = call.state.open_pulls(call.repo, sha=run.suite.head_sha)
    return shapes.check_run(call.state.web, run, pulls)


def create_run(call: Call) -> Answer:
    body = call.body(NewRun)
    run = acts.create_run(call.state, call.repo, call.by, name=body.name, sha=body.head_sha, fields=_fields(body))
    shape = _shape(call, run)
    return Answer(201, shape, {"location": shape["url"]})


def _run_of(call: Call) -> CheckRun:
    number = call.number("check_run_id")
    found = next((run for run in acts.check_runs(call.repo) if run.id == number), None)
    if found is None:
        raise not_found()
    return found


def get_run(call: Call) -> Answer:
    return Answer(200, _shape(call, _run_of(call)))


def update_run(call: Call) -> Answer:
    run, body = _run_of(call), call.body(ChangedRun)
    acts.update_run(call.state, run, call.by, _fields(body))
    return Answer(200, _shape(call, run))


def list_annotations(call: Call) -> Answer:
    run = _run_of(call)
    page = f"{call.state.web.repo_html(call.repo)}/blob/{run.suite.head_sha}"
    empty = dict.fromkeys(("start_column", "end_column", "title", "raw_details"))
    return call.page(run.annotations, lambda row: {**empty, **row, "blob_href": f"{page}/{row['path']}"})


def _sha(call: Call) -> str:
    sha = call.repo.git.resolve(call.params["ref"])
    if sha is None:
        raise ApiError(422, f"No commit found for SHA: {call.params['ref']}")
    return sha


def list_runs(call: Call) -> Answer:
    """`filter=latest` (the default) gives the newest run of each name and App."""
    sha, query = _sha(call), call.query
    runs = [run for run in acts.check_runs(call.repo) if run.suite.head_sha == sha]
    if query.get("filter", "latest") == "latest":
        newest = {(run.suite.app.id, run.name): run for run in runs}
        runs = [run for run in runs if newest[(run.suite.app.id, run.name)] is run]
    runs = [
        run
        for run in runs[::-1]
        if query.get("check_name", run.name) == run.name
        and query.get("status", run.status) == run.status
        and query.get("app_id", str(run.suite.app.id)) == str(run.suite.app.id)
    ]
    return call.page(runs, lambda run: _shape(call, run), wrap="check_runs")


def _suite_shape(call: Call, suite: CheckSuite) -> dict[str, Any]:
    pulls = call.state.open_pulls(call.repo, sha=suite.head_sha)
    return shapes.check_suite(call.state.web, suite, call.repo.git.commit(suite.head_sha), pulls)


def list_suites(call: Call) -> Answer:
    sha = _sha(call)
    rows = [suite for suite in call.repo.suites if suite.head_sha == sha]
    rows = [one for one in rows if call.query.get("app_id", str(one.app.id)) == str(one.app.id)]
    return call.page(rows, lambda suite: _suite_shape(call, suite), wrap="check_suites")


def get_suite(call: Call) -> Answer:
    number = call.number("check_suite_id")
    found = next((suite for suite in call.repo.suites if suite.id == number), None)
    if found is None:
        raise not_found()
    return Answer(200, _suite_shape(call, found))


def create_status(call: Call) -> Answer:
    body = call.body(NewStatus)
    if body.description is not None and len(body.description) > _DESCRIPTION_CAP:
        raise custom(
            "Status", f"description is too long (maximum is {_DESCRIPTION_CAP} characters)", field="description"
        )
    if body.target_url is not None and not body.target_url.startswith(("http://", "https://")):
        raise invalid("Status", "target_url", "invalid")
    made = acts.set_status(
        call.state, call.repo, call.by, call.params["sha"],
        status=body.state, context=body.context, description=body.description, target_url=body.target_url,
    )  # fmt: skip
    shape = commits.status(call.state.web, call.repo, made)
    return Answer(201, shape, {"location": shape["url"]})


def list_statuses(call: Call) -> Answer:
    sha = _sha(call)
    rows = [one for one in reversed(call.repo.statuses) if one.sha == sha]
    return call.page(rows, lambda one: commits.status(call.state.web, call.repo, one))


def combined_status(call: Call) -> Answer:
    sha = _sha(call)
    newest = {one.context: one for one in call.repo.statuses if one.sha == sha}
    return Answer(200, commits.combined_status(call.state.web, call.repo, sha, list(newest.values())))


_REPO = "/repos/{owner}/{repo}"
_RUN = f"{_REPO}/check-runs/{{check_run_id}}"
_COMMIT = f"{_REPO}/commits/{{ref:path}}"
_R, _S, _T = "checks/runs", "checks/suites", "commits/statuses"
ROUTES = (
    Route("POST", f"{_REPO}/check-runs", create_run, f"{_R}#create-a-check-run", needs="checks=write", role="write"),
    Route("GET", _RUN, get_run, f"{_R}#get-a-check-run", needs="checks=read"),
    Route("PATCH", _RUN, update_run, f"{_R}#update-a-check-run", needs="checks=write", role="write"),
    Route("GET", f"{_RUN}/annotations", list_annotations, f"{_R}#list-check-run-annotations", needs="checks=read"),
    Route("GET", f"{_COMMIT}/check-runs", list_runs, f"{_R}#list-check-runs-for-a-git-reference", needs="checks=read"),
    Route("GET", f"{_COMMIT}/check-suites", list_suites, f"{_S}#list-check-suites-for-a-git-reference", needs="checks=read"),
    Route("GET", f"{_REPO}/check-suites/{{check_suite_id}}", get_suite, f"{_S}#get-a-check-suite", needs="checks=read"),
    Route("GET", f"{_COMMIT}/status", combined_status, f"{_T}#get-the-combined-status-for-a-specific-reference", needs="statuses=read"),
    Route("GET", f"{_COMMIT}/statuses", list_statuses, f"{_T}#list-commit-statuses-for-a-reference", needs="statuses=read"),
    Route("POST", f"{_REPO}/statuses/{{sha}}", create_status, f"{_T}#create-a-commit-status", needs="statuses=write", role="write"),
)  # fmt: skip
