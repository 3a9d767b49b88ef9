"""A pull request's title and body: facts from git, the evidence and the ledger (INTERFACE.md)."""

from collections import defaultdict

from bot.core.budget import dollars
from bot.core.run import DiffStat, Line, Run, TaskState
from bot.core.spec import Spec
from bot.core.text import defang, evidence
from bot.core.text import review as reviews
from bot.core.text.attention import login
from bot.core.text.figures import listed, minutes, model, plural, short, tokens
from bot.core.text.fit import LIMIT, Part, fit
from bot.core.text.markdown import code, labelled, table
from bot.core.text.status import Snapshot, elapsed

_OVER = ("merged", "closed")


def title(run: Run, line: Line) -> str:
    """The issue's title, or the line's where there are several."""
    return defang.plain(line.title if len(run.lines) > 1 else run.issue_title, 120) or f"Issue {run.issue}"


def closes_issue(run: Run, line: Line) -> bool:
    """Only the last open line's pull request may close the issue."""
    return all(other.state in _OVER for other in run.lines if other.number != line.number)


def body(snapshot: Snapshot, line: Line, *, limit: int = LIMIT) -> str:
    """The whole body without its marker."""
    run = snapshot.run
    spec = run.revision.spec if run.revision else None
    parts = [
        Part(_head(run, line)),
        Part(f"### What changed\n{_changed(line)}"),
        Part(f"### Why\n{_why(run, line)}" if spec else "", 3, "Why"),
        Part(evidence.section(line.evidence)),
        Part(_accepted(run, line, spec) if spec else "", 3, "acceptance criteria"),
        Part(f"### Review\n{_review(run, line)}", 1, "Review"),
        Part(f"### For you to know\n{_know(run, line, spec)}", 2, "For you to know"),
        Part(_foot(snapshot, line)),
    ]
    return fit(parts, limit)


def _head(run: Run, line: Line) -> str:
    said = f"{'Fixes' if closes_issue(run, line) else 'Part of'} #{run.issue}"
    if len(run.lines) > 1:
        said += f" (line {line.number} of {len(run.lines)})"
    if run.revision:
        said += f" · spec revision {run.revision.number} {code(short(run.revision.sha256))}"
    return f"{said} · requested by @{login(run.requester)}"


def _changed(line: Line) -> str:
    if not line.diff:
        return "No file differs from the base."
    areas: dict[str, list[DiffStat]] = defaultdict(list)
    for each in line.diff:
        areas[_area(each.path)].append(each)
    said = [_area_line(name, stats) for name, stats in areas.items()]
    if len(said) > 20:
        said = [*said[:20], f"- and {plural(len(said) - 20, 'more area')}"]
    return "\n".join(said)


def _area(path: str) -> str:
    folders = path.split("/")[:-1]
    return "/".join(folders[:2]) or "top level"


def _area_line(name: str, stats: list[DiffStat]) -> str:
    new = "new, " if all(each.kind == "added" for each in stats) else ""
    count = f"+{sum(each.added for each in stats)}"
    if removed := sum(each.removed for each in stats):
        count += f" −{removed}"
    files = ", ".join(defang.span(each.path.rsplit("/", 1)[-1], 80) + _kind(each, new) for each in stats[:6])
    more = f" and {len(stats) - 6} more" if len(stats) > 6 else ""
    return f"- **{defang.line(name, 120)}** ({new}{plural(len(stats), 'file')}, {count}): {files}{more}"


def _kind(stat: DiffStat, new: str) -> str:
    if new or stat.kind == "modified":
        return ""
    return {"added": " (new)", "deleted": " (deleted)", "renamed": " (renamed)"}[stat.kind]


def _requirement_tasks(run: Run, line: Line) -> dict[str, list[TaskState]]:
    """Requirement id -> this line's tasks that it was given to, by the plan."""
    states = {task.id: task for task in line.tasks}
    given: dict[str, list[TaskState]] = defaultdict(list)
    for planned in run.plan.lines if run.plan else ():
        if planned.number == line.number:
            for task in planned.tasks:
                for requirement in task.requirements:
                    if task.id in states:
                        given[requirement].append(states[task.id])
    return given


def _why(run: Run, line: Line) -> str:
    given = _requirement_tasks(run, line)
    spec = run.revision.spec if run.revision else None
    mine = [each for each in spec.requirements if each.id in given] if spec else []
    if not mine:
        return f"The issue, #{run.issue}."
    return "\n".join(f"- **{defang.ident(each.id)}** {defang.line(each.text)}" for each in mine)


def _accepted(run: Run, line: Line, spec: Spec) -> str:
    given = _requirement_tasks(run, line)
    rows = []
    for each in spec.requirements:
        if each.id in given:
            done = ", ".join(dict.fromkeys(code(short(task.sha)) for task in given[each.id] if task.sha))
            rows += [
                (f"{defang.ident(item.id)} {defang.line(item.text, 300)}", done or "no commit")
                for item in each.criteria
            ]
    return table(("accepted when", "worked on in"), rows) if rows else ""


def _review(run: Run, line: Line) -> str:
    said = []
    review = run.revision.review if run.revision else None
    said.append(f"Spec: {reviews.summary(review)}." if review else "Spec: not reviewed.")
    for finding in review.findings if review else ():
        if finding.status == "waived":
            said.append(
                f"{defang.ident(finding.id)} ({finding.severity}) was waived: {defang.line(finding.decision, 300)}"
            )
        elif finding.status == "open":
            said.append(
                f"{defang.ident(finding.id)} ({finding.severity}) is **open**: {defang.line(finding.claim, 300)}"
            )
    flags = "; ".join(defang.line(flag, 200) for flag in line.flags)
    said.append(f"Flags: {flags or 'none'}.")
    return "\n".join(f"- {each}" for each in said)


def _know(run: Run, line: Line, spec: Spec | None) -> str:
    deviations = [each for task in line.tasks for each in task.deviations]
    follow_ups = [each for task in line.tasks for each in task.follow_ups]
    said = [labelled("Deviations from the spec, as the workers noted them", _sentences(deviations))]
    if follow_ups:
        said.append(labelled("Left for later, as the workers noted it", _sentences(follow_ups)))
    if spec:
        open_ones = [f"{each.id} {each.text}" for each in spec.assumptions if not each.answer]
        said.append(labelled("Assumptions to confirm", _sentences(open_ones)))
        said.append(labelled("Migration and compatibility", defang.block(spec.migration, 1_000)))
        risks = [f"{each.text.rstrip('.')} ({each.severity}): {each.mitigation}" for each in spec.risks]
        said.append(labelled("Risks", _sentences(risks)))
        said.append(labelled("Rollback", defang.block(spec.rollback, 1_000)))
    if others := [f"#{other.pull_number}" for other in run.lines if other.pull_number and other.number != line.number]:
        said.append(f"**Of the same run.** {listed(others)}.")
    said.append(_by_hand(line))
    return "\n\n".join(said)


def _sentences(texts: list[str]) -> str:
    return " ".join(f"{defang.line(each, 300).rstrip('.')}." for each in texts[:12]) or "none."


def _by_hand(line: Line) -> str:
    rows = [row for row in (line.evidence.rows if line.evidence else ()) if row.where == "head" and not row.not_run]
    fetch = code(f"git fetch origin {line.branch} && git switch --detach FETCH_HEAD")
    commands = ", ".join(dict.fromkeys(defang.span(row.command) for row in rows[:3]))
    return f"**By hand.** 1. {fetch} 2. {'run ' + commands if commands else 'build and run it'} 3. compare with the table above."


def _foot(snapshot: Snapshot, line: Line) -> str:
    run, spend = snapshot.run, snapshot.spend
    usage = spend.usage
    read = usage.input + usage.cache_read + usage.cache_write
    said = [plural(len(line.tasks), "task"), plural(sum(task.turns for task in line.tasks), "turn")]
    if read:
        said.append(f"{tokens(read + usage.output)} tokens ({100 * usage.cache_read // read} % cached)")
    said += [f"{dollars(spend.micros)} for the run", minutes(elapsed(snapshot))]
    used = list(dict.fromkeys(model(name) for _, name, _ in spend.by_role))
    if used:
        said.append(", ".join(used))
    if run.sandbox:
        said.append(f"sandbox {run.sandbox}")
    verbs = "`/agent status`, `/agent retry`, `/agent stop`, `/agent help`"
    return f"<sub>{', '.join(said[:5])} · {' · '.join([*said[5:], verbs])}</sub>"
