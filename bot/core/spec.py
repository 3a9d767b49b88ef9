"""A spec as data: what a revision says. Rendering is in core/text, checking in core/grounding, the model's answer shape in core/answers."""

from dataclasses import dataclass
from typing import Literal

ChangeKind = Literal["create", "modify", "delete"]
Source = Literal["issue", "convention", "repo", "assumption"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One acceptance criterion, `AC1.1`."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement in EARS wording, `R1`; `source_ref` is a path with line where the source is a convention or the repo."""

    id: str
    text: str
    criteria: tuple[Criterion, ...]
    source: Source
    source_ref: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A path that the spec says will be created, modified or deleted, and why."""

    path: str
    kind: ChangeKind
    why: str


@dataclass(frozen=True, slots=True)
class Risk:
    """A risk with its mitigation; severity is a word: low, medium, high."""

    text: str
    severity: Literal["low", "medium", "high"]
    mitigation: str


@dataclass(frozen=True, slots=True)
class Assumption:
    """A default chosen where the issue is silent, `A1`; `needs_person` holds the run until it is answered."""

    id: str
    text: str
    reversible: bool
    needs_person: bool
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Convention:
    """A rule of the repo, where it stands, and how the spec meets it."""

    rule: str
    where: str
    status: str


SECTIONS: tuple[tuple[str, str], ...] = (
    ("modules", "Modules"),
    ("data_model", "Data model"),
    ("routes", "Routes"),
    ("events", "Events"),
    ("rbac", "RBAC"),
    ("caching", "Caching"),
    ("edge_cases", "Edge cases and failure modes"),
    ("consent_privacy", "Consent and privacy"),
    ("migration", "Migration and compatibility"),
    ("rollback", "Rollback"),
)
"""The free-text design sections of a spec: attribute and title, in the order they are published."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One revision of a spec. A section with nothing to say reads `none, because …`."""

    title: str
    tldr: str
    problem: str
    non_goals: tuple[str, ...]
    requirements: tuple[Requirement, ...]
    modules: str
    data_model: str
    routes: str
    events: str
    rbac: str
    caching: str
    edge_cases: str
    consent_privacy: str
    migration: str
    rollback: str
    changes: tuple[Change, ...]
    risks: tuple[Risk, ...]
    verification: tuple[str, ...]
    assumptions: tuple[Assumption, ...]
    conventions: tuple[Convention, ...]
