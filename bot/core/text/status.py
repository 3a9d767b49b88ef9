"""The status comment: where the run stands, what it cost, what a person can say (INTERFACE.md)."""

from dataclasses import dataclass

from bot.core.budget import Spend, dollars
from bot.core.run import TERMINAL, Drafting, InReview, Line, Run, Working
from bot.core.text import defang, evidence
from bot.core.text import review as reviews
from bot.core.text.figures import between, clock, minutes, model, plural, short
from bot.core.text.fit import LIMIT, Part, fit
from bot.core.text.markdown import code, details, table

LOG_LINES = 60


@dataclass(frozen=True, slots=True)
class Progress:
    """What a worker is doing now: `doing` is a clause (`running pytest -q`), shown defanged."""

    line: int
    task: str
    turn: int
    doing: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that the projection reads. `now` is RFC 3339 UTC; `me` is the App's slug."""

    run: Run
    spend: Spend
    progress: tuple[Progress, ...]
    cap_micros: int
    now: str
    me: str


def elapsed(snapshot: Snapshot) -> float:
    """Seconds from the start to now, or to the last thing that happened where the run rests."""
    run = snapshot.run
    moving = isinstance(run.state, (Drafting, Working))
    last = snapshot.now if moving or not run.log else run.log[-1].at
    return between(run.created_at, last)


def status(snapshot: Snapshot, *, limit: int = LIMIT) -> str:
    """The whole comment without its marker."""
    run = snapshot.run
    parts = [
        Part(_head(snapshot)),
        Part(_reason(run)),
        Part(table(("", "phase", "result"), _phases(snapshot))),
        Part(defang.block(run.said, 4_000) if run.said else ""),
        Part(next_words(run)),
        Part(_log(snapshot), 1, "the log"),
    ]
    return fit(parts, limit)


def _head(snapshot: Snapshot) -> str:
    run = snapshot.run
    said = [f"**Journeyman** {_doing(run)}"]
    tasks = [task for line in run.lines for task in line.tasks]
    if tasks and isinstance(run.state, Working):
        said.append(f"{sum(task.state == 'done' for task in tasks)} of {plural(len(tasks), 'task')} done")
    said.append(f"{dollars(snapshot.spend.micros)} of {dollars(snapshot.cap_micros)}")
    said.append(minutes(elapsed(snapshot)))
    return " · ".join(said)


def _doing(run: Run) -> str:
    match run.state.kind:
        case "Drafting":
            return "has the spec reviewed" if run.phase == "challenge" else "writes the spec"
        case "AwaitingAnswer":
            return "needs an answer"
        case "AwaitingApproval":
            return "needs an approval"
        case "Working":
            return "is working on this"
        case "InReview":
            return _in_review(run)
        case "Paused":
            return "is **paused**"
        case "Done":
            return "is **done**"
        case "Stopped":
            return "was **stopped**"
        case "Failed":
            return "has **failed**"


def _in_review(run: Run) -> str:
    pulls = [f"#{line.pull_number}" for line in run.lines if line.pull_number]
    what = f"pull {'request' if len(pulls) == 1 else 'requests'} {', '.join(pulls)}"
    if isinstance(run.state, InReview) and run.state.red:
        return f"opened {what} as a draft: verification **{_worst(run)}**"
    return f"opened {what} for review"


def _worst(run: Run) -> str:
    results = [line.evidence.result for line in run.lines if line.evidence]
    return next((word for word in ("FAIL", "RED ON BASE", "NOT RUN") if word in results), "NOT RUN")


def _reason(run: Run) -> str:
    state = run.state
    match state.kind:
        case "AwaitingAnswer":
            return _questions(run, state.ids)
        case "AwaitingApproval":
            return f"The spec waits for a person: {defang.line(state.why)}." if state.why else ""
        case "Paused":
            until = f" It goes on by itself at {clock(state.until)} UTC." if state.until else ""
            return f"{defang.line(state.reason)}{until}"
        case "Failed":
            return defang.line(state.reason)
        case "Stopped" | "Done":
            why = defang.line(state.why)
            start = why[:1].upper() if why.startswith(("the ", "a ", "every ", "all ")) else why[:1]
            return f"{start}{why[1:].rstrip('.')}." if why else ""
        case _:
            return ""


def _questions(run: Run, ids: tuple[str, ...]) -> str:
    known = {each.id: each.text for each in run.revision.spec.assumptions} if run.revision else {}
    return "\n".join(f"- **{defang.ident(each)}** {defang.line(known.get(each, ''), 400)}".rstrip() for each in ids)


def next_words(run: Run) -> str:
    """The verbs that make sense now; every waiting or ended state names the next one."""
    state = run.state
    match state.kind:
        case "AwaitingAnswer":
            first = defang.ident(state.ids[0]) if state.ids else "A1"
            return f"Say `/agent answer {first} <text>` to go on, `/agent refine <text>` to change the spec, `/agent stop` to stop."
        case "AwaitingApproval":
            return _approval_words(run)
        case "InReview":
            return (
                "Review and merge as usual; Journeyman never merges. `/agent retry` does the failed step again."
                if state.red
                else "Review and merge as usual; Journeyman never merges."
            )
        case "Paused":
            return f"Say {code(state.verb)} to go on, `/agent stop` to stop."
        case "Failed":
            return f"Say {code(state.verb)}, or put the label `agent` on again for a new run." if state.verb else _AGAIN
        case "Done" | "Stopped":
            return _AGAIN
        case _:
            return "Say `/agent refine <text>` to change the spec, `/agent pause` to hold, `/agent stop` to stop."


_AGAIN = "Put the label `agent` on again for a new run."


def _approval_words(run: Run) -> str:
    blocking = reviews.blocking(run.revision.review) if run.revision and run.revision.review else ()
    if blocking:
        first = defang.ident(blocking[0].id)
        return f"Say `/agent waive {first} <reason>` or `/agent refine <text>` for each open finding, then `/agent approve`."
    return "Say `/agent approve` to start the work, `/agent refine <text>` to change the spec, `/agent stop` to stop."


def _phases(snapshot: Snapshot) -> list[tuple[str, str, str]]:
    run = snapshot.run
    rows = [(_mark(run, 0), "Spec", _spec(run)), (_mark(run, 1), "Plan", _plan(run))]
    rows.append((_mark(run, 2), "Work", _work(snapshot)))
    rows.append((_mark(run, 3), "Verify, deliver", _deliver(run)))
    return rows


_STAGES = {"draft": 0, "challenge": 0, "plan": 1, "work": 2, "integrate": 2, "inspect": 2, "verify": 3, "deliver": 3}


def _stage(run: Run) -> int:
    """The stage that is under way or was last: from what exists, where no phase is active."""
    if run.state.kind in ("InReview", "Done"):
        return 4 if any(line.pull_number for line in run.lines) else 1
    if run.phase:
        return _STAGES[run.phase]
    if any(line.evidence for line in run.lines):
        return 3
    return 2 if run.lines else 1 if run.approved_sha256 else 0


def _mark(run: Run, stage: int) -> str:
    at = _stage(run)
    if stage < at:
        return "done"
    if stage > at:
        return "" if isinstance(run.state, TERMINAL) else "next"
    waits = {"AwaitingAnswer": "waits", "AwaitingApproval": "waits", "Paused": "paused", "Failed": "failed"}
    return waits.get(run.state.kind, "stopped" if run.state.kind == "Stopped" else "now")


def _spec(run: Run) -> str:
    revision = run.revision
    if revision is None:
        return ""
    said = f"revision {revision.number} ({code(short(revision.sha256))})"
    if revision.review:
        said += f", {reviews.summary(revision.review)}"
    return f"{said}; approved by {defang.line(revision.approved_by, 60)}" if revision.approved_by else said


def _plan(run: Run) -> str:
    if not run.lines:
        return ""
    tasks = sum(len(line.tasks) for line in run.lines)
    return f"{plural(tasks, 'task')} in {plural(len(run.lines), 'line')} of work"


def _work(snapshot: Snapshot) -> str:
    now = {each.task: each for each in snapshot.progress}
    said = []
    for line in snapshot.run.lines:
        for task in line.tasks:
            what = f"**{task.state}**" if task.state in ("done", "blocked", "failed") else task.state
            doing = now.get(task.id)
            if doing and task.state == "working":
                what = f"turn {doing.turn}" + (f", {defang.line(doing.doing, 120)}" if doing.doing else "")
            said.append(f"{defang.ident(task.id)} {defang.line(task.title, 80)}: {what}")
    return " · ".join(said)


def _deliver(run: Run) -> str:
    said = [_line(line) for line in run.lines if line.evidence or line.pull_number]
    if said:
        return " · ".join(said)
    return plural(len(run.lines), "pull request") if run.lines else ""


def _line(line: Line) -> str:
    said = evidence.headline(line.evidence) if line.evidence else "not verified"
    if not line.pull_number:
        return said
    state = line.state if line.state in ("merged", "closed") else "ready" if line.ready else "draft"
    return f"#{line.pull_number} ({state}): {said}"


def _log(snapshot: Snapshot) -> str:
    run = snapshot.run
    shown = run.log[-LOG_LINES:]
    rows = [
        (
            clock(each.at),
            defang.line(each.what, 300),
            defang.line(model(each.who), 80),
            dollars(each.micros) if each.micros else "",
        )
        for each in shown
    ]
    parts = [table(("time (UTC)", "what", "who", "cost"), rows)]
    if len(shown) < len(run.log):
        parts.insert(0, f"{plural(len(run.log) - len(shown), 'earlier line')} left out.")
    parts += _foundation(run)
    if run.models:
        parts.append(f"Models: {', '.join(f'{role} {code(name)}' for role, name in run.models)}.")
    if run.sandbox:
        parts.append(f"Sandbox: {run.sandbox}.")
    return details("Log, cost and what was read", "\n\n".join(parts))


def _foundation(run: Run) -> list[str]:
    read = run.foundation
    parts = []
    if read.read:
        named = ", ".join(defang.span(each, 120) for each in read.read[:12])
        more = f" and {len(read.read) - 12} more" if len(read.read) > 12 else ""
        cut = "Nothing was cut." if not read.cut else f"Cut: {', '.join(defang.line(each, 160) for each in read.cut)}."
        parts.append(f"Read at the base commit: {named}{more} ({read.bytes_read:,} bytes). {cut}")
    if read.left_out:
        parts.append(f"Left out: {'; '.join(defang.line(each, 160) for each in read.left_out)}.")
    return parts
