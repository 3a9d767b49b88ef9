"""Our labels: names are part of the product, colours and descriptions ours to keep."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    """A label as it should look; `color` is six hex digits."""

    name: str
    color: str
    description: str


COMMANDS = (
    Label("agent", "1f6feb", "Journeyman: spec, review, work and pull requests"),
    Label("agent:spec", "1f6feb", "Journeyman: spec and review only, then wait for approval"),
    Label("agent:skip", "6e7781", "Journeyman: never touch; put on during a run, stops it"),
)

STATES = {
    "Drafting": Label("agent/drafting", "bfd4f2", "Journeyman writes the spec"),
    "AwaitingAnswer": Label("agent/needs-answer", "fbca04", "Journeyman needs an answer"),
    "AwaitingApproval": Label("agent/needs-approval", "fbca04", "Journeyman needs an approval of the spec"),
    "Working": Label("agent/working", "c5def5", "Journeyman is working on this"),
    "InReview": Label("agent/in-review", "8250df", "Journeyman's pull requests are open"),
    "Paused": Label("agent/paused", "d4c5f9", "Journeyman is paused"),
    "Done": Label("agent/done", "1a7f37", "Journeyman is done"),
    "Stopped": Label("agent/stopped", "6e7781", "Journeyman was stopped"),
    "Failed": Label("agent/failed", "cf222e", "Journeyman failed; the status comment says why"),
}
"""A run's state -> its label; a labelled issue carries exactly one of them."""

ONE_SHOTS = ("agent", "agent:spec")
"""Taken off once the run row is committed, so that they can be put on again."""

ALL = (*COMMANDS, *STATES.values())
BY_NAME = {label.name: label for label in ALL}
STATE_NAMES = frozenset(label.name for label in STATES.values())
