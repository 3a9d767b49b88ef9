"""Check runs and check suites."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.playground.clock import stamp
from bot.playground.data import CheckRun, CheckSuite, Pull
from bot.playground.objects import CommitInfo
from bot.playground.shapes.accounts import app
from bot.playground.shapes.commits import utc
from bot.playground.shapes.pulls import pull_minimal
from bot.playground.shapes.repositories import repository
from bot.playground.shapes.web import Web, node_id

Json = dict[str, Any]
_WORST = ("failure", "timed_out", "cancelled", "action_required", "stale", "success", "neutral", "skipped")


def suite_state(suite: CheckSuite) -> tuple[str, str | None]:
    """(status, conclusion) of a suite from its runs."""
    if not suite.runs or all(run.status == "queued" for run in suite.runs):
        return "queued", None
    if any(run.status != "completed" for run in suite.runs):
        return "in_progress", None
    found = {run.conclusion for run in suite.runs}
    return "completed", next((word for word in _WORST if word in found), "neutral")


def check_run(web: Web, run: CheckRun, pulls: Sequence[Pull]) -> Json:
    """`check-run`; `pulls` are the open ones at its SHA."""
    suite = run.suite
    url = f"{web.repo_api(suite.repo)}/check-runs/{run.id}"
    return {
        "id": run.id,
        "name": run.name,
        "node_id": node_id("CR", run.id),
        "head_sha": suite.head_sha,
        "external_id": run.external_id,
        "url": url,
        "html_url": f"{web.repo_html(suite.repo)}/runs/{run.id}",
        "details_url": run.details_url or web.root,
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": run.started_at,
        "completed_at": run.completed_at,
        "output": {
            "title": run.title,
            "summary": run.summary,
            "text": run.text,
            "annotations_count": len(run.annotations),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": suite.id},
        "app": app(web, suite.app),
        "pull_requests": [pull_minimal(web, pull) for pull in pulls],
    }


def _head_commit(head: CommitInfo) -> Json:
    return {
        "id": head.sha,
        "tree_id": head.tree,
        "message": head.message,
        "timestamp": utc(head.committer[2]),
        "author": {"name": head.author[0], "email": head.author[1]},
        "committer": {"name": head.committer[0], "email": head.committer[1]},
    }


def check_suite(web: Web, suite: CheckSuite, head: CommitInfo, pulls: Sequence[Pull]) -> Json:
    """`check-suite`."""
    status, conclusion = suite_state(suite)
    url = f"{web.repo_api(suite.repo)}/check-suites/{suite.id}"
    return {
        "id": suite.id,
        "node_id": node_id("CS", suite.id),
        "head_branch": suite.head_branch,
        "head_sha": suite.head_sha,
        "status": status,
        "conclusion": conclusion,
        "url": url,
        "before": head.parents[0] if head.parents else "0" * 40,
        "after": suite.head_sha,
        "pull_requests": [pull_minimal(web, pull) for pull in pulls],
        "app": app(web, suite.app),
        "created_at": stamp(suite.born),
        "updated_at": stamp(suite.updated_at),
        "rerequestable": True,
        "runs_rerequestable": True,
        "latest_check_runs_count": len(suite.runs),
        "check_runs_url": f"{url}/check-runs",
        "head_commit": _head_commit(head),
        "repository": repository(web, suite.repo),
    }
