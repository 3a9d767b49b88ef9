"""A worker's loop: what every kind of answer leads to, and where a task ends."""

from typing import get_args

import pytest
from agent_fakes import (
    QUESTION,
    FakeClock,
    FakeSandbox,
    FakeVendor,
    MemoryJournal,
    MemoryLedger,
    answer,
    bash_call,
    report,
    shown,
    task,
)

from bot.agent.budget import Limits
from bot.agent.loop import work
from bot.agent.outcomes import Asked, LimitReached, Refused, Reported, Stuck
from bot.agent.stops import HAND_OFF, STOPS
from bot.agent.tools.ask import Question
from bot.core.budget import Usage
from bot.core.conversation import Stop, ToolCall
from bot.ports import Cancelled, SandboxResult, Transient

pytestmark = pytest.mark.fast


async def do(t, journal=None, clock=None):
    return await work("Fix the port.", t, journal=journal or MemoryJournal(), clock=clock or FakeClock())


def test_every_stop_has_a_row():
    assert set(STOPS) == set(get_args(Stop))


async def test_a_worker_runs_commands_and_reports():
    sandbox = FakeSandbox()
    outcome = await do(task(FakeVendor(answer(bash_call("ls")), report(decisions=["Took 8080."])), sandbox=sandbox))
    assert isinstance(outcome, Reported)
    assert outcome.report.decisions == ("Took 8080.",)
    assert sandbox.commands == ["ls"]


async def test_several_calls_get_one_result_each_in_order():
    vendor = FakeVendor(answer(bash_call("a"), bash_call("b"), bash_call("c")), report())
    await do(task(vendor))
    assert [r.split("\n")[1] for r in shown(vendor.requests[1])[2]] == ["ran a", "ran b", "ran c"]
    assert [r.call_id for r in vendor.requests[1].turns[2].results] == ["call-a", "call-b", "call-c"]


@pytest.mark.parametrize("stop", sorted(set(get_args(Stop)) - {"tool"}))
async def test_a_tool_call_in_an_answer_that_did_not_stop_for_it_is_never_run(stop):
    sandbox = FakeSandbox()
    vendor = FakeVendor(answer(bash_call("rm -r src"), stop=stop), report())
    await do(task(vendor, sandbox=sandbox))
    assert "rm -r src" not in sandbox.commands


@pytest.mark.parametrize("stop", ["length", "cut", "other"])
async def test_an_answer_that_may_hold_half_a_call_is_not_kept(stop):
    vendor = FakeVendor(answer(text="half", stop=stop), report())
    await do(task(vendor))
    assert ("half",) not in shown(vendor.requests[1])


async def test_a_model_that_ends_without_a_tool_is_told_so():
    vendor = FakeVendor(answer(text="Done!"), report())
    await do(task(vendor))
    assert shown(vendor.requests[1])[1:] == [("Done!",), STOPS["end"].say]


async def test_three_bad_answers_in_a_row_fail():
    outcome = await do(task(FakeVendor(answer(text="1"), answer(stop="length"), answer(stop="other"))))
    assert outcome == Stuck("The model gave 3 answers in a row that could not be used.")


async def test_a_good_answer_between_bad_ones_starts_the_count_again():
    vendor = FakeVendor(answer(), answer(), answer(bash_call("ls")), answer(), answer(), report())
    assert isinstance(await do(task(vendor)), Reported)


async def test_a_call_of_the_wrong_shape_is_answered_and_not_run():
    sandbox = FakeSandbox()
    vendor = FakeVendor(answer(ToolCall("c", "bash", {"command": "ls"})), report())
    await do(task(vendor, sandbox=sandbox))
    assert shown(vendor.requests[1])[2] == ["Missing in the input: timeout."]
    assert sandbox.commands == []


async def test_calls_of_the_wrong_shape_three_turns_in_a_row_fail():
    wrong = [answer(ToolCall(f"c{i}", "python", {})) for i in range(3)]
    assert isinstance(await do(task(FakeVendor(*wrong))), Stuck)


async def test_a_refusal_is_an_outcome_of_its_own():
    assert await do(task(FakeVendor(answer(stop="refusal", detail="policy")))) == Refused("policy")


async def test_a_failing_command_is_shown_with_its_exit_code():
    sandbox = FakeSandbox(lambda run: SandboxResult(2, b"no such test", 0.25))
    vendor = FakeVendor(answer(bash_call("pytest")), report())
    await do(task(vendor, sandbox=sandbox))
    assert shown(vendor.requests[1])[2] == ["[exit code 2, 0.2 s]\nno such test"]


async def test_a_question_ends_the_task_until_it_is_answered():
    script = (answer(ToolCall("q", "ask", QUESTION)), report())
    journal, vendor = MemoryJournal(), FakeVendor(*script)
    first = await do(task(vendor), journal)
    second = await do(task(vendor, answers=("8080",)), journal)
    assert first == Asked(Question("Which port?", ("80", "8080"), "8080"), 1)
    assert isinstance(second, Reported)
    assert shown(vendor.requests[1])[2] == ["8080"]


async def test_an_answer_settles_its_own_question_only():
    vendor = FakeVendor(answer(ToolCall("q1", "ask", QUESTION)), answer(ToolCall("q2", "ask", QUESTION)))
    outcome = await do(task(vendor, answers=("8080",)))
    assert isinstance(outcome, Asked)
    assert outcome.number == 2


async def test_turns_are_limited():
    vendor = FakeVendor(*(answer(bash_call(str(i))) for i in range(9)))
    outcome = await do(task(vendor, limits=Limits(turns=3)))
    assert outcome == LimitReached("turns", "All 3 turns of the task are used.")
    assert len(vendor.requests) == 3


async def test_a_call_that_could_pass_the_task_s_dollars_is_not_sent():
    vendor = FakeVendor(answer(bash_call("a"), micros=600_000), report(), worst=500_000)
    outcome = await do(task(vendor, limits=Limits(micros=1_000_000)))
    assert outcome == LimitReached("dollars", "The next call could pass the task's limit of $1.00.")
    assert len(vendor.requests) == 1


async def test_a_call_that_the_run_s_ledger_refuses_is_not_sent():
    vendor = FakeVendor(report(), worst=50)
    outcome = await do(task(vendor, ledger=MemoryLedger(cap=20)))
    assert outcome == LimitReached("dollars", "The run's $5.00 are used.")
    assert vendor.requests == []


async def test_every_call_is_settled_under_its_own_key():
    ledger = MemoryLedger()
    await do(task(FakeVendor(answer(bash_call("a")), report()), ledger=ledger))
    assert list(ledger.settled) == ["line/1/task/1/turn/1", "line/1/task/1/turn/2"]
    assert ledger.reserved == {}


async def test_a_call_that_never_came_back_gives_its_reservation_back():
    ledger = MemoryLedger()
    with pytest.raises(Transient):
        await do(task(FakeVendor(Transient("503")), ledger=ledger))
    assert (ledger.reserved, ledger.released) == ({}, ["line/1/task/1/turn/1"])


async def test_the_wall_clock_is_limited_and_a_pause_does_not_count():
    clock, journal = FakeClock(), MemoryJournal()

    def slow(_run):
        clock.time += 40
        return SandboxResult(0, b"", 40)

    async def once():
        return clock.time < 1050

    vendor = FakeVendor(answer(bash_call("a")), answer(bash_call("b")), answer(bash_call("c")), report())
    with pytest.raises(Cancelled):
        await do(task(vendor, sandbox=FakeSandbox(slow), limits=Limits(seconds=100), still_mine=once), journal, clock)
    clock.time += 10_000
    outcome = await do(task(vendor, sandbox=FakeSandbox(slow), limits=Limits(seconds=100)), journal, clock)
    assert outcome == LimitReached("wall clock", "The task has worked for 2 minutes, which is its limit.")
    assert len(vendor.requests) == 3


async def test_a_command_gets_no_more_time_than_the_task_has():
    sandbox = FakeSandbox()
    await do(task(FakeVendor(answer(bash_call("a")), report()), sandbox=sandbox, limits=Limits(seconds=20)))
    assert sandbox.runs[0].timeout == 20


async def test_a_full_context_is_reset_with_the_model_s_own_note():
    full = Usage(input=130_000)
    vendor = FakeVendor(answer(bash_call("a"), usage=full), answer(text="Half done."), report())
    assert isinstance(await do(task(vendor)), Reported)
    assert shown(vendor.requests[1])[-1] == HAND_OFF
    assert shown(vendor.requests[2]) == [
        "Fix the port.",
        "You worked on this before. Your note:\nHalf done.\n\n`git status --short` now:\nM app.py",
    ]


async def test_a_context_that_overflowed_is_reset_without_a_note():
    vendor = FakeVendor(answer(stop="context"), report())
    assert isinstance(await do(task(vendor)), Reported)
    assert "There was no room for a note" in shown(vendor.requests[1])[1]


async def test_a_third_reset_is_refused():
    vendor = FakeVendor(*(answer(stop="context") for _ in range(3)))
    assert await do(task(vendor)) == LimitReached("context", "The context was full again after 2 resets.")


async def test_answers_cut_off_again_and_again_park_the_task_and_do_not_end_it():
    journal, vendor = MemoryJournal(), FakeVendor(*(answer(stop="cut") for _ in range(3)), report())
    with pytest.raises(Transient):
        await do(task(vendor), journal)
    assert isinstance(await do(task(vendor), journal), Reported)


async def test_nothing_is_sent_once_the_task_is_no_longer_ours():
    async def lost():
        return False

    vendor = FakeVendor(report())
    with pytest.raises(Cancelled):
        await do(task(vendor, still_mine=lost))
    assert vendor.requests == []


async def test_words_of_a_person_come_in_once_and_never_between_a_call_and_its_result():
    said = ["Use 8080."]
    vendor = FakeVendor(answer(bash_call("a")), report())
    await do(task(vendor, steer=lambda seen: said[seen:]))
    assert shown(vendor.requests[1])[:2] == ["Fix the port.", "Use 8080."]
    assert [type(turn).__name__ for turn in vendor.requests[1].turns[2:]] == ["AssistantTurn", "ResultsTurn"]


async def test_between_turns_there_is_a_moment_for_a_checkpoint():
    journal, seen = MemoryJournal(), []

    async def on_turn(state):
        seen.append((state.answered, journal.kinds()[-1]))

    await do(task(FakeVendor(answer(bash_call("a"), bash_call("b")), report()), on_turn=on_turn), journal)
    assert seen == [(1, "tool result")]


async def test_the_prefix_of_each_request_is_the_request_before():
    vendor = FakeVendor(answer(bash_call("a")), answer(bash_call("b")), report())
    await do(task(vendor))
    for before, after in zip(vendor.requests, vendor.requests[1:], strict=False):
        assert after.turns[: len(before.turns)] == before.turns
        assert (after.system, after.tools) == (before.system, before.tools)
