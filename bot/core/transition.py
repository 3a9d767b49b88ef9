"""A decided change of a run: the new row, the phases to start, and what to tell whom. Built only in core/decide and core/advance."""

from dataclasses import dataclass, replace

from bot.core.run import LogLine, Phase, Run


@dataclass(frozen=True, slots=True)
class PhaseCall:
    """One durable phase to start. The workflow id comes from the domain, so that repeating an input attaches instead of starting."""

    phase: Phase
    run_id: str
    epoch: int
    workflow_id: str
    line: int = 0
    task: str = ""


@dataclass(frozen=True, slots=True)
class Transition:
    """`cancel` stops the phases of earlier epochs; `confused` marks a command that was understood and not obeyed."""

    run: Run
    calls: tuple[PhaseCall, ...] = ()
    cancel: bool = False
    confused: bool = False


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing to do: a late or duplicate input, or one that this run doesn't answer to. `sentence` is said where a person waits for one."""

    sentence: str = ""


def phase_call(run: Run, phase: Phase, *, line: int = 0, task: str = "") -> PhaseCall:
    """The call that starts `phase` for the run as it now stands."""
    match phase:
        case "draft":
            key = f"draft/{len(run.revisions) + 1}"
        case "challenge" | "plan":
            key = f"{phase}/{len(run.revisions)}"
        case "work":
            key = f"line/{line}/task/{task}"
        case _:
            key = f"line/{line}/{phase}/{next((it.head_sha for it in run.lines if it.number == line), '')}"
    again = f"~{run.attempt}" if run.attempt > 1 else ""
    again += f"+{run.resumes}" if run.resumes else ""
    return PhaseCall(phase, run.id, run.epoch, f"{run.id}/{key}{again}", line, task)


def paid_key(call: PhaseCall) -> str:
    """Names the work of a call over pauses: a resumed phase finds the answers that were paid for before it was paused."""
    return call.workflow_id.removeprefix(f"{call.run_id}/").partition("+")[0]


def logged(run: Run, what: str, *, now: str, who: str = "", micros: int = 0) -> Run:
    """The run with one more log line; the log keeps its last 200."""
    return replace(run, log=(*run.log, LogLine(now, what, who, micros))[-200:])
