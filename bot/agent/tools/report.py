"""`report`: the worker says that it is finished. Facts in it are replaced by what the engine observed."""

from dataclasses import dataclass

from bot.agent.tools.schema import strict
from bot.core.conversation import Json, ToolSpec

_TEXTS = {"type": "array", "items": {"type": "string"}}

SPEC = ToolSpec(
    name="report",
    description=(
        "End the task. Call it once, when the work is finished and checked, or when it can't be finished. At most 300 words in all. "
        "Files, commits, test results and costs are taken from the repository, not from here."
    ),
    schema=strict(
        status={"type": "string", "enum": ["done", "partial", "failed"]},
        decisions={**_TEXTS, "description": "Choices made where the brief left room, one sentence each."},
        deviations={**_TEXTS, "description": "Where the work differs from the brief, and why."},
        blockers={**_TEXTS, "description": "What kept the work from being finished."},
        follow_ups={**_TEXTS, "description": "What should be done later, outside this task."},
    ),
)


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker handed back."""

    status: str
    decisions: tuple[str, ...] = ()
    deviations: tuple[str, ...] = ()
    blockers: tuple[str, ...] = ()
    follow_ups: tuple[str, ...] = ()


def read(given: Json) -> Report:
    """The report in an input that fits the schema; texts are capped, so that no report floods a page."""
    lists = {
        name: tuple(_clip(t) for t in given[name][:12])
        for name in ("decisions", "deviations", "blockers", "follow_ups")
    }
    return Report(given["status"], **lists)


def _clip(text: str, limit: int = 600) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
