"""Labels of a repository and of its issues."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bot.playground.acts.events import note, tell_issue
from bot.playground.data import By, Issue, Label, Repo
from bot.playground.shapes import issues as shapes
from bot.playground.validation import ApiError, invalid, not_found

if TYPE_CHECKING:
    from bot.playground.state import State

_COLOR = re.compile(r"[0-9a-fA-F]{6}")
_NAME_CAP = 50
_DESCRIPTION_CAP = 100
_LABELS_CAP = 100


def find(repo: Repo, name: str) -> Label:
    """A label by name, any case. Raises ApiError 404."""
    label = repo.labels.get(name.lower())
    if label is None:
        raise not_found()
    return label


def _too_long(field: str, value: str, cap: int) -> dict[str, Any]:
    message = f"{field} is too long (maximum is {cap} characters)"
    return {"value": value, "resource": "Label", "field": field, "code": "too_long", "message": message}


def _check(repo: Repo, *, name: str, color: str, description: str | None, but: Label | None = None) -> None:
    errors: list[dict[str, Any]] = []
    if not name.strip():
        errors.append({"resource": "Label", "code": "missing_field", "field": "name"})
    elif len(name) > _NAME_CAP:
        errors.append(_too_long("name", name, _NAME_CAP))
    if not _COLOR.fullmatch(color):
        errors.append({"value": color, "resource": "Label", "code": "invalid", "field": "color"})
    if description is not None and len(description) > _DESCRIPTION_CAP:
        errors.append(_too_long("description", description, _DESCRIPTION_CAP))
    if repo.labels.get(name.lower()) not in (None, but):
        errors.append({"resource": "Label", "code": "already_exists", "field": "name"})
    if errors:
        raise ApiError(422, "Validation Failed", errors=errors)


def create(
    state: State, repo: Repo, by: By, *, name: str, color: str = "ededed", description: str | None = None
) -> Label:
    """Create a label of the repository. Raises ApiError 422 (`already_exists`, `invalid`, `too_long`)."""
    _check(repo, name=name, color=color, description=description)
    label = Label(state.new_id(), name, color.lower(), description, False, state.clock.now())
    repo.labels[name.lower()] = label
    state.count("label", repo, by, detail=name, id=label.id)
    state.emit(repo, "label", "created", by, {"label": shapes.label(state.web, repo, label)})
    return label


def update(
    state: State, repo: Repo, by: By, label: Label, *, name: str | None, color: str | None, description: str | None
) -> None:
    """Change what is given."""
    wanted = (name if name is not None else label.name, color if color is not None else label.color)
    _check(repo, name=wanted[0], color=wanted[1], description=description, but=label)
    changes: dict[str, Any] = {}
    for field, value in (("name", name), ("color", color), ("description", description)):
        if value is not None and value != getattr(label, field):
            changes[field] = {"from": getattr(label, field) or ""}
    repo.labels.pop(label.name.lower())
    label.name, label.color = wanted[0], wanted[1].lower()
    label.description = description if description is not None else label.description
    repo.labels[label.name.lower()] = label
    state.count("label_edit", repo, by, detail=label.name, id=label.id)
    state.emit(repo, "label", "edited", by, {"label": shapes.label(state.web, repo, label), "changes": changes})


def delete(state: State, repo: Repo, by: By, label: Label) -> None:
    """Delete a label, from every issue too."""
    repo.labels.pop(label.name.lower())
    for issue in repo.issues.values():
        if label in issue.labels:
            issue.labels.remove(label)
    state.count("label_delete", repo, by, detail=label.name, id=label.id)
    state.emit(repo, "label", "deleted", by, {"label": shapes.label(state.web, repo, label)})


def _named(state: State, repo: Repo, by: By, names: Sequence[str]) -> list[Label]:
    """The labels of these names; unknown ones are made, as GitHub does."""
    found: list[Label] = []
    for name in names:
        label = repo.labels.get(name.lower()) or create(state, repo, by, name=name)
        if label not in found:
            found.append(label)
    return found


def add(state: State, issue: Issue, by: By, names: Sequence[str]) -> None:
    """Put labels on an issue; those that are on it already change nothing and tell nobody."""
    for label in _named(state, issue.repo, by, names):
        if label in issue.labels:
            continue
        if len(issue.labels) >= _LABELS_CAP:
            raise invalid("Issue", "labels", "invalid")
        issue.labels.append(label)
        note(state, issue, "labeled", by, label=label)
        state.count("labeled", issue.repo, by, issue=issue.number, detail=label.name)
        tell_issue(state, issue, "labeled", by, {"label": shapes.label(state.web, issue.repo, label)})


def remove(state: State, issue: Issue, by: By, name: str) -> None:
    """Take a label off an issue. Raises ApiError 404 `Label does not exist`."""
    label = issue.repo.labels.get(name.lower())
    if label is None or label not in issue.labels:
        raise ApiError(404, "Label does not exist")
    issue.labels.remove(label)
    note(state, issue, "unlabeled", by, label=label)
    state.count("unlabeled", issue.repo, by, issue=issue.number, detail=label.name)
    tell_issue(state, issue, "unlabeled", by, {"label": shapes.label(state.web, issue.repo, label)})


def put(state: State, issue: Issue, by: By, names: Sequence[str]) -> None:
    """Make an issue's labels exactly these."""
    wanted = _named(state, issue.repo, by, names)
    for label in [one for one in issue.labels if one not in wanted]:
        remove(state, issue, by, label.name)
    add(state, issue, by, [label.name for label in wanted])
