"""What becomes of a run when a phase ends. Pure: the run, the result and the time in, a transition out."""

from dataclasses import replace
from typing import assert_never

from bot.core.evidence import Evidence
from bot.core.results import (
    Delivered,
    PhaseHeld,
    Planned,
    Result,
    SpecChallenged,
    SpecDrafted,
    TaskBlocked,
    TaskFinished,
    Verified,
)
from bot.core.run import (
    AwaitingAnswer,
    AwaitingApproval,
    Drafting,
    Failed,
    InReview,
    Line,
    Paused,
    Phase,
    Run,
    State,
    TaskState,
    Working,
)
from bot.core.transition import Transition, logged, phase_call

RELEASE = "/agent waive H1 <reason>"
"""The verb that lifts a hold; `/agent resume` doesn't."""


def advance(run: Run, result: Result, *, now: str) -> Transition:
    """The one answer to every result a phase can hand back."""
    match result:
        case SpecDrafted():
            return _drafted(run, result, now)
        case SpecChallenged():
            return _challenged(run, result, now)
        case Planned():
            return _planned(run, result, now)
        case TaskFinished():
            return _task_finished(run, result, now)
        case TaskBlocked():
            return _task_blocked(run, result, now)
        case Verified():
            return _verified(run, result, now)
        case Delivered():
            return _delivered(run, result, now)
        case PhaseHeld():
            return _held(run, result, now)
        case _:
            assert_never(result)


def enter(run: Run, state: State, phase: Phase | None, *, line: int = 0, task: str = "") -> Transition:
    """The run in a new state, its next phase (if any) enqueued at a new epoch."""
    run = replace(run, state=state, phase=phase, epoch=run.epoch + 1)
    return Transition(run, (phase_call(run, phase, line=line, task=task),) if phase else ())


def open_assumptions(run: Run) -> tuple[str, ...]:
    """Assumptions of the newest revision that wait for a person."""
    if run.revision is None:
        return ()
    return tuple(it.id for it in run.revision.spec.assumptions if it.needs_person and not it.answer)


def start_work(run: Run, now: str) -> Transition:
    """From a spec that may be worked on to its plan: only for the hash that was approved or came out clean."""
    return enter(run, Working(), "plan")


def _drafted(run: Run, result: SpecDrafted, now: str) -> Transition:
    revision = result.revision
    run = replace(
        run, revisions=(*run.revisions, revision), foundation=result.foundation, base_sha=revision.base_sha, refine=""
    )
    run = logged(
        run, f"spec revision {revision.number} drafted", now=now, who=revision.author_model, micros=result.micros
    )
    if waiting := open_assumptions(run):
        return enter(run, AwaitingAnswer(waiting), None)
    return enter(run, Drafting(), "challenge")


def _challenged(run: Run, result: SpecChallenged, now: str) -> Transition:
    run = replace(run, revisions=result.revisions)
    what = "verdict clean" if result.clean else f"{len(result.open_ids)} open"
    rounds = "1 round" if result.rounds == 1 else f"{result.rounds} rounds"
    run = logged(run, f"reviewed in {rounds}: {what}", now=now, who=result.vendor, micros=result.micros)
    if waiting := open_assumptions(run):
        return enter(run, AwaitingAnswer(waiting), None)
    if not result.clean and not result.open_ids:
        said = run.revisions[-1].grounding
        return enter(
            run,
            AwaitingApproval(f"the spec does not stand on the repository as it is: {said[0] if said else ''}"),
            None,
        )
    if not result.clean:
        some = "1 open finding" if len(result.open_ids) == 1 else f"{len(result.open_ids)} open findings"
        return enter(run, AwaitingApproval(f"the review still has {some}: {', '.join(result.open_ids)}"), None)
    if run.mode == "spec":
        return enter(run, AwaitingApproval("the label asks for an approval before any work"), None)
    if result.approval_required:
        return enter(run, AwaitingApproval("this repository requires an approval before any work"), None)
    revision = run.revisions[-1]
    return start_work(replace(run, approved_sha256=revision.sha256), now)


def _planned(run: Run, result: Planned, now: str) -> Transition:
    lines = tuple(
        Line(line.number, line.title, branch, "working", tasks=tuple(TaskState(t.id, t.title) for t in line.tasks))
        for line, branch in zip(result.plan.lines, result.branches, strict=True)
    )
    tasks = sum(len(line.tasks) for line in lines)
    shape = f"{tasks} task{'s' * (tasks != 1)} in {len(lines)} line{'s' * (len(lines) != 1)} of work"
    run = logged(
        replace(run, plan=result.plan, lines=lines), f"plan: {shape}", now=now, who=result.by, micros=result.micros
    )
    first = lines[0]
    return enter(run, Working(), "work", line=first.number, task=first.tasks[0].id)


def with_line(run: Run, line: Line) -> Run:
    """The run with that line replaced by its number."""
    return replace(run, lines=tuple(line if it.number == line.number else it for it in run.lines))


def line_of(run: Run, number: int) -> Line:
    """The line of work with that number. Raises LookupError: a StopIteration never arrives from another thread."""
    found = next((it for it in run.lines if it.number == number), None)
    if found is None:
        raise LookupError(f"{run.id} has no line {number}")
    return found


def _task_finished(run: Run, result: TaskFinished, now: str) -> Transition:
    line = line_of(run, result.line)
    tasks = tuple(
        replace(
            it,
            state="done",
            sha=result.sha,
            turns=result.turns,
            deviations=result.deviations,
            follow_ups=result.follow_ups,
        )
        if it.id == result.task
        else it
        for it in line.tasks
    )
    run = replace(run, answers=())
    waiting = next((it for it in tasks if it.state != "done"), None)
    line = replace(
        line,
        tasks=tasks,
        state="working" if waiting else "verifying",
        head_sha=result.sha,
        diff=result.diff,
        flags=tuple(dict.fromkeys((*line.flags, *result.flags))),
    )
    what = f"task {result.task} done in {result.turns} turn{'s' * (result.turns != 1)}: `{result.sha[:7]}`"
    run = logged(with_line(run, line), what, now=now, who=result.model, micros=result.micros)
    if result.held:
        some = ", ".join(f"`{path}`" for path in result.held[:5]) + (" and more" if len(result.held) > 5 else "")
        held = Paused(f"H1: the change touches protected files ({some}), so a person has to release it.", RELEASE)
        return Transition(replace(run, state=held, phase="work" if waiting else "verify", epoch=run.epoch + 1))
    if waiting:
        return enter(run, Working(), "work", line=line.number, task=waiting.id)
    return enter(run, Working(), "verify", line=line.number)


def _task_blocked(run: Run, result: TaskBlocked, now: str) -> Transition:
    key = f"Q{result.number}"
    run = logged(run, f"task {result.task} asks {key}", now=now, micros=result.micros)
    run = replace(run, said=f"**{key}.** {result.question}")
    return enter(run, AwaitingAnswer((key,)), None)


def _summary(evidence: Evidence) -> str:
    ran = [row for row in evidence.rows if row.where == "head"]
    return f"verified `{evidence.sha[:7]}`: {evidence.result}, {sum(row.passed for row in ran)} of {len(ran)} commands passed"


def _verified(run: Run, result: Verified, now: str) -> Transition:
    line = replace(line_of(run, result.line), evidence=result.evidence, state="delivering")
    run = logged(with_line(run, line), _summary(result.evidence), now=now)
    return enter(run, Working(), "deliver", line=line.number)


def _delivered(run: Run, result: Delivered, now: str) -> Transition:
    line = replace(
        line_of(run, result.line),
        pushed_sha=result.sha,
        pull_number=result.pull_number,
        pull_url=result.pull_url,
        ready=result.ready,
        state="in review",
    )
    run = logged(with_line(run, line), f"pull request #{result.pull_number} opened from `{line.branch}`", now=now)
    unfinished = next((it for it in run.lines if it.state not in ("in review", "merged", "closed", "failed")), None)
    if unfinished:
        return enter(run, Working(), "work", line=unfinished.number, task=unfinished.tasks[0].id)
    return enter(run, InReview(red=not all(it.ready for it in run.lines if it.state == "in review")), None)


def _held(run: Run, result: PhaseHeld, now: str) -> Transition:
    run = logged(run, result.sentence, now=now)
    if result.into == "Failed":
        state: State = Failed(result.sentence, result.verb)
    else:
        was = "Drafting" if isinstance(run.state, Drafting) else "Working"
        state = Paused(result.sentence, result.verb or "/agent resume", result.until, was)
    run = replace(run, state=state, epoch=run.epoch + 1)  # `phase` stays: resume and retry start it again
    return Transition(run)
