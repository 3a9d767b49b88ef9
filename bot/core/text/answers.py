"""Plain answers to a command, one sentence or two each: what is the case, and what to say instead."""

from bot.core.events import Actor
from bot.core.run import (
    AwaitingAnswer,
    AwaitingApproval,
    Done,
    Drafting,
    Failed,
    InReview,
    Paused,
    Revision,
    Run,
    Stopped,
    Working,
)

NOBODY = Actor(0, "")
"""Who acts when nobody did: a timer, an uninstalled App."""


def standing(run: Run) -> str:
    """What the run is doing, as a clause: `the spec is being written`."""
    match run.state:
        case Drafting():
            return "the spec is being written"
        case AwaitingAnswer(ids=ids):
            return f"the run waits for an answer to {', '.join(ids)}"
        case AwaitingApproval():
            return "the spec waits for an approval"
        case Working():
            return "the work is going on"
        case InReview():
            return "the pull request is open"
        case Paused():
            return "the run is paused"
        case Done():
            return "the run is done"
        case Stopped():
            return "the run was stopped"
        case Failed():
            return "the run failed"


def no_run_yet() -> str:
    """A verb that needs a run, on an issue that has none."""
    return "There is no run on this issue yet: put the label `agent` on it, or say `/agent spec`."


def already_active(run: Run) -> str:
    """A second start while a run is active."""
    return f"Run {run.number} is already active: {standing(run)}. Say `/agent stop` first to start over."


def over(run: Run) -> str:
    """A verb that needs an active run."""
    return f"Run {run.number} is over ({standing(run)}): put the label `agent` on again for a new run."


def refine_in_review() -> str:
    """Refine after the pull request is open, in this version."""
    return "The pull request is already open, so the spec can't be refined in this run: close the pull request and label the issue again."


def nothing_to_refine() -> str:
    """Refine of a run that failed before its first revision."""
    return "There is no spec yet that could be refined: say `/agent retry`, or change the issue and put the label `agent` on again."


def nothing_to_approve(run: Run) -> str:
    """Approve where nothing waits for it."""
    return f"Nothing waits for an approval: {standing(run)}."


def stale_approval(ref: str, newest: Revision | None) -> str:
    """Approve of a revision that is not the newest published one."""
    named = f"`{ref}` is not the newest revision" if ref else "No revision was published before that comment"
    if newest is None:
        return f"{named}."
    return f"{named}: revision {newest.number} (`{newest.sha256[:7]}`) is. Read it, then say `/agent approve {newest.sha256[:7]}`."


def blocked_approval(ids: tuple[str, ...]) -> str:
    """Approve while blocking findings are open."""
    return (
        f"The review still has open findings that block: {', '.join(ids)}. "
        f"Say `/agent refine …` to have them settled, or `/agent waive {ids[0]} <reason>` to overrule one."
    )


def nothing_to_answer(run: Run, key: str) -> str:
    """An answer to something that is not open."""
    if isinstance(run.state, AwaitingAnswer):
        return f"`{key}` is not open; what waits for an answer: {', '.join(run.state.ids)}."
    return f"Nothing waits for an answer: {standing(run)}."


def nothing_to_waive(key: str) -> str:
    """Waive of a finding that is not open."""
    return f"There is no open finding `{key}` in the newest revision's review."


def nothing_to_pause(run: Run) -> str:
    """Pause where nothing is moving."""
    return f"There is nothing to pause: {standing(run)}."


def nothing_to_resume(run: Run) -> str:
    """Resume where nothing is paused."""
    return f"There is nothing to resume: {standing(run)}."


def nothing_to_retry(run: Run) -> str:
    """Retry where nothing failed."""
    return f"There is nothing to retry: {standing(run)}."


def unknown_phase(name: str, known: tuple[str, ...]) -> str:
    """Retry from a phase that doesn't exist."""
    return f"There is no phase `{name[:40]}`; retry takes from={' or from='.join(known)}."


def retry_too_far(phase: str) -> str:
    """Retry from a phase whose input was never made."""
    return f"This run never came as far as {phase}: say `/agent retry from=draft`."


def not_served(owner: str) -> str:
    """An installation outside JOURNEYMAN_OWNERS."""
    return f"This server does not work for `{owner}`: its operator has to add the account to JOURNEYMAN_OWNERS."


def no_permission(login: str, role: str, required: str) -> str:
    """A label by somebody below the required role."""
    has = f"has the role {role}" if role != "none" else "has no role here"
    return f"`{login}` {has}, and this needs {required}: ask somebody with write permission to put the label on."


def author_may_not_approve() -> str:
    """`approval.not_author` is set."""
    return "This repository asks for an approval by somebody other than the issue's author."


def still_held() -> str:
    """Resume of a run that is held for protected files."""
    return "`/agent resume` does not lift the hold: a person who stands for the change says `/agent waive H1 <reason>`."


def nothing_held() -> str:
    """A release of a hold that isn't there."""
    return "Nothing is held in this run."
