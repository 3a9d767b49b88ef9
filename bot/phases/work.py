"""Work: one task, one worker. What leaves the sandbox is a pack and a tree; the engine judges it and makes its own commit."""

import asyncio
from dataclasses import dataclass
from typing import assert_never

import prompts
from bot.agent import export, foundation, loop
from bot.agent import task as worker
from bot.agent.budget import Limits
from bot.agent.found_commands import test_paths
from bot.agent.outcomes import Asked, LimitReached, Outcome, Refused, Reported, Stuck
from bot.agent.transcript import Transcript
from bot.core import checkouts, planning
from bot.core.advance import line_of
from bot.core.conversation import ModelRequest
from bot.core.diff import FileDiff, Harvest
from bot.core.plan import Task
from bot.core.policy import DEFAULT_PROTECT, Policy
from bot.core.repo_config import RepoConfig
from bot.core.results import PhaseHeld, TaskBlocked, TaskFinished
from bot.core.run import DiffStat, Line, TaskState
from bot.core.text import commit, problems
from bot.phases.context import PhaseRun
from bot.phases.repo import ground
from bot.ports import Cancelled, Checkout

STARTS = 5
"""A task that takes its machine down at the same place each time must not be started for ever."""
Ended = TaskFinished | TaskBlocked | PhaseHeld


@dataclass(frozen=True, slots=True)
class Job:
    """The task with everything the worker and the engine need around it."""

    line: Line
    task: Task
    state: TaskState
    parent: str
    name: str
    """Names the task's journal, ledger keys and checkout: the same over pauses, another after a retry."""


async def work(phase: PhaseRun) -> Ended:
    """The whole task is one durable step; inside it, the journal keeps every turn."""
    return await phase.step("task", Ended, lambda: _task(phase))  # ty: ignore[invalid-argument-type]


def _job(phase: PhaseRun) -> Job:
    run, call = phase.run, phase.call
    if run.plan is None:
        raise LookupError("a task without a plan")
    line = line_of(run, call.line)
    task = next(it for it in run.plan.lines[call.line - 1].tasks if it.id == call.task)
    at = next(n for n, it in enumerate(line.tasks) if it.id == call.task)
    parent = line.tasks[at - 1].sha if at else run.base_sha
    return Job(line, task, line.tasks[at], parent, f"{line.number}/{task.id}~{run.attempt}")


async def _task(phase: PhaseRun) -> Ended:
    job, run, ctx = _job(phase), phase.run, phase.ctx
    if (
        ctx.rows.attempt(run.id, job.line.number, f"{job.task.id}~{run.attempt}+{run.resumes}@{_stands(phase, job)}")
        > STARTS
    ):
        return PhaseHeld(
            "Failed",
            f"Task {job.task.id} was started {STARTS} times and came no further.",
            "/agent retry from=work",
        )
    await ctx.git.fetch(run.repo.full_name, [f"refs/heads/{run.base_ref}"], await phase.read_token())
    # Nothing here closes it: until this step's result is stored, a replay exports the change from it again.
    checkout = await ctx.git.checkout(
        run.repo.full_name, job.parent, checkouts.task_key(run, job.line.number, job.task.id)
    )
    outcome = await _worker(phase, job, checkout)
    return await _outcome(phase, job, checkout, outcome)


async def _worker(phase: PhaseRun, job: Job, checkout: Checkout) -> Outcome:
    run, ctx = phase.run, phase.ctx
    model, effort = ctx.roles.model("work")
    here = await ground(phase, run.base_sha)
    rules = await foundation.read(ctx.git, run.repo.full_name, run.base_sha, at_stake=job.task.owns)
    prompt = prompts.render(
        prompts.load("work/task"),
        brief=planning.brief(run, job.task),
        foundation=rules.prompt_text,
        base_sha=job.parent,
    )

    async def on_turn(state: Transcript) -> None:
        doing = next((str(call.input.get("command", call.name)) for call in state.calls), "thinking")
        await asyncio.to_thread(ctx.rows.progress, run.id, job.line.number, job.task.id, state.answered, doing)

    task = worker.Task(
        run_id=run.id,
        key=job.name,
        request=ModelRequest(role="work", model=model, system=prompt.system, turns=(), effort=effort),
        model=ctx.models,
        sandbox=ctx.sandbox,
        checkout=checkout,
        ledger=ctx.ledger,
        limits=Limits(
            turns=job.task.max_turns,
            micros=here.config.limits.run_micros,
            seconds=float(min(here.config.work.timeout, here.config.limits.wall)),
        ),
        on_turn=on_turn,
        steer=lambda _seen: (),
        still_mine=phase.steps.still_mine,
        answers=run.answers,
    )
    return await loop.work(prompt.user, task, journal=ctx.journals(run.id, f"turn/{job.name}"), clock=ctx.clock)


async def _outcome(phase: PhaseRun, job: Job, checkout: Checkout, outcome: Outcome) -> Ended:
    again = "/agent retry from=work"
    match outcome:
        case Reported():
            return await _import(phase, job, checkout, outcome)
        case Asked(question=question, number=number):
            options = f" Options: {'; '.join(question.options)}." if question.options else ""
            advice = f" It would choose: {question.recommendation}" if question.recommendation else ""
            return TaskBlocked(job.line.number, job.task.id, f"{question.text}{options}{advice}", number)
        case LimitReached(reason=reason):
            return PhaseHeld("Failed", f"Task {job.task.id} reached a limit. {reason}", again)
        case Refused():
            return PhaseHeld("Failed", f"The model refused to work on task {job.task.id}.", "/agent refine <text>")
        case Stuck(reason=reason):
            return PhaseHeld("Failed", f"Task {job.task.id} got stuck. {reason}", again)
        case _:
            assert_never(outcome)


async def _import(phase: PhaseRun, job: Job, checkout: Checkout, outcome: Reported) -> Ended:
    ctx = phase.ctx
    pack, tree, _ = await export.export(ctx.sandbox, checkout)
    config = (await ground(phase, phase.run.base_sha)).config
    harvest = await ctx.git.harvest(checkout, pack, tree, policy_of(config))
    if harvest.problems:
        return PhaseHeld("Failed", problems.diff_refused(harvest.problems), "/agent retry from=work")
    if not harvest.files:
        return PhaseHeld("Failed", problems.nothing_changed(), "/agent retry from=work")
    if not await phase.steps.still_mine():
        raise Cancelled("the run moved on while the task ended")
    sha = await _commit(phase, job, harvest)
    return TaskFinished(
        line=job.line.number,
        task=job.task.id,
        sha=sha,
        turns=_turns(phase, job),
        diff=tuple(_stat(it) for it in await ctx.git.diff(phase.run.repo.full_name, phase.run.base_sha, sha)),
        flags=_flags(harvest, job.task),
        held=harvest.held,
        deviations=outcome.report.deviations,
        follow_ups=outcome.report.follow_ups,
        model=ctx.roles.model("work")[0],
        micros=_spent(phase, job),
    )


async def _commit(phase: PhaseRun, job: Job, harvest: Harvest) -> str:
    """The same task gives the same SHA after a crash: the date is stored before the first commit."""
    ctx, run = phase.ctx, phase.run
    kind = f"committed/{job.name}"
    kept = ctx.blobs.get(run.id, kind, 0)
    at = kept.decode() if kept is not None else ctx.clock.stamp()
    if kept is None:
        ctx.blobs.put(run.id, kind, 0, at.encode())
    text = commit.message(
        job.task.title,
        run_id=run.id,
        spec_sha256=run.approved_sha256,
        task_id=job.task.id,
        why=f"For #{run.issue}: {', '.join(job.task.requirements)}.",
        skip_ci=run.outsider,
        co_author=run.requester,
    )
    await asyncio.to_thread(ctx.gate.check, text, what="commit message", run_id=run.id)
    return await ctx.git.commit(run.repo.full_name, tree=harvest.tree, parents=[job.parent], message=text, at=at)


def policy_of(config: RepoConfig) -> Policy:
    """The caps and protected paths of a repository, on top of what is protected everywhere."""
    own = tuple((pattern, config.protect.policy) for pattern in config.protect.paths)
    return Policy(max_files=config.limits.files, max_patch_kb=config.limits.patch_kb, protect=(*DEFAULT_PROTECT, *own))


def _stands(phase: PhaseRun, job: Job) -> int:
    """How far the task's journal has come: restarts that it outlives are not counted against it."""
    entries = phase.ctx.journals(phase.run.id, f"turn/{job.name}").entries()
    return sum(entry["kind"] in ("answer", "tool result") for entry in entries)


def _turns(phase: PhaseRun, job: Job) -> int:
    entries = phase.ctx.journals(phase.run.id, f"turn/{job.name}").entries()
    return sum(entry["kind"] == "answer" for entry in entries)


def _spent(phase: PhaseRun, job: Job) -> int:
    entries = phase.ctx.journals(phase.run.id, f"turn/{job.name}").entries()
    return sum(int(entry["answer"]["micros"]) for entry in entries if entry["kind"] == "answer")


def _stat(file: FileDiff) -> DiffStat:
    kinds = {"A": "added", "D": "deleted", "R": "renamed"}
    return DiffStat(file.path, kinds.get(file.status[:1], "modified"), file.added or 0, file.removed or 0)  # ty: ignore[invalid-argument-type]


def _flags(harvest: Harvest, task: Task) -> tuple[str, ...]:
    changed = test_paths([it.path for it in harvest.files if it.status[:1] != "A"])
    flags = [f"existing tests changed: {', '.join(f'`{it}`' for it in changed[:5])}"] if changed else []
    stray = sorted(it.path for it in harvest.files if not planning.owned(task, it.path))
    flags += [f"outside the paths of the spec: {', '.join(f'`{it}`' for it in stray[:5])}"] if stray else []
    flags += [f"touches `{path}`" for path in harvest.warned[:10]]
    return tuple(flags)
