"""Money: reserved before it is spent, settled once, never past the cap."""

import pytest
import sqlalchemy as sa

from bot.core.budget import Charge, Usage
from bot.ports import BudgetExhausted
from bot.store import runs, tables
from bot.store.ledger import SqlLedger

pytestmark = pytest.mark.fast
RUN = "acme/shop-42-r1"
CAP = 1_000_000


class Noon:
    def now(self) -> float:
        return 43_200.0

    def stamp(self) -> str:
        return "1970-01-01T12:00:00Z"


@pytest.fixture
def ledger(database: sa.Engine) -> SqlLedger:
    return SqlLedger(database, clock=Noon(), cap=lambda _: CAP)


def charge(key: str, micros: int, role: str = "work") -> Charge:
    return Charge(RUN, key, role, "anthropic/claude", Usage(input=10, output=5), micros, "req-1")


def rows(database: sa.Engine) -> dict[str, tuple[bool, int]]:
    c = tables.charge.c
    with database.connect() as conn:
        return {key: (settled, micros) for key, settled, micros in conn.execute(sa.select(c.key, c.settled, c.micros))}


def test_a_reservation_that_would_pass_the_cap_is_refused_and_leaves_nothing(ledger: SqlLedger, database: sa.Engine):
    ledger.reserve(RUN, "a", 600_000)
    with pytest.raises(BudgetExhausted) as refused:
        ledger.reserve(RUN, "b", 400_001)
    assert "$1.00" in str(refused.value)
    assert "$0.60" in str(refused.value)
    assert rows(database) == {"a": (False, 600_000)}


def test_what_is_reserved_counts_as_spent_until_it_is_settled(ledger: SqlLedger):
    ledger.reserve(RUN, "a", 900_000)
    ledger.settle(charge("a", 100_000))
    ledger.reserve(RUN, "b", 900_000)


def test_another_run_has_a_cap_of_its_own(ledger: SqlLedger):
    ledger.reserve(RUN, "a", CAP)
    ledger.reserve("acme/shop-43-r1", "a", CAP)


def test_settling_twice_counts_once(ledger: SqlLedger, database: sa.Engine):
    ledger.reserve(RUN, "a", 500_000)
    ledger.settle(charge("a", 20_000))
    ledger.settle(charge("a", 20_000))
    with database.connect() as conn:
        spent = runs.spend(conn, RUN)
    assert (spent.micros, spent.calls, spent.turns) == (20_000, 1, 1)


def test_a_retry_replaces_the_reservation_that_a_crash_left(ledger: SqlLedger, database: sa.Engine):
    ledger.reserve(RUN, "a", 300_000)
    ledger.reserve(RUN, "a", 500_000)
    assert rows(database) == {"a": (False, 500_000)}


def test_a_settled_call_is_never_reserved_again(ledger: SqlLedger, database: sa.Engine):
    ledger.reserve(RUN, "a", 300_000)
    ledger.settle(charge("a", 10_000))
    ledger.reserve(RUN, "a", 300_000)
    assert rows(database) == {"a": (True, 10_000)}


def test_only_a_reservation_is_released(ledger: SqlLedger, database: sa.Engine):
    ledger.reserve(RUN, "a", 300_000)
    ledger.settle(charge("a", 10_000))
    ledger.reserve(RUN, "b", 300_000)
    ledger.release(RUN, "a")
    ledger.release(RUN, "b")
    assert rows(database) == {"a": (True, 10_000)}


def test_spend_leaves_reservations_out_and_names_who_spent(ledger: SqlLedger, database: sa.Engine):
    ledger.settle(charge("a", 20_000, role="spec"))
    ledger.settle(charge("b", 30_000))
    ledger.reserve(RUN, "c", 500_000)
    with database.connect() as conn:
        spent = runs.spend(conn, RUN)
    assert spent.micros == 50_000
    assert spent.usage == Usage(input=20, output=10)
    assert spent.by_role == (("spec", "anthropic/claude", 20_000), ("work", "anthropic/claude", 30_000))
