"""A worker killed anywhere goes on where it stood: no stored answer is paid for twice, no command runs twice."""

import asyncio

import pytest
from agent_fakes import FakeClock, FakeSandbox, FakeVendor, MemoryJournal, MemoryLedger, answer, bash_call, report, task
from hypothesis import given
from hypothesis import strategies as st

from bot.agent.loop import work
from bot.agent.outcomes import Reported
from bot.core.conversation import ModelAnswer, ResultsTurn

pytestmark = pytest.mark.fast


class Killed(BaseException):
    """The machine stops here."""


class FragileJournal(MemoryJournal):
    """Stops the machine at chosen appends, before or after they are durable."""

    def __init__(self, kills: dict[int, bool]) -> None:
        super().__init__()
        self.kills = kills
        self.appends = 0

    def append(self, entry) -> None:
        self.appends += 1
        after = self.kills.get(self.appends)
        if after is False:
            raise Killed
        super().append(entry)
        if after:
            raise Killed


class Vendor(FakeVendor):
    """Answers by where the conversation stands, as a real one does; notes each call that it finished."""

    def __init__(self, script: list[ModelAnswer]) -> None:
        super().__init__()
        self.by_step = script
        self.finished: list[int] = []

    async def complete(self, request):
        step = sum(isinstance(turn, ResultsTurn) for turn in request.turns)
        self.requests.append(request)
        self.finished.append(step)
        return self.by_step[step]


def scripts() -> st.SearchStrategy[list[ModelAnswer]]:
    def build(sizes: list[int]) -> list[ModelAnswer]:
        turns = [answer(*(bash_call(f"{t}.{c}") for c in range(size))) for t, size in enumerate(sizes)]
        return [*turns, report()]

    return st.lists(st.integers(1, 3), min_size=1, max_size=4).map(build)


async def live(vendor, sandbox, ledger, journal, *, watch):
    clock = FakeClock()
    while True:
        stored = sum(kind == "answer" for kind in journal.kinds())
        before = len(vendor.finished)
        try:
            return await work("b", task(vendor, sandbox=sandbox, ledger=ledger), journal=journal, clock=clock)
        except Killed:
            continue
        finally:
            watch(stored, vendor.finished[before:])


@given(scripts(), st.dictionaries(st.integers(1, 40), st.booleans(), max_size=6))
def test_no_stored_answer_is_paid_for_twice(script, kills):
    vendor, journal = Vendor(script), FragileJournal(kills)
    asyncio.run(live(vendor, FakeSandbox(), MemoryLedger(), journal, watch=lambda *_: None))
    lost = len(vendor.finished) - sum(kind == "answer" for kind in journal.kinds())
    # One call is lost for each kill that came right before its answer could be stored, and for no other.
    assert lost <= sum(not after for after in kills.values())
    stored_before: list[tuple[int, list[int]]] = []
    again = asyncio.run(live(vendor, FakeSandbox(), MemoryLedger(), journal, watch=lambda *a: stored_before.append(a)))
    assert isinstance(again, Reported)
    assert stored_before[-1][1] == []


@given(scripts(), st.dictionaries(st.integers(1, 40), st.booleans(), max_size=6))
def test_a_call_goes_out_only_for_a_step_that_has_no_stored_answer(script, kills):
    vendor = Vendor(script)
    seen: list[tuple[int, list[int]]] = []
    asyncio.run(live(vendor, FakeSandbox(), MemoryLedger(), FragileJournal(kills), watch=lambda *a: seen.append(a)))
    for stored, made in seen:
        assert all(step >= stored for step in made)


@given(scripts(), st.dictionaries(st.integers(1, 40), st.booleans(), max_size=6))
def test_no_command_runs_twice(script, kills):
    sandbox = FakeSandbox()
    asyncio.run(live(Vendor(script), sandbox, MemoryLedger(), FragileJournal(kills), watch=lambda *_: None))
    assert len(sandbox.commands) == len(set(sandbox.commands))


@given(scripts(), st.dictionaries(st.integers(1, 40), st.booleans(), max_size=6))
def test_every_call_gets_one_result_in_order_and_an_unknown_one_says_so(script, kills):
    vendor, sandbox = Vendor(script), FakeSandbox()
    asyncio.run(live(vendor, sandbox, MemoryLedger(), FragileJournal(kills), watch=lambda *_: None))
    turns = [turn for turn in vendor.requests[-1].turns if isinstance(turn, ResultsTurn)]
    assert [[r.call_id for r in t.results] for t in turns] == [[c.id for c in a.calls] for a in script[:-1]]
    for result in (r for t in turns for r in t.results):
        ran = result.content.endswith(f"ran {result.call_id.removeprefix('call-')}")
        assert ran or (result.is_error and result.content.startswith("interrupted:") and "M app.py" in result.content)


@given(scripts(), st.dictionaries(st.integers(1, 40), st.booleans(), max_size=6))
def test_the_ledger_ends_with_each_answer_once_and_nothing_reserved(script, kills):
    ledger, journal = MemoryLedger(), FragileJournal(kills)
    asyncio.run(live(Vendor(script), FakeSandbox(), ledger, journal, watch=lambda *_: None))
    assert sorted(ledger.settled) == [f"line/1/task/1/turn/{n + 1}" for n in range(len(script))]
    assert ledger.reserved == {}


@given(scripts())
def test_a_journal_cut_anywhere_leads_to_the_same_report(script):
    whole = MemoryJournal()
    asyncio.run(live(Vendor(script), FakeSandbox(), MemoryLedger(), whole, watch=lambda *_: None))
    for length in range(len(whole.rows) + 1):
        cut = MemoryJournal()
        cut.rows = whole.rows[:length]
        outcome = asyncio.run(live(Vendor(script), FakeSandbox(), MemoryLedger(), cut, watch=lambda *_: None))
        assert isinstance(outcome, Reported)
