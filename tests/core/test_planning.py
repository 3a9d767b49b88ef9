"""A plan may start only when code finds nothing wrong with it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from bot.core import answers, planning
from bot.core.globs import matched
from bot.core.plan import Plan, Task
from tests.core.samples import COMMANDS, plan, run, spec, task

pytestmark = pytest.mark.fast
PATHS = ("AGENTS.md", "shop/leads.py", "shop/web.py", "uv.lock")
BOUNDS = planning.Bounds(COMMANDS)
ALL = ("shop/consent.py", "shop/leads.py", "tests/test_consent.py")


def problems(made: Plan, *, bounds: planning.Bounds = BOUNDS, **changed: Any) -> tuple[str, ...]:
    return planning.problems(made, spec(**changed), paths=PATHS, bounds=bounds)


def answer(*tasks: tuple[str, tuple[str, ...]]) -> answers.PlanAnswer:
    rows = [
        {
            "id": name,
            "title": f"Task {name}",
            "goal": "g",
            "requirements": ["r1", "R2"],
            "owns": ["./a"],
            "reads": [],
            "depends_on": list(needs),
            "contract": "",
            "verify": ["`python  -m pytest`"],
            "max_turns": 20,
        }
        for name, needs in tasks
    ]
    return answers.PlanAnswer.model_validate({"tasks": rows})


# ---- from an answer ------------------------------------------------------------------------------------------------


def shape(made: Plan | list[str]) -> list[list[str]]:
    assert isinstance(made, Plan), made
    return [[item.id for item in line.tasks] for line in made.lines]


@pytest.mark.parametrize(
    ("tasks", "lines"),
    [
        ((("t1", ()),), [["t1"]]),
        ((("t1", ()), ("t2", ())), [["t1"], ["t2"]]),
        ((("t1", ("t2",)), ("t2", ())), [["t2", "t1"]]),
        ((("t1", ()), ("t2", ()), ("t3", ("t1", "t2")), ("t4", ())), [["t1", "t2", "t3"], ["t4"]]),
    ],
)
def test_lines_of_work_follow_from_the_dependencies(tasks: Any, lines: list[list[str]]):
    assert shape(planning.to_plan(answer(*tasks), spec())) == lines


def test_a_tasks_fields_are_brought_into_one_form():
    made = planning.to_plan(answer(("t1", ())), spec())
    assert isinstance(made, Plan)
    only = made.lines[0].tasks[0]
    assert (only.owns, only.requirements, only.verify) == (("a",), ("R1", "R2"), ("python -m pytest",))
    assert made.lines[0].title == "Log consent"


@pytest.mark.parametrize(
    ("tasks", "sentence"),
    [
        ((), "There is no task."),
        ((("t1", ("t2",)), ("t2", ("t1",))), "These tasks wait for each other in a circle: t1, t2."),
        ((("t1", ("t1",)),), "These tasks wait for each other in a circle: t1."),
        ((("t1", ("t9",)),), "t1 depends on `t9`, which is no task."),
        ((("t1", ()), ("t1", ())), "Task id `t1` is used 2 times."),
        ((("one", ()),), "Task id `one` is not of the form t1, t2, t3."),
        (tuple((f"t{n}", ()) for n in range(1, 14)), "There are 13 tasks; at most 12 are taken."),
    ],
)
def test_what_has_no_order_is_no_plan(tasks: Any, sentence: str):
    assert planning.to_plan(answer(*tasks), spec()) == [sentence]


GRAPHS = st.lists(st.lists(st.integers(1, 6), max_size=3), min_size=1, max_size=6)


@given(GRAPHS)
def test_a_plan_is_always_in_order_or_refused(graph: list[list[int]]):
    tasks = [(f"t{n}", tuple(f"t{m}" for m in needs)) for n, needs in enumerate(graph, 1)]
    made = planning.to_plan(answer(*tasks), spec())
    if isinstance(made, list):
        return
    assert sorted(name for line in shape(made) for name in line) == sorted(name for name, _ in tasks)
    for line in made.lines:
        names = [item.id for item in line.tasks]
        assert all(need in names[: names.index(item.id)] for item in line.tasks for need in item.depends_on)


# ---- the validator -------------------------------------------------------------------------------------------------


def test_a_good_plan_has_nothing_against_it():
    assert problems(plan((task("t1", *ALL),))) == ()


def test_two_lines_that_share_nothing_are_fine():
    made = plan((task("t1", "shop/**"),), (task("t2", "tests/"),))
    assert problems(made) == ()


def test_an_ordered_pair_may_own_the_same_unchanged_path():
    made = plan((task("t1", *ALL, "shop/web.py"), task("t2", "shop/web.py", needs=("t1",))))
    assert problems(made) == ()


def test_an_order_goes_through_the_tasks_between():
    made = plan(
        (task("t1", *ALL, "shop/web.py"), task("t2", "x", needs=("t1",)), task("t3", "shop/web.py", needs=("t2",)))
    )
    assert problems(made) == ()


def test_the_last_task_of_a_line_may_own_a_lockfile():
    assert problems(plan((task("t1", *ALL), task("t2", "uv.lock", needs=("t1",))))) == ()


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (plan((task("t1", *ALL, requirements=("R1",)),)), "R2 of the spec is in no task."),
        (plan((task("t1", *ALL, requirements=("R1", "R2", "R7")),)), "t1 names R7, which the spec does not have."),
        (plan((task("t1", *ALL[:2]),)), "`tests/test_consent.py` is to change and no task owns it."),
        (plan((task("t1", "consent.py", *ALL[1:]),)), "`shop/consent.py` is to change and no task owns it."),
        (
            plan((task("t1", *ALL, "shop/web.py"),), (task("t2", "shop/w*.py"),)),
            "t1 and t2 have no order and both own `shop/web.py`.",
        ),
        (
            plan((task("t1", *ALL, "docs/**"),), (task("t2", "docs/**"),)),
            "t1 and t2 have no order and both own `docs/any/file`.",
        ),
        (
            plan((task("t1", *ALL, "docs/**"),), (task("t2", "docs/*.md"),)),
            "t1 and t2 have no order and both own `docs/file.md`.",
        ),
        (
            plan((task("t1", *ALL), task("t2", ALL[0], needs=("t1",)))),
            "`shop/consent.py` is owned by more than one task: t1, t2.",
        ),
        (
            plan((task("t1", *ALL, "uv.lock"), task("t2", "docs/x.md", needs=("t1",)))),
            "t1 owns `uv.lock`, which only the last task of its line (t2) may.",
        ),
        (plan((task("t1", *ALL, "../x"),)), "t1 owns `../x`, which is no path or pattern inside the repository."),
        (plan((task("t1", *ALL, "!shop/a"),)), "t1 owns `!shop/a`, which is no path or pattern inside the repository."),
        (plan((task("t1", *ALL), task("t2", needs=("t1",)))), "t2 owns no path."),
        (
            plan((task("t2", "x", needs=("t1",)), task("t1", *ALL))),
            "t2 depends on t1, which does not come before it in line 1.",
        ),
        (
            plan((replace(task("t1", *ALL), verify=("rm -rf /",)),)),
            "t1 verifies with `rm -rf /`, which is not one of the allowed commands.",
        ),
        (plan((replace(task("t1", *ALL), max_turns=500),)), "t1 asks for 500 turns; 1 to 120 are taken."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_plan_is_said(made: Plan, sentence: str):
    assert problems(made) == (sentence,)


def test_two_owners_of_one_changed_path_are_told_both_ways():
    made = plan((task("t1", *ALL),), (task("t2", "shop/consent.py"),))
    assert problems(made) == (
        "`shop/consent.py` is owned by more than one task: t1, t2.",
        "t1 and t2 have no order and both own `shop/consent.py`.",
    )


def test_a_hot_file_of_the_repo_is_for_the_last_task():
    made = plan((task("t1", *ALL, "shop/web.py"), task("t2", "docs/x.md", needs=("t1",))))
    hot = planning.Bounds(COMMANDS, hot=("shop/web.*",))
    assert problems(made, bounds=hot) == ("t1 owns `shop/web.py`, which only the last task of its line (t2) may.",)


def test_a_plan_over_the_budget_is_told_what_is_left():
    bounds = planning.Bounds(COMMANDS, cap_micros=1_000_000, turn_micros=30_000)
    assert problems(plan((task("t1", *ALL),)), bounds=bounds) == (
        "The tasks together may take 1.20 dollars, and 1.00 are left: ask for fewer turns or fewer tasks.",
    )


def test_a_pattern_of_new_files_needs_one_owner_too():
    changed = {"changes": [{"path": "mod/new/**", "kind": "create", "why": "w"}]}
    assert problems(plan((task("t1", "mod/new/**"),)), **changed) == ()
    assert problems(plan((task("t1", "mod/other/**"),)), **changed) == (
        "`mod/new/**` is to change and no task owns it.",
    )


OWNED = st.lists(
    st.sampled_from([*PATHS, *ALL, "shop/**", "**", "shop/*.py", "tests/"]), min_size=1, max_size=4, unique=True
)


@given(OWNED, OWNED)
def test_no_two_unordered_tasks_that_pass_may_write_the_same_file(left: list[str], right: list[str]):
    made = plan((task("t1", *left),), (task("t2", *right),))
    files = {*PATHS, *ALL}
    if not problems(made):
        assert not matched(left, files) & matched(right, files)


# ---- small specs ---------------------------------------------------------------------------------------------------


def test_a_small_spec_is_planned_without_a_model():
    made = planning.small_plan(spec())
    assert shape(made) == [["t1"]]
    assert problems(made) == ()
    assert made.lines[0].tasks[0].reads == ("AGENTS.md:2",)


@pytest.mark.parametrize(
    ("changed", "small"),
    [
        ({}, True),
        ({"changes": [{"path": f"f{n}", "kind": "create", "why": "w"} for n in range(9)]}, False),
        ({"changes": [{"path": "f/**", "kind": "create", "why": "w"}]}, False),
    ],
)
def test_what_is_small(changed: dict[str, Any], small: bool):
    assert planning.small(spec(**changed)) is small


# ---- the brief -----------------------------------------------------------------------------------------------------


def two_tasks() -> tuple[Plan, Task]:
    first = replace(task("t1", "shop/consent.py", requirements=("R1",)), contract="`log(lead_id)` in `shop/consent.py`")
    second = replace(task("t2", "shop/leads.py", needs=("t1",), requirements=("R2",)), reads=("shop/web.py",))
    return plan((first, second)), second


def test_a_brief_says_all_that_a_worker_needs():
    made, second = two_tasks()
    assert planning.brief(run(spec(), made), second) == snapshot("""\
## Task t2: Task t2
- Goal of t2.

## Requirements (each is done when its criteria hold)
- R2: IF consent is missing, THEN the system SHALL answer 422.
  AC2.1: no row in any table

## You alone may change
- `shop/leads.py` (modify: checks consent first)

## Prove it with (these commands, and no others, will be run on your result)
- `python -m pytest`

## Built before you
- t1: `log(lead_id)` in `shop/consent.py`

## Read first
- shop/web.py

## Conventions
- AGENTS.md:2: Never log e-mail

## Out of scope
- Double opt-in
- t1: Task t1

## Settled
- A1: Consent is kept for 24 months
""")


def test_a_brief_cuts_what_is_too_long_and_names_what_it_left_out():
    made, second = two_tasks()
    wide = replace(second, reads=tuple(f"shop/{n}/{'x' * 80}.py" for n in range(100)), owns=("o" * 70,) * 100)
    text = planning.brief(run(spec(), made), wide)
    assert "ooo`\n- (cut here; the whole text is in the spec)\n" in text
    assert text.endswith("Left out for length, in the spec: Read first.\n")


def test_a_long_goal_never_pushes_out_the_commands():
    made, second = two_tasks()
    assert "- `python -m pytest`" in planning.brief(run(spec(), made), replace(second, goal="g" * 9_000))


@given(st.integers(0, 20_000), st.integers(0, 200), st.integers(0, 200))
def test_a_brief_is_never_longer_than_its_limit(goal: int, reads: int, owns: int):
    made, second = two_tasks()
    wide = replace(second, goal="g" * goal, reads=("r" * 50,) * reads, owns=("o" * 50,) * owns)
    assert len(planning.brief(run(spec(), made), wide)) <= planning.BRIEF_CHARACTERS


def test_a_brief_without_a_spec_is_a_mistake():
    with pytest.raises(ValueError, match="spec and a plan"):
        planning.brief(run(spec(), None), task("t1", "a"))
