"""From a plan answer to a plan that can be trusted: ids, order, ownership, commands and budget, all judged by code."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations

from bot.core.answers import PlanAnswer, TaskAnswer
from bot.core.evidence import VerifyCommand
from bot.core.globs import is_glob, matched, sample
from bot.core.plan import LineOfWork, Plan, Task
from bot.core.run import Run
from bot.core.spec import Change, Spec

MAX_TASKS = 12
MAX_TURNS = 120
SMALL_CHANGES = 8
SMALL_REQUIREMENTS = 6
SMALL_TURNS = 40
HOT = (
    "uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "requirements.txt", "package-lock.json", "npm-shrinkwrap.json",
    "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "Cargo.lock", "go.sum", "Gemfile.lock", "composer.lock",
    "mix.lock", "flake.lock", "CHANGELOG.md", "CHANGELOG", "CHANGES.md", "CHANGES.rst", "HISTORY.md", "NEWS.md",
)  # fmt: skip
"""Files that every task would touch: in the line's last task only, so that no merge inside a line fights over them."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a plan is held to: the only commands, hot patterns of the repo's own, and the money that is left.

    `turn_micros` is what a turn is expected to cost; 0 where nothing is known, and then turns alone are capped.
    """

    commands: tuple[VerifyCommand, ...]
    hot: tuple[str, ...] = ()
    cap_micros: int = 0
    turn_micros: int = 0


def small(spec: Spec) -> bool:
    """Whether one worker can do it in one sitting, so that no model has to plan it."""
    named = not any(is_glob(item.path) for item in spec.changes)
    return named and len(spec.changes) <= SMALL_CHANGES and len(spec.requirements) <= SMALL_REQUIREMENTS


def small_plan(spec: Spec, *, max_turns: int = SMALL_TURNS) -> Plan:
    """One line, one task, everything in it."""
    task = Task(
        id="t1",
        title=spec.title,
        goal=spec.tldr,
        requirements=tuple(item.id for item in spec.requirements),
        owns=tuple(item.path for item in spec.changes),
        reads=_reads(spec),
        verify=spec.verification,
        max_turns=max_turns,
    )
    return Plan((LineOfWork(1, spec.title, (task,)),))


def _reads(spec: Spec) -> tuple[str, ...]:
    """Where the conventions and sources stand: what a worker should open first."""
    refs = [item.where for item in spec.conventions] + [item.source_ref for item in spec.requirements]
    return tuple(dict.fromkeys(ref.strip("`") for ref in refs if ref and " " not in ref))


# ---- from an answer ------------------------------------------------------------------------------------------------


def to_plan(answer: PlanAnswer, spec: Spec) -> Plan | list[str]:
    """Lines of work from the tasks' dependencies: tasks that are joined form one line, ordered so that each comes after what it needs.

    A list of sentences where no order exists at all (unknown or circular dependencies, ids twice); the rest is `problems`' matter.
    """
    tasks = [_task(item) for item in answer.tasks]
    wrong = _graph_problems(tasks)
    if wrong:
        return wrong
    lines = _components(tasks)
    return Plan(
        tuple(
            LineOfWork(n, spec.title if len(lines) == 1 else line[-1].title, tuple(line))
            for n, line in enumerate(lines, 1)
        )
    )


def _task(item: TaskAnswer) -> Task:
    return Task(
        id=" ".join(item.id.split()),
        title=" ".join(item.title.split())[:100],
        goal=item.goal.strip(),
        requirements=tuple(dict.fromkeys(name.strip().upper() for name in item.requirements)),
        owns=tuple(dict.fromkeys(glob.strip().removeprefix("./") for glob in item.owns)),
        reads=tuple(dict.fromkeys(path.strip() for path in item.reads)),
        depends_on=tuple(dict.fromkeys(name.strip() for name in item.depends_on)),
        contract=item.contract.strip(),
        verify=tuple(dict.fromkeys(" ".join(run.strip("` ").split()) for run in item.verify)),
        max_turns=item.max_turns,
    )


def _graph_problems(tasks: Sequence[Task]) -> list[str]:
    ids = [task.id for task in tasks]
    problems = [] if tasks else ["There is no task."]
    if len(tasks) > MAX_TASKS:
        problems.append(f"There are {len(tasks)} tasks; at most {MAX_TASKS} are taken.")
    problems += [
        f"Task id `{name}` is used {ids.count(name)} times." for name in sorted(set(ids)) if ids.count(name) > 1
    ]
    problems += [
        f"Task id `{name}` is not of the form t1, t2, t3." for name in ids if not re.fullmatch(r"t[1-9]\d?", name)
    ]
    for task in tasks:
        problems += [f"{task.id} depends on `{name}`, which is no task." for name in task.depends_on if name not in ids]
    if not problems and len(_ordered(tasks)) < len(tasks):
        stuck = sorted({task.id for task in tasks} - {task.id for task in _ordered(tasks)})
        problems.append(f"These tasks wait for each other in a circle: {', '.join(stuck)}.")
    return problems


def _ordered(tasks: Sequence[Task]) -> list[Task]:
    """Each task after what it needs, else in the order given; tasks in a circle are left out."""
    done: list[Task] = []
    names: set[str] = set()
    while ready := [task for task in tasks if task.id not in names and names.issuperset(task.depends_on)]:
        done.append(ready[0])
        names.add(ready[0].id)
    return done


def _components(tasks: Sequence[Task]) -> list[list[Task]]:
    group = {task.id: task.id for task in tasks}
    for task in tasks:
        for name in task.depends_on:
            old, new = group[name], group[task.id]
            group = {member: new if of == old else of for member, of in group.items()}
    lines: dict[str, list[Task]] = {}
    for task in _ordered(tasks):
        lines.setdefault(group[task.id], []).append(task)
    return list(lines.values())


# ---- the validator -------------------------------------------------------------------------------------------------


def problems(plan: Plan, spec: Spec, *, paths: Collection[str], bounds: Bounds) -> tuple[str, ...]:
    """What is wrong with a plan, one sentence each; empty when the work may start. `paths` are the files at the base SHA."""
    tasks = [task for line in plan.lines for task in line.tasks]
    found = _graph_problems(tasks) or _order_problems(plan)
    if found:
        return tuple(found)
    files = _files(tasks, spec.changes, paths)
    owned = {task.id: matched(task.owns, files) for task in tasks}
    found = _glob_problems(tasks)
    found += _coverage_problems(tasks, spec)
    found += _owner_problems(tasks, spec, files, owned)
    found += _overlap_problems(tasks, owned)
    found += _hot_problems(plan, owned, bounds.hot)
    found += _command_problems(tasks, bounds.commands)
    found += _budget_problems(tasks, bounds)
    return tuple(found)


def _order_problems(plan: Plan) -> list[str]:
    found = []
    for line in plan.lines:
        seen: set[str] = set()
        for task in line.tasks:
            found += [
                f"{task.id} depends on {name}, which does not come before it in line {line.number}."
                for name in task.depends_on
                if name not in seen
            ]
            seen.add(task.id)
    return found


def _files(tasks: Sequence[Task], changes: Sequence[Change], paths: Collection[str]) -> tuple[str, ...]:
    """The real file list with what may be new: a pattern stands for itself by one sample path."""
    new = (*(item.path for item in changes), *(glob for task in tasks for glob in task.owns))
    return tuple(sorted({*paths, *(sample(pattern) for pattern in new if pattern)}))


def owned(task: Task, path: str) -> bool:
    """Whether the task may write that path."""
    return bool(matched(task.owns, [path]))


def _glob_problems(tasks: Sequence[Task]) -> list[str]:
    found = []
    for task in tasks:
        if not task.owns:
            found.append(f"{task.id} owns no path.")
        for glob in task.owns:
            if not glob or glob[0] in "!#/~" or ".." in glob.split("/") or not glob.isprintable():
                found.append(f"{task.id} owns `{glob[:80]}`, which is no path or pattern inside the repository.")
    return found


def _coverage_problems(tasks: Sequence[Task], spec: Spec) -> list[str]:
    known = [item.id for item in spec.requirements]
    covered = {name for task in tasks for name in task.requirements}
    found = [f"{name} of the spec is in no task." for name in known if name not in covered]
    for task in tasks:
        found += [
            f"{task.id} names {name}, which the spec does not have." for name in task.requirements if name not in known
        ]
    return found


def _owner_problems(
    tasks: Sequence[Task], spec: Spec, files: Sequence[str], owned: dict[str, frozenset[str]]
) -> list[str]:
    found = []
    for change in spec.changes:
        for path in sorted(matched([change.path], files)):
            owners = [task.id for task in tasks if path in owned[task.id]]
            if not owners:
                found.append(f"`{change.path}` is to change and no task owns it.")
                break
            if len(owners) > 1:
                found.append(f"`{path}` is owned by more than one task: {', '.join(owners)}.")
    return found


def _overlap_problems(tasks: Sequence[Task], owned: dict[str, frozenset[str]]) -> list[str]:
    needs = _ancestors(tasks)
    found = []
    for left, right in combinations(tasks, 2):
        if left.id in needs[right.id] or right.id in needs[left.id]:
            continue
        shared = sorted(owned[left.id] & owned[right.id])
        if shared:
            names = ", ".join(f"`{path}`" for path in shared[:5])
            found.append(f"{left.id} and {right.id} have no order and both own {names}.")
    return found


def _ancestors(tasks: Sequence[Task]) -> dict[str, set[str]]:
    needs: dict[str, set[str]] = {}
    for task in _ordered(tasks):
        needs[task.id] = set(task.depends_on).union(*(needs[name] for name in task.depends_on))
    return needs


def _hot_problems(plan: Plan, owned: dict[str, frozenset[str]], hot: Sequence[str]) -> list[str]:
    found = []
    for line in plan.lines:
        for task in line.tasks[:-1]:
            mine = {path for path in owned[task.id] if path.rsplit("/", 1)[-1] in HOT} | matched(hot, owned[task.id])
            if mine:
                names = ", ".join(f"`{path}`" for path in sorted(mine)[:5])
                found.append(f"{task.id} owns {names}, which only the last task of its line ({line.tasks[-1].id}) may.")
    return found


def _command_problems(tasks: Sequence[Task], commands: Sequence[VerifyCommand]) -> list[str]:
    allowed = {" ".join(item.run.split()) for item in commands}
    return [
        f"{task.id} verifies with `{run[:120]}`, which is not one of the allowed commands."
        for task in tasks
        for run in task.verify
        if run not in allowed
    ]


def _budget_problems(tasks: Sequence[Task], bounds: Bounds) -> list[str]:
    found = [
        f"{task.id} asks for {task.max_turns} turns; 1 to {MAX_TURNS} are taken."
        for task in tasks
        if not 1 <= task.max_turns <= MAX_TURNS
    ]
    expected = sum(task.max_turns for task in tasks) * bounds.turn_micros
    if bounds.cap_micros and expected > bounds.cap_micros:
        found.append(
            f"The tasks together may take {expected / 1e6:.2f} dollars, and {bounds.cap_micros / 1e6:.2f} are left: "
            "ask for fewer turns or fewer tasks."
        )
    return found


# ---- the worker's brief --------------------------------------------------------------------------------------------

BRIEF_CHARACTERS = 8_000
"""About 2k tokens, at four characters a token."""


def brief(run: Run, task: Task, *, limit: int = BRIEF_CHARACTERS) -> str:
    """What a worker is told, and all it is told. Raises ValueError for a run without a spec; what does not fit is named as left out."""
    if run.revision is None or run.plan is None:
        raise ValueError("a brief needs a spec and a plan")
    spec = run.revision.spec
    others = {other.id: other for line in run.plan.lines for other in line.tasks if other.id != task.id}
    must = [
        _section(f"Task {task.id}: {task.title}", [task.goal], 1_500),
        _section("Requirements (each is done when its criteria hold)", _required(spec, task), 3_400),
        _section("You alone may change", [_change_line(glob, spec) for glob in task.owns], 1_500),
        _section("Prove it with (these commands, and no others, will be run on your result)", _code(task.verify), 900),
    ]
    may = [
        ("Built before you", [f"{name}: {others[name].contract}" for name in task.depends_on if name in others]),
        ("Leave for the tasks that build on you", [task.contract] if task.contract else []),
        ("Read first", list(task.reads)),
        ("Conventions", [f"{item.where}: {item.rule}" for item in spec.conventions]),
        ("Out of scope", [*spec.non_goals, *(f"{other.id}: {other.title}" for other in others.values())]),
        ("Settled", [f"{item.id}: {item.answer or item.text}" for item in spec.assumptions]),
    ]
    return _fitted(must, may, limit)


def _required(spec: Spec, task: Task) -> list[str]:
    out = []
    for item in spec.requirements:
        if item.id in task.requirements:
            out.append(f"{item.id}: {item.text}")
            out += [f"  {criterion.id}: {criterion.text}" for criterion in item.criteria]
    return out


def _change_line(glob: str, spec: Spec) -> str:
    why = next((f" ({item.kind}: {item.why})" for item in spec.changes if item.path == glob), "")
    return f"`{glob}`{why}"


def _code(commands: Sequence[str]) -> list[str]:
    return [f"`{run}`" for run in commands]


def _section(title: str, lines: Sequence[str], most: int) -> str:
    """A titled list; where it is longer than `most` characters, whole lines are cut from its end and that is said."""
    rows = [line if line.startswith("  ") else f"- {line}" for line in lines if line] or ["- none"]
    section = f"## {title}\n" + "\n".join(rows) + "\n"
    if len(section) <= most:
        return section
    kept = section[: most - 60]
    return f"{kept.rpartition(chr(10))[0] or kept}\n- (cut here; the whole text is in the spec)\n"


def _fitted(must: Sequence[str], may: Sequence[tuple[str, list[str]]], limit: int) -> str:
    """All that must be there, what else there is room for, and the names of what there was no room for."""
    parts = list(must)
    left_out: list[str] = []
    room = limit - sum(len(part) + 1 for part in parts) - 200
    for title, lines in may:
        section = _section(title, lines, limit)
        if not any(lines):
            continue
        if len(section) + 1 > room:
            left_out.append(title)
            continue
        parts.append(section)
        room -= len(section) + 1
    if left_out:
        parts.append(f"Left out for length, in the spec: {', '.join(left_out)}.\n")
    return "\n".join(parts)
