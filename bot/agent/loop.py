"""The worker's loop: send, store, run what was asked for, until it reports, asks, or meets a limit."""

from dataclasses import replace

from bot.agent.outcomes import Asked, LimitReached, Outcome, Refused, Reported, Stuck
from bot.agent.stops import HAND_OFF, INTERRUPTED, STOPS
from bot.agent.task import TOOLS, Task, wrong
from bot.agent.tools import ask, report
from bot.agent.transcript import Transcript
from bot.core.budget import dollars
from bot.ports import BudgetExhausted, Clock, Journal, Permanent, Transient, UserFacing


async def work(brief: str, task: Task, *, journal: Journal, clock: Clock) -> Outcome:
    """Work on a brief until there is an outcome; called again after a crash, it goes on from the journal.

    Raises what the ports raise: Cancelled when the task is no longer ours, Transient, UserFacing and Permanent from model and sandbox.
    """
    state = Transcript(brief, journal, clock)
    if state.last:
        task.settle(state.answered, state.last)  # the crash may have come between storing the answer and settling it
    while True:
        outcome = await _finish_turn(task, state) or await _prepare(task, state) or await _send(task, state)
        if outcome:
            return outcome


async def _finish_turn(task: Task, state: Transcript) -> Outcome | None:
    """Give every call of the last turn its one result, in order."""
    if state.pending() is None:
        return None
    while call := state.pending():
        await task.own()
        if call.id in state.started:
            state.record_result(call, f"{INTERRUPTED}\n`git status --short` now:\n{await task.status()}", is_error=True)
        elif why := wrong(call):
            state.record_result(call, why, is_error=True)
        elif call.name == report.SPEC.name:
            return Reported(report.read(call.input))
        elif call.name == ask.SPEC.name:
            if state.asked >= len(task.answers):
                return Asked(ask.read(call.input), state.asked + 1)
            state.record_result(call, task.answers[state.asked], is_error=False)
        elif outcome := _limit(task, state, turns=False):
            return outcome
        else:
            state.record("tool started", call=call.id, name=call.name)
            content, is_error = await task.run_tool(call, task.limits.seconds - state.active())
            state.record_result(call, content, is_error=is_error)
    await task.on_turn(state)
    return None


async def _prepare(task: Task, state: Transcript) -> Outcome | None:
    """See whether there may be a next call, and make the conversation ready for it."""
    if state.last:
        match STOPS[state.last.stop].then:
            case "refused":
                return Refused(state.last.detail or state.last.text)
            case "reset" if outcome := await _reset(task, state):
                return outcome
    if state.note is not None and (outcome := await _reset(task, state)):
        return outcome
    if state.cuts >= task.limits.bad_shapes:
        raise Transient(f"the model's answer was cut off {state.cuts} times in a row")
    if state.bad >= task.limits.bad_shapes:
        return Stuck(f"The model gave {state.bad} answers in a row that could not be used.")
    if outcome := _limit(task, state):
        return outcome
    if texts := list(task.steer(state.steered)):
        state.record("steer", texts=texts)
    if state.context() > task.limits.context_tokens and not state.handing_off:
        if outcome := _full(task, state):
            return outcome
        state.record("hand-off", text=HAND_OFF)
    return None


async def _send(task: Task, state: Transcript) -> Outcome | None:
    """One model call: reserved, stored, sent, stored, settled."""
    await task.own()
    left = task.limits.seconds - state.active()
    timeout = max(1.0, min(task.request.timeout, left))
    request = replace(task.request, turns=tuple(state.turns), tools=tuple(TOOLS.values()), timeout=timeout)
    worst = task.model.worst_case(request)
    if state.micros + worst > task.limits.micros:
        return LimitReached("dollars", f"The next call could pass the task's limit of {dollars(task.limits.micros)}.")
    number = state.answered + 1
    try:
        task.ledger.reserve(task.run_id, task.key_of(number), worst)
    except BudgetExhausted as limit:
        return LimitReached(limit.axis, str(limit))
    state.record("sent", n=number, worst=worst)
    try:
        answer = await task.model.complete(request)
    except (Transient, UserFacing, Permanent):
        task.ledger.release(task.run_id, task.key_of(number))
        raise
    row = STOPS["end" if answer.stop == "tool" and not answer.calls else answer.stop]
    bad = row.bad or (row.then == "tools" and all(wrong(call) for call in answer.calls))
    # Calls that the stop does not vouch for may be half written, and a turn that holds them could never be answered.
    whole = bool(answer.turn.raw) and (answer.stop == "tool" or not answer.calls)
    state.record_answer(answer, keep=row.keep and whole and not state.handing_off, bad=bad, say=row.say)
    task.settle(number, answer)
    return None


async def _reset(task: Task, state: Transcript) -> Outcome | None:
    """Start the conversation again from the brief, a note and the state of the files."""
    if outcome := _full(task, state):
        return outcome
    note = state.note or "(There was no room for a note.)"
    state.record(
        "reset",
        note=f"You worked on this before. Your note:\n{note}\n\n`git status --short` now:\n{await task.status()}",
    )
    return None


def _full(task: Task, state: Transcript) -> Outcome | None:
    if state.resets < task.limits.resets:
        return None
    return LimitReached("context", f"The context was full again after {state.resets} resets.")


def _limit(task: Task, state: Transcript, *, turns: bool = True) -> Outcome | None:
    if turns and state.answered >= task.limits.turns:
        return LimitReached("turns", f"All {task.limits.turns} turns of the task are used.")
    if state.active() >= task.limits.seconds:
        return LimitReached(
            "wall clock", f"The task has worked for {task.limits.seconds / 60:.0f} minutes, which is its limit."
        )
    return None
