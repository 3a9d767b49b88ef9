"""Labels of a repository and of an issue."""

from __future__ import annotations

from typing import Any

from bot.playground.acts import labels as acts
from bot.playground.api import Answer, Call, Route
from bot.playground.data import Issue, Label
from bot.playground.rest.issues import issue_of
from bot.playground.shapes import issues as shapes
from bot.playground.validation import Body, checked, read_json


class NewLabel(Body):
    name: str
    color: str = "ededed"
    description: str | None = None


class ChangedLabel(Body):
    new_name: str | None = None
    color: str | None = None
    description: str | None = None


class LabelNames(Body):
    labels: list[str]


def _shape(call: Call, label: Label) -> dict[str, Any]:
    return shapes.label(call.state.web, call.repo, label)


def list_labels(call: Call) -> Answer:
    rows = sorted(call.repo.labels.values(), key=lambda one: one.name.lower())
    return call.page(rows, lambda one: _shape(call, one))


def create_label(call: Call) -> Answer:
    body = call.body(NewLabel)
    made = acts.create(call.state, call.repo, call.by, name=body.name, color=body.color, description=body.description)
    shape = _shape(call, made)
    return Answer(201, shape, {"location": shape["url"]})


def get_label(call: Call) -> Answer:
    return Answer(200, _shape(call, acts.find(call.repo, call.params["name"])))


def update_label(call: Call) -> Answer:
    label, body = acts.find(call.repo, call.params["name"]), call.body(ChangedLabel)
    acts.update(
        call.state, call.repo, call.by, label, name=body.new_name, color=body.color, description=body.description
    )
    return Answer(200, _shape(call, label))


def delete_label(call: Call) -> Answer:
    acts.delete(call.state, call.repo, call.by, acts.find(call.repo, call.params["name"]))
    return Answer(204)


def _names(call: Call) -> list[str]:
    """`{"labels": […]}` or a bare array."""
    data = read_json(call.raw)
    return checked(LabelNames, {"labels": data} if isinstance(data, list) else data).labels


def _of(call: Call, issue: Issue) -> Answer:
    return Answer(200, [_shape(call, one) for one in issue.labels])


def list_issue_labels(call: Call) -> Answer:
    return call.page(issue_of(call).labels, lambda one: _shape(call, one))


def add_issue_labels(call: Call) -> Answer:
    issue = issue_of(call)
    acts.add(call.state, issue, call.by, _names(call))
    return _of(call, issue)


def set_issue_labels(call: Call) -> Answer:
    issue = issue_of(call)
    acts.put(call.state, issue, call.by, _names(call))
    return _of(call, issue)


def remove_issue_labels(call: Call) -> Answer:
    acts.put(call.state, issue_of(call), call.by, [])
    return Answer(204)


def remove_issue_label(call: Call) -> Answer:
    issue = issue_of(call)
    acts.remove(call.state, issue, call.by, call.params["name"])
    return _of(call, issue)


_ALL = "/repos/{owner}/{repo}/labels"
_ONE = f"{_ALL}/{{name}}"
_ISSUE = "/repos/{owner}/{repo}/issues/{number}/labels"
_READ, _WRITE = "issues=read; pull_requests=read", "issues=write; pull_requests=write"
_D = "issues/labels"
ROUTES = (
    Route("GET", _ALL, list_labels, f"{_D}#list-labels-for-a-repository", needs=_READ),
    Route("POST", _ALL, create_label, f"{_D}#create-a-label", needs=_WRITE, role="write"),
    Route("GET", _ONE, get_label, f"{_D}#get-a-label", needs=_READ),
    Route("PATCH", _ONE, update_label, f"{_D}#update-a-label", needs=_WRITE, role="write"),
    Route("DELETE", _ONE, delete_label, f"{_D}#delete-a-label", needs=_WRITE, role="write"),
    Route("GET", _ISSUE, list_issue_labels, f"{_D}#list-labels-for-an-issue", needs=_READ),
    Route("POST", _ISSUE, add_issue_labels, f"{_D}#add-labels-to-an-issue", needs=_WRITE, role="triage"),
    Route("PUT", _ISSUE, set_issue_labels, f"{_D}#set-labels-for-an-issue", needs=_WRITE, role="triage"),
    Route("DELETE", _ISSUE, remove_issue_labels, f"{_D}#remove-all-labels-from-an-issue", needs=_WRITE, role="triage"),
    Route("DELETE", f"{_ISSUE}/{{name}}", remove_issue_label, f"{_D}#remove-a-label-from-an-issue", needs=_WRITE, role="triage"),
)  # fmt: skip
