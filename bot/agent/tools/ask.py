"""`ask`: the worker needs a person. Its task ends as blocked; the answer goes on where it stopped."""

from dataclasses import dataclass

from bot.agent.tools.schema import strict
from bot.core.conversation import Json, ToolSpec

SPEC = ToolSpec(
    name="ask",
    description=(
        "Ask a person one question and stop until it is answered, which can take days. Only for what neither the brief nor the repository "
        "settles and what can't be undone cheaply; otherwise choose, and name the choice in the report."
    ),
    schema=strict(
        question={"type": "string", "description": "One question that can be answered without reading the code."},
        options={"type": "array", "items": {"type": "string"}, "description": "The answers you see; empty if open."},
        recommendation={"type": "string", "description": "What you would do, and why."},
    ),
)


@dataclass(frozen=True, slots=True)
class Question:
    """What a worker wants to know."""

    text: str
    options: tuple[str, ...] = ()
    recommendation: str = ""


def read(given: Json) -> Question:
    """The question in an input that fits the schema, capped."""
    return Question(
        given["question"][:1000], tuple(option[:200] for option in given["options"][:6]), given["recommendation"][:1000]
    )
