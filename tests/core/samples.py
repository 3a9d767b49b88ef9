"""A small spec, answer and plan that the tests of the core vary."""

from dataclasses import replace

from bot.core import answers
from bot.core.events import RepoRef
from bot.core.evidence import VerifyCommand
from bot.core.plan import LineOfWork, Plan, Task
from bot.core.run import Revision, Run, Working
from bot.core.spec import Spec

COMMANDS = (VerifyCommand("unit", "python -m pytest"), VerifyCommand("types", "npm run typecheck", declared=True))
NONE = "none, because nothing of the kind is touched"


def draft(**changed: object) -> answers.DraftAnswer:
    """A good draft, with some fields replaced."""
    fields: dict[str, object] = {
        "title": "Log consent",
        "tldr": "Consent is stored before a lead is.",
        "problem": "Nobody can prove consent.",
        "non_goals": ["Double opt-in"],
        "requirements": [
            {
                "id": "R1",
                "text": "WHEN a visitor consents, the system SHALL store it.",
                "criteria": ["one row with the text version", "a second submit adds none"],
                "source": "issue",
                "source_ref": "",
            },
            {
                "id": "R2",
                "text": "IF consent is missing, THEN the system SHALL answer 422.",
                "criteria": ["no row in any table"],
                "source": "convention",
                "source_ref": "AGENTS.md:2",
            },
        ],
        **dict.fromkeys(("data_model", "routes", "events", "rbac", "caching"), NONE),
        **dict.fromkeys(("consent_privacy", "migration", "rollback"), NONE),
        "modules": "`shop/leads.py` calls `shop/consent.py` first.",
        "edge_cases": "Double click: the second is ignored.",
        "changes": [
            {"path": "shop/consent.py", "kind": "create", "why": "the log"},
            {"path": "shop/leads.py", "kind": "modify", "why": "checks consent first"},
            {"path": "tests/test_consent.py", "kind": "create", "why": "R1, R2"},
        ],
        "risks": [{"text": "Slow table", "severity": "low", "mitigation": "an index"}],
        "verification": ["python -m pytest"],
        "assumptions": [
            {"id": "A1", "text": "Consent is kept for 24 months", "reversible": True, "needs_person": True},
        ],
        "conventions": [{"rule": "Never log e-mail", "where": "AGENTS.md:2", "status": "met by R1"}],
    }
    return answers.DraftAnswer.model_validate(fields | changed)


def spec(**changed: object) -> Spec:
    """The spec of the good draft."""
    made = answers.to_spec(draft(**changed))
    assert isinstance(made, Spec), made
    return made


def task(name: str, *owns: str, needs: tuple[str, ...] = (), requirements: tuple[str, ...] = ("R1", "R2")) -> Task:
    """A task that owns some paths."""
    return Task(
        name, f"Task {name}", f"Goal of {name}.", requirements, owns, depends_on=needs, verify=("python -m pytest",)
    )


def plan(*lines: tuple[Task, ...]) -> Plan:
    """A plan of lines of tasks."""
    return Plan(tuple(LineOfWork(n, f"Line {n}", tasks) for n, tasks in enumerate(lines, 1)))


def run(of: Spec, made: Plan | None) -> Run:
    """A working run with that spec and plan."""
    blank = Run(
        id="acme/shop-42-r1",
        repo=RepoRef(1, "acme/shop", "main", False),
        installation_id=9,
        issue=42,
        issue_title="Consent log",
        issue_author="maria",
        number=1,
        mode="full",
        requester="maria",
        state=Working(),
        created_at="2026-11-24T09:00:00Z",
    )
    return replace(blank, revisions=(Revision(1, of, "s", "b", "m", "d"),), plan=made)
