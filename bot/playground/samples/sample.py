"""What a sample consists of, and the shapes of scripted answers that all of them share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

from bot.core.answers import Dimension
from bot.core.conversation import Json
from bot.playground.vendor_replies import Policy

NONE = "none, because the change is inside one module and touches no {what}"


@dataclass(frozen=True, slots=True)
class Sample:
    """A repository, an issue, and the policy that answers for both vendors."""

    repo: str
    files: Mapping[str, bytes | str]
    title: str
    body: str
    policy: Policy
    default_branch: str = "main"
    judge: Mapping[str, bytes] = field(default_factory=dict)
    """Files of a later release that judge the result from outside: path -> content."""


def spec(
    *,
    title: str,
    tldr: str,
    problem: str,
    requirements: list[Json],
    changes: list[Json],
    verification: list[str],
    edge_cases: str,
    conventions: list[Json] | None = None,
    risks: list[Json] | None = None,
    assumptions: list[Json] | None = None,
) -> Json:
    """A draft answer whose empty sections say why they are empty."""
    return {
        "title": title,
        "tldr": tldr,
        "problem": problem,
        "non_goals": ["Anything that the issue does not name."],
        "requirements": requirements,
        "modules": ", ".join(f"`{it['path']}`" for it in changes),
        "data_model": NONE.format(what="stored data"),
        "routes": NONE.format(what="route"),
        "events": NONE.format(what="event"),
        "rbac": NONE.format(what="permission"),
        "caching": NONE.format(what="cache"),
        "edge_cases": edge_cases,
        "consent_privacy": NONE.format(what="personal data"),
        "migration": NONE.format(what="published contract"),
        "rollback": "Revert the commit.",
        "changes": changes,
        "risks": risks or [],
        "verification": verification,
        "assumptions": assumptions or [],
        "conventions": conventions or [],
    }


def review(*, findings: list[Json] | None = None, earlier: list[Json] | None = None) -> Json:
    """A review answer that answers every dimension."""
    raised = {it["dimension"] for it in findings or []}
    because = "walked through against the spec and the files it names; nothing found"
    return {
        "earlier": earlier or [],
        "findings": findings or [],
        "dimensions": [
            {"dimension": name, "outcome": "answered", "because": because}
            for name in get_args(Dimension)
            if name not in raised
        ],
    }


def report(*, deviations: list[str] | None = None, follow_ups: list[str] | None = None) -> Json:
    """The worker's last call."""
    return {
        "status": "done",
        "decisions": [],
        "deviations": deviations or [],
        "blockers": [],
        "follow_ups": follow_ups or [],
    }
