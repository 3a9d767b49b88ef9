"""The shapes that a model must answer in, and the way from an answer to our own data.

The wire models are flat: lists and no dicts, no defaults, no numeric constraints, since both vendors' strict modes take only that.
What a schema can't say (counts, lengths, references) is checked afterwards and comes back as plain sentences for the same model.
"""

import difflib
import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from bot.core.review import Severity
from bot.core.spec import (
    SECTIONS,
    Assumption,
    Change,
    ChangeKind,
    Convention,
    Criterion,
    Requirement,
    Risk,
    Source,
    Spec,
)

Dimension = Literal[
    "grounding",
    "scope cohesion",
    "simplicity",
    "routing",
    "data model",
    "migrations",
    "backward compatibility",
    "API contract",
    "events",
    "RBAC scope",
    "tenant and data isolation",
    "consent flow",
    "privacy",
    "caching",
    "edge cases",
    "failure modes",
    "concurrency",
    "idempotency",
    "reversibility",
    "security",
    "secrets and supply chain",
    "agent-specific",
    "performance",
    "rate limits",
    "observability",
    "UI",
    "accessibility and i18n",
    "configuration and operations",
    "test plan",
    "rollout",
    "cost",
    "licence",
    "docs and lessons",
    "plan quality",
    "internal consistency",
    "assumptions",
]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RequirementAnswer(_Wire):
    """One requirement; `criteria` in order, without ids."""

    id: str
    text: str
    criteria: list[str]
    source: Source
    source_ref: str


class ChangeAnswer(_Wire):
    path: str
    kind: ChangeKind
    why: str


class RiskAnswer(_Wire):
    text: str
    severity: Literal["low", "medium", "high"]
    mitigation: str


class AssumptionAnswer(_Wire):
    id: str
    text: str
    reversible: bool
    needs_person: bool


class ConventionAnswer(_Wire):
    rule: str
    where: str
    status: str


class DraftAnswer(_Wire):
    """A whole spec, as the author answers it."""

    title: str
    tldr: str
    problem: str
    non_goals: list[str]
    requirements: list[RequirementAnswer]
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
    changes: list[ChangeAnswer]
    risks: list[RiskAnswer]
    verification: list[str]
    assumptions: list[AssumptionAnswer]
    conventions: list[ConventionAnswer]


class DecisionAnswer(_Wire):
    finding: str
    decision: Literal["fixed", "rejected"]
    reason: str


class ReviseAnswer(DraftAnswer):
    """The next revision, with a decision for every finding that was put to the author."""

    decisions: list[DecisionAnswer]


class FindingAnswer(_Wire):
    """A finding. `path` is empty where the quote is from the spec; `line` is then 0."""

    severity: Severity
    dimension: Dimension
    claim: str
    scenario: str
    path: str
    line: int
    quote: str


class EarlierAnswer(_Wire):
    """What the reviewer says of a finding of an earlier round, now that the author has answered it."""

    finding: str
    outcome: Literal["settled", "stands"]
    because: str


class DimensionAnswer(_Wire):
    dimension: Dimension
    outcome: Literal["answered", "n/a"]
    because: str


class ReviewAnswer(_Wire):
    """One round of the adversarial pass."""

    earlier: list[EarlierAnswer]
    findings: list[FindingAnswer]
    dimensions: list[DimensionAnswer]


class TaskAnswer(_Wire):
    id: str
    title: str
    goal: str
    requirements: list[str]
    owns: list[str]
    reads: list[str]
    depends_on: list[str]
    contract: str
    verify: list[str]
    max_turns: int


class PlanAnswer(_Wire):
    """A flat list of tasks: lines of work follow from the dependencies, so code makes them."""

    tasks: list[TaskAnswer]


# ---- the wire ------------------------------------------------------------------------------------------------------


def wire_schema(model: type[BaseModel]) -> dict[str, Any]:
    """JSON schema that both vendors' strict modes take: no `$defs`, no titles, all properties required, nothing else allowed."""
    raw = model.model_json_schema()
    schema = _strict(raw, raw.get("$defs", {}))
    schema.pop("description", None)
    return schema


def _strict(node: Any, defs: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_strict(item, defs) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _strict(defs[node["$ref"].rsplit("/", 1)[-1]], defs)
    out = {key: _strict(value, defs) for key, value in node.items() if key not in ("title", "$defs", "properties")}
    if "properties" in node:
        out["properties"] = {name: _strict(value, defs) for name, value in node["properties"].items()}
        out["required"] = list(node["properties"])
        out["additionalProperties"] = False
    return out


# ---- draft to spec -------------------------------------------------------------------------------------------------

MAX_ITEMS = {
    "non_goals": 20,
    "requirements": 40,
    "changes": 200,
    "risks": 20,
    "verification": 20,
    "assumptions": 20,
    "conventions": 40,
}
MAX_CRITERIA = 10
MAX_LINE = 600
MAX_SECTION = 6_000
MAX_TITLE = 120
EARS = re.compile(r"\bSHALL\b")


def to_spec(answer: DraftAnswer, *, previous: Spec | None = None) -> Spec | list[str]:
    """The spec with ids in one form (`R1`, `AC1.1`, `A1`), or what is wrong with the answer, one plain sentence each.

    What a person settled in `previous` (an assumption with an answer) is kept word for word, whatever the model made of it.
    """
    problems = _shape_problems(answer)
    if problems:
        return problems
    requirements = _requirements(answer.requirements)
    return Spec(
        title=_line(answer.title),
        tldr=answer.tldr.strip(),
        problem=answer.problem.strip(),
        non_goals=tuple(_line(item) for item in answer.non_goals),
        requirements=requirements,
        changes=tuple(Change(_path(item.path), item.kind, _line(item.why)) for item in answer.changes),
        risks=tuple(Risk(_line(item.text), item.severity, _line(item.mitigation)) for item in answer.risks),
        verification=tuple(dict.fromkeys(_line(item) for item in answer.verification)),
        assumptions=_assumptions(answer.assumptions, previous),
        conventions=tuple(
            Convention(_line(item.rule), _line(item.where), _line(item.status)) for item in answer.conventions
        ),
        **{name: getattr(answer, name).strip() for name, _ in SECTIONS},
    )


def _requirements(items: list[RequirementAnswer]) -> tuple[Requirement, ...]:
    ids = numbered("R", [item.id for item in items])
    return tuple(
        Requirement(
            id=name,
            text=_line(item.text),
            criteria=tuple(Criterion(f"AC{name[1:]}.{n}", _criterion(text)) for n, text in enumerate(item.criteria, 1)),
            source=item.source,
            source_ref=_line(item.source_ref),
        )
        for name, item in zip(ids, items, strict=True)
    )


def _assumptions(items: list[AssumptionAnswer], previous: Spec | None) -> tuple[Assumption, ...]:
    settled = tuple(item for item in previous.assumptions if item.answer) if previous else ()
    new = [item for item in items if not any(_same(item.text, kept.text) for kept in settled)]
    taken = {kept.id for kept in settled}
    ids = numbered("A", [item.id for item in new], taken)
    made = tuple(
        Assumption(name, _line(item.text), item.reversible, item.needs_person)
        for name, item in zip(ids, new, strict=True)
    )
    return tuple(sorted((*settled, *made), key=lambda item: int(item.id[1:])))


def numbered(letter: str, given: list[str], taken: set[str] | frozenset[str] = frozenset()) -> list[str]:
    """Ids in the form `R7`: a usable number is kept (`r-7`, `R07`), so that ids stay the same over revisions; else the next free one."""
    used = set(taken)
    out: list[str] = []
    for text in given:
        match = re.fullmatch(rf"\W*{letter}?\W*0*([1-9]\d{{0,2}})\W*", text.strip(), re.ASCII | re.IGNORECASE)
        name = f"{letter}{match[1]}" if match else ""
        if name in used:
            name = ""
        used.add(name)
        out.append(name)
    free = (f"{letter}{n}" for n in range(1, 2_000) if f"{letter}{n}" not in used)
    return [name or next(free) for name in out]


def _same(left: str, right: str) -> bool:
    """Whether two assumptions say the same in other words; a close wording is enough, since asking a person twice is the lesser harm."""
    return difflib.SequenceMatcher(None, left.lower().split(), right.lower().split()).ratio() >= 0.6


def _criterion(text: str) -> str:
    return _line(re.sub(r"^\s*AC\s*\d+(\.\d+)?\s*[:.)-]?\s+", "", text, flags=re.IGNORECASE))


def _line(text: str) -> str:
    return " ".join(text.split())


def _path(text: str) -> str:
    return text.strip().strip("`").removeprefix("./")


# ---- what is wrong with a draft ------------------------------------------------------------------------------------


def _shape_problems(answer: DraftAnswer) -> list[str]:
    problems = _section_problems(answer)
    for name, limit in MAX_ITEMS.items():
        count = len(getattr(answer, name))
        if count > limit:
            problems.append(f"`{name}` has {count} entries; at most {limit} are taken.")
    problems += _requirement_problems(answer)
    problems += _entry_problems(answer)
    return problems


def _section_problems(answer: DraftAnswer) -> list[str]:
    problems = []
    for name in ("title", "tldr", "problem", *(name for name, _ in SECTIONS)):
        text = getattr(answer, name).strip()
        limit = MAX_TITLE if name == "title" else MAX_SECTION
        if not text:
            problems.append(f"`{name}` is empty; a section with nothing to say reads `none, because …`.")
        elif len(text) > limit:
            problems.append(f"`{name}` has {len(text)} characters; at most {limit} are taken.")
        elif name != "title" and re.fullmatch(r"(none|n/?a|-|not applicable)\W*", text, re.IGNORECASE):
            problems.append(f"`{name}` gives no reason; write `none, because …`.")
    return problems


def _requirement_problems(answer: DraftAnswer) -> list[str]:
    problems = []
    if not answer.requirements:
        problems.append("There is no requirement; a spec needs at least one.")
    for n, item in enumerate(answer.requirements, 1):
        name = f"Requirement {item.id or n}"
        if not EARS.search(item.text):
            problems.append(f"{name} is not in EARS wording: it has no `SHALL`.")
        if not item.criteria:
            problems.append(f"{name} has no acceptance criterion.")
        if len(item.criteria) > MAX_CRITERIA:
            problems.append(f"{name} has {len(item.criteria)} acceptance criteria; at most {MAX_CRITERIA} are taken.")
        if any(not text.strip() for text in item.criteria):
            problems.append(f"{name} has an empty acceptance criterion.")
        if item.source in ("convention", "repo") and not item.source_ref.strip():
            problems.append(f"{name} comes from the {item.source} and names no `source_ref` (path:line).")
        if any(len(text) > MAX_LINE for text in (item.text, *item.criteria)):
            problems.append(f"{name} has a text over {MAX_LINE} characters; split it.")
    return problems


def _entry_problems(answer: DraftAnswer) -> list[str]:
    problems = []
    if not answer.changes:
        problems.append("`changes` is empty; name each path that will be created, modified or deleted.")
    seen: set[str] = set()
    for item in answer.changes:
        path = _path(item.path)
        if not _plain_path(path):
            problems.append(f"`{path[:80]}` in `changes` is not a path inside the repository.")
        if path in seen:
            problems.append(f"`{path}` is in `changes` twice.")
        seen.add(path)
    if any("\n" in item.strip() for item in answer.verification):
        problems.append("A command in `verification` has more than one line; give one command an entry.")
    long = [item.text for item in (*answer.risks, *answer.assumptions) if len(item.text) > MAX_LINE]
    if long:
        problems.append(f"A risk or an assumption has over {MAX_LINE} characters: `{long[0][:60]}…`.")
    if any(not item.text.strip() for item in (*answer.risks, *answer.assumptions)):
        problems.append("A risk or an assumption is empty.")
    return problems


def _plain_path(path: str) -> bool:
    parts = path.split("/")
    return (
        bool(path) and not path.startswith(("/", "~")) and ".." not in parts and path.isprintable() and "" not in parts
    )
