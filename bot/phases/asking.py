"""One question to a model, answered in a checked shape: reserved, sent, settled, kept, and asked again where the answer was not sound."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Generic, TypeVar

import msgspec
from pydantic import BaseModel, TypeAdapter, ValidationError

from bot.core.answers import wire_schema
from bot.core.budget import Charge
from bot.core.conversation import ModelAnswer, ModelRequest, Turn, UserTurn
from bot.core.transition import paid_key
from bot.phases.context import PhaseRun
from bot.ports import Permanent, PortError, UserFacing

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")
ATTEMPTS = 3
ANSWER = TypeAdapter(ModelAnswer)


@dataclass(frozen=True, slots=True)
class Asked(Generic[T]):
    """The checked value, which model gave it, and what all attempts cost."""

    value: T
    model: str
    micros: int


@dataclass(frozen=True, slots=True)
class Question(Generic[M, T]):
    """`name` is unique within its phase; `check` gives the value, or the sentences that the model must be told."""

    role: str
    name: str
    system: str
    user: str
    shape: type[M]
    check: Callable[[M], T | list[str]]
    max_tokens: int = 32_000


async def ask(phase: PhaseRun, question: Question[M, T]) -> Asked[T]:
    """Ask up to three times. Raises UserFacing for a refusal, Permanent when no answer had the shape, and the ports' errors."""
    model, effort = phase.ctx.roles.model(question.role)
    turns: tuple[Turn, ...] = (UserTurn(question.user),)
    micros, wrong = 0, ["nothing came back"]
    for attempt in range(1, ATTEMPTS + 1):
        request = ModelRequest(
            role=question.role,
            model=model,
            system=question.system,
            turns=turns,
            schema=wire_schema(question.shape),
            schema_name=question.shape.__name__,
            effort=effort,
            max_tokens=question.max_tokens,
        )
        answer = await paid_once(phase, request, f"{question.name}/{attempt}")
        micros += answer.micros
        if answer.stop == "refusal":
            raise UserFacing(
                f"The model refused to answer ({question.role}). Rewrite the issue so that it asks for ordinary engineering work.",
                verb="",
            )
        value = _checked(question, answer)
        if not isinstance(value, list):
            return Asked(value, answer.model, micros)
        wrong = value
        turns = (*turns, *_again(answer, wrong))
    raise Permanent(f"The model's answer was not usable after {ATTEMPTS} attempts: {wrong[0]}")


def _checked(question: Question[M, T], answer: ModelAnswer) -> T | list[str]:
    if answer.stop == "length":
        return ["The answer was longer than what fits; the same has to be said in fewer words."]
    if answer.parsed is None:
        return ["The answer was cut off or was not one JSON object."]
    try:
        shaped = question.shape.model_validate(answer.parsed)
    except ValidationError as problem:
        return [f"{'.'.join(map(str, it['loc']))}: {it['msg']}" for it in problem.errors()[:10]]
    return question.check(shaped)


def _again(answer: ModelAnswer, wrong: list[str]) -> tuple[Turn, ...]:
    listed = "\n".join(f"- {it}" for it in wrong[:20])
    note = UserTurn(f"That answer can't be used:\n{listed}\nGive the whole answer again with these mended.")
    return (answer.turn, note) if answer.turn.raw and answer.parsed is not None else (note,)


async def paid_once(phase: PhaseRun, request: ModelRequest, name: str) -> ModelAnswer:
    """One model call: an answer that came back before a crash is read from its blob, not bought again."""
    ctx, run_id = phase.ctx, phase.run.id
    key = f"{paid_key(phase.call)}/{name}"
    kept = ctx.blobs.get(run_id, f"answer/{key}", 0)
    if kept is not None:
        answer = ANSWER.validate_json(kept)
        _settle(phase, request, key, answer)  # the crash may have come between keeping the answer and settling it
        return answer
    ctx.blobs.put(run_id, f"prompt/{key}", 0, msgspec.json.encode(asdict(request)))
    ctx.ledger.reserve(run_id, key, ctx.models.worst_case(request))
    try:
        answer = await ctx.models.complete(request)
    except PortError:
        ctx.ledger.release(run_id, key)
        raise
    ctx.blobs.put(run_id, f"answer/{key}", 0, ANSWER.dump_json(answer))
    _settle(phase, request, key, answer)
    return answer


def _settle(phase: PhaseRun, request: ModelRequest, key: str, answer: ModelAnswer) -> None:
    phase.ctx.ledger.settle(
        Charge(phase.run.id, key, request.role, answer.model, answer.usage, answer.micros, answer.request_id)
    )
