"""Challenge: grounding in code, then vendor B's attack and vendor A's revision, until nothing blocking is open or the rounds end."""

from dataclasses import dataclass, replace

import prompts
from bot.core import challenge as rules
from bot.core import grounding
from bot.core.answers import ReviewAnswer, ReviseAnswer, to_spec
from bot.core.challenge import Reviewer
from bot.core.model_text import findings_text, sentences, spec_text
from bot.core.results import SpecChallenged
from bot.core.review import Finding, Review
from bot.core.run import Revision, Run
from bot.core.snapshot import fenced
from bot.core.spec import Spec
from bot.core.text import spec_comment
from bot.phases.asking import Question, ask
from bot.phases.context import PhaseRun
from bot.phases.material import Material, gather
from bot.phases.repo import ground, texts

FILES_LIMIT = 60_000


@dataclass(frozen=True, slots=True)
class Round:
    """One round: the newest revision with its review, what it cost, and the grounding facts as they now stand."""

    revision: Revision
    micros: int


async def challenge(phase: PhaseRun) -> SpecChallenged:
    """At most `review.rounds` rounds; what is left open goes to a person."""
    run = phase.run
    here = await ground(phase, run.base_sha)
    block_on, most = here.config.review.block_on, here.config.review.rounds
    first = await phase.step("start", int, lambda: _first(run))
    # What this phase shows while it goes on is not what it starts from: a replay begins at the draft again.
    revisions, micros = [*run.revisions[: first - 1], replace(run.revisions[first - 1], review=None, grounding=())], 0
    if await phase.step("grounding", bool, lambda: _stands_badly(phase, revisions[-1].spec)):
        revised = await phase.step("revise/0", Round, lambda: _revise(phase, revisions[-1], 0))
        revisions, micros = [*revisions, revised.revision], revised.micros
        _show(phase, revisions)
    before: frozenset[str] | None = None
    for number in range(1, most + 1):
        newest = revisions[-1]
        reviewed = await phase.step(f"review/{number}", Round, lambda it=newest, n=number: _review(phase, it, n))
        revisions[-1], micros = reviewed.revision, micros + reviewed.micros
        _show(phase, revisions)
        now = rules.open_fingerprints(reviewed.revision.review, block_on)
        if rules.converged(before, now, number, most):
            break
        before = now
        revised = await phase.step(
            f"revise/{number}", Round, lambda it=reviewed.revision, n=number: _revise(phase, it, n)
        )
        revisions, micros = [*revisions, revised.revision], micros + revised.micros
        _show(phase, revisions)
    return _result(phase, revisions, micros, here.config.approval.required, block_on)


async def _first(run: Run) -> int:
    return len(run.revisions)


async def _stands_badly(phase: PhaseRun, spec: Spec) -> bool:
    return bool(await _ungrounded(phase, spec))


def _result(phase: PhaseRun, revisions: list[Revision], micros: int, required: bool, block_on) -> SpecChallenged:
    review = revisions[-1].review
    blocking = rules.blocking(review, block_on)
    return SpecChallenged(
        revisions=tuple(revisions),
        clean=review is not None and not blocking and not revisions[-1].grounding,
        open_ids=tuple(it.id for it in blocking),
        approval_required=required,
        vendor=phase.ctx.roles.model("review")[0],
        rounds=review.rounds if review else 0,
        micros=micros,
    )


def _show(phase: PhaseRun, revisions: list[Revision]) -> None:
    phase.ctx.rows.note(phase.run.id, phase.call.epoch, lambda run: replace(run, revisions=tuple(revisions)))


async def _ungrounded(phase: PhaseRun, spec: Spec) -> tuple[str, ...]:
    """What the spec says of the repository that is not so."""
    here = await ground(phase, phase.run.base_sha)
    paths = set(here.paths)
    known = await texts(phase, phase.run.base_sha, set(grounding.cited_files(spec, paths)))
    others: dict[str, list[str]] = {}
    for path, branch in phase.ctx.rows.open_paths(phase.run.repo.id, phase.run.id):
        others.setdefault(branch, []).append(path)
    return grounding.check(spec, paths, known.get, here.commands, others)


def _same_vendor(phase: PhaseRun) -> bool:
    author, reviewer = phase.ctx.roles.model("spec")[0], phase.ctx.roles.model("review")[0]
    return author.split("/")[0] == reviewer.split("/")[0]


async def _review(phase: PhaseRun, revision: Revision, number: int) -> Round:
    spec, facts = revision.spec, await _ungrounded(phase, revision.spec)
    material = await gather(phase, phase.run.base_sha, at_stake=tuple(it.path for it in spec.changes))
    shown = await _files(phase, material, spec)
    previous = revision.review
    prompt = prompts.render(
        prompts.load("review/challenge"),
        **{name: text for name, text in material.inputs.items() if name != "commands"},
        revision=str(revision.number),
        files=fenced(shown, material.delimiter),
        spec=fenced(spec_text(spec), material.delimiter),
        grounding=sentences(facts),
        findings=fenced(findings_text(previous.findings if previous else ()), material.delimiter),
    )
    asked = await ask(
        phase,
        Question(
            "review",
            f"review/{number}",
            prompt.system,
            prompt.user,
            ReviewAnswer,
            lambda it: rules.answer_problems(previous, it) or it,
        ),
    )
    known = await texts(phase, phase.run.base_sha, set(rules.cited_paths(asked.value)))
    review = rules.merge_round(
        previous,
        asked.value,
        reviewer=Reviewer(asked.model, _same_vendor(phase)),
        text_at=known.get,
        spec_text=spec_text(spec),
    )
    return Round(replace(revision, review=review, grounding=facts), asked.micros)


async def _files(phase: PhaseRun, material: Material, spec: Spec) -> str:
    """The texts that the spec would change, and those that it cites, within a budget; what is left out is named."""
    paths = {it.path for it in spec.changes} & set(material.ground.paths)
    paths |= set(grounding.cited_files(spec, set(material.ground.paths)))
    parts, room, left = [], FILES_LIMIT, []
    for path, text in (await texts(phase, phase.run.base_sha, paths)).items():
        if len(text) > room:
            left.append(path)
            continue
        room -= len(text)
        parts.append(f"--- {path}\n{text}")
    if left:
        parts.append(f"Not shown for length: {', '.join(left)}")
    return "\n".join(parts) or "none"


async def _revise(phase: PhaseRun, revision: Revision, number: int) -> Round:
    """The author's next revision, with a decision for each finding that was put to it."""
    run, review = phase.run, revision.review
    facts = await _ungrounded(phase, revision.spec)
    put = tuple(it for it in review.findings if it.status == "open") if review else ()
    material = await gather(phase, run.base_sha, at_stake=tuple(it.path for it in revision.spec.changes))
    prompt = prompts.render(
        prompts.load("spec/revise"),
        **material.inputs,
        revision=str(revision.number),
        spec=fenced(spec_text(revision.spec), material.delimiter),
        grounding=sentences(facts),
        findings=fenced(findings_text(put), material.delimiter),
        refine="none",
    )
    asked = await ask(
        phase,
        Question(
            "spec",
            f"revise/{number}",
            prompt.system,
            prompt.user,
            ReviseAnswer,
            lambda it: _revised(it, put, revision.spec),
        ),
    )
    spec, decided = asked.value
    new = Revision(
        number=revision.number + 1,
        spec=spec,
        sha256=spec_comment.digest(spec),
        base_sha=run.base_sha,
        author_model=asked.model,
        drafted_at=phase.ctx.clock.stamp(),
        review=_decided(review, decided),
        grounding=await _ungrounded(phase, spec),
    )
    return Round(new, asked.micros)


def _revised(answer: ReviseAnswer, put: tuple[Finding, ...], previous: Spec) -> tuple[Spec, ReviseAnswer] | list[str]:
    if missing := rules.decision_problems(put, answer.decisions):
        return missing
    spec = to_spec(answer, previous=previous)
    return spec if isinstance(spec, list) else (spec, answer)


def _decided(review: Review | None, answer: ReviseAnswer) -> Review | None:
    return rules.decide(review, answer.decisions) if review else None
