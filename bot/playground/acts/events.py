"""Timeline rows, and the deliveries that tell of an issue or a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.playground.acts.facts import pull_facts
from bot.playground.data import By, Issue, IssueEvent, Pull
from bot.playground.shapes import issues as shapes
from bot.playground.shapes import pulls

if TYPE_CHECKING:
    from bot.playground.state import State


def note(state: State, issue: Issue, event: str, by: By, **fields: Any) -> None:
    """Add a row to the issue's timeline and move its `updated_at`."""
    row = IssueEvent(state.new_id(), event, by.account, by.app, state.clock.now(), **fields)
    issue.events.append(row)
    state.touch(issue)


def tell_issue(state: State, issue: Issue, action: str, by: By, extra: dict[str, Any] | None = None) -> None:
    """Deliver `issues.<action>`, or `pull_request.<action>` where the issue is a pull request."""
    if issue.pull is not None:
        tell_pull(state, issue.pull, action, by, extra)
        return
    state.emit(issue.repo, "issues", action, by, {"issue": shapes.issue_shape(state.web, issue), **(extra or {})})


def tell_pull(state: State, pull: Pull, action: str, by: By, extra: dict[str, Any] | None = None) -> None:
    """Deliver `pull_request.<action>`."""
    body = pulls.pull_full(state.web, pull, pull_facts(pull, ask=False))
    payload = {"number": pull.issue.number, "pull_request": body, **(extra or {})}
    state.emit(pull.repo, "pull_request", action, by, payload)
