"""Plan: the approved spec becomes lines of work. A small spec is planned by code; a larger one by a model, checked by code either way."""

from dataclasses import replace

import prompts
from bot.core import ids, planning
from bot.core.answers import PlanAnswer
from bot.core.model_text import spec_text
from bot.core.plan import LineOfWork, Plan
from bot.core.results import PhaseHeld, Planned
from bot.core.run import Revision
from bot.core.snapshot import fenced
from bot.phases.asking import Asked, Question, ask
from bot.phases.context import PhaseRun
from bot.phases.material import Material, gather

Ended = Planned | PhaseHeld


async def plan(phase: PhaseRun) -> Ended:
    """Only the revision whose hash was approved (or came out clean) is planned."""
    return await phase.step("plan", Ended, lambda: _plan(phase))  # ty: ignore[invalid-argument-type]


async def _plan(phase: PhaseRun) -> Ended:
    run = phase.run
    revision = run.revision
    if revision is None or revision.sha256 != run.approved_sha256:
        return PhaseHeld("Failed", "The spec that was approved is not the newest one.", "/agent retry from=draft")
    material = await gather(phase, run.base_sha, at_stake=tuple(it.path for it in revision.spec.changes))
    bounds = planning.Bounds(
        commands=material.ground.commands,
        hot=material.ground.config.work.hot_files,
        cap_micros=material.ground.config.limits.run_micros,
    )
    if planning.small(revision.spec):
        made = planning.small_plan(revision.spec)
        wrong = planning.problems(made, revision.spec, paths=material.ground.paths, bounds=bounds)
        if wrong:
            return PhaseHeld("Failed", f"The spec can't be planned: {wrong[0]}", "/agent refine <text>")
        return Planned(made, _branches(phase, made))
    asked = await _asked(phase, revision, material, bounds)
    made = _one_line(asked.value)
    return Planned(made, _branches(phase, made), asked.model, asked.micros)


async def _asked(phase: PhaseRun, revision: Revision, material: Material, bounds: planning.Bounds) -> Asked[Plan]:
    spec = revision.spec
    inputs = {name: text for name, text in material.inputs.items() if name != "issue"}
    prompt = prompts.render(
        prompts.load("coordinator/plan"),
        **inputs,
        hot_files=", ".join(bounds.hot) or "none besides lockfiles and changelogs",
        budget=f"{bounds.cap_micros / 1e6:.2f} dollars for the whole run",
        spec=fenced(spec_text(spec), material.delimiter),
    )

    def check(answer: PlanAnswer) -> Plan | list[str]:
        made = planning.to_plan(answer, spec)
        if isinstance(made, list):
            return made
        return list(planning.problems(made, spec, paths=material.ground.paths, bounds=bounds)) or made

    return await ask(phase, Question("coordinator", "plan", prompt.system, prompt.user, PlanAnswer, check))


def _one_line(plan: Plan) -> Plan:
    """All tasks in one line, in order: parallel lines come with the crew."""
    tasks = tuple(replace(task, id=f"t{n}") for n, task in enumerate((t for line in plan.lines for t in line.tasks), 1))
    renamed = {old.id: new.id for old, new in zip((t for line in plan.lines for t in line.tasks), tasks, strict=True)}
    tasks = tuple(replace(task, depends_on=tuple(renamed[it] for it in task.depends_on)) for task in tasks)
    return Plan((LineOfWork(1, plan.lines[0].title, tasks),))


def _branches(phase: PhaseRun, made: Plan) -> tuple[str, ...]:
    """A free branch name a line: what an earlier run of the issue took stays its own."""
    taken, out = set(phase.ctx.rows.branches(phase.run.repo.id, phase.run.issue)), []
    for _ in made.lines:
        nth = 1
        while (name := ids.branch(phase.run.issue, phase.run.issue_title, nth)) in taken:
            nth += 1
        taken.add(name)
        out.append(name)
    return tuple(out)
