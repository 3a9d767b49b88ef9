"""Every model call is a row: reserved before it is sent, settled by what it cost."""

from collections.abc import Callable

import sqlalchemy as sa

from bot.core.budget import Charge, dollars
from bot.ports import BudgetExhausted, Clock
from bot.store import tables
from bot.store.runs import upsert


class SqlLedger:
    """`ports.Ledger` over the `charge` table. `cap` gives a run's limit in micros."""

    def __init__(self, engine: sa.Engine, *, clock: Clock, cap: Callable[[str], int]) -> None:
        self._engine, self._clock, self._cap = engine, clock, cap

    def reserve(self, run_id: str, key: str, micros: int) -> None:
        """Reserve a call's worst case; a reservation that a crash left is replaced by its own retry, a settled call stays."""
        cap = self._cap(run_id)
        table = tables.charge
        row = {"run_id": run_id, "key": key, "settled": False, "micros": micros, "at": self._clock.stamp()}
        with self._engine.begin() as conn:
            insert = upsert(conn, table).values(**row)
            again = {"at": row["at"], "micros": micros}
            where = table.c.settled.is_(False)
            conn.execute(insert.on_conflict_do_update(index_elements=["run_id", "key"], set_=again, where=where))
            total = conn.execute(sa.select(sa.func.sum(table.c.micros)).where(table.c.run_id == run_id)).scalar() or 0
            if total > cap:
                conn.rollback()
                used = dollars(int(total) - micros)
                raise BudgetExhausted(
                    f"The next model call could pass this run's limit of {dollars(cap)} ({used} spent or reserved).",
                    axis="dollars",
                )

    def settle(self, charge: Charge) -> None:
        """Replace the reservation; the same key twice counts once."""
        usage = charge.usage
        row = {
            "settled": True,
            "micros": charge.micros,
            "role": charge.role,
            "model": charge.model,
            "input": usage.input,
            "cache_read": usage.cache_read,
            "cache_write": usage.cache_write,
            "output": usage.output,
            "reasoning": usage.reasoning,
            "request_id": charge.request_id,
            "at": self._clock.stamp(),
        }
        with self._engine.begin() as conn:
            insert = upsert(conn, tables.charge).values(run_id=charge.run_id, key=charge.key, **row)
            conn.execute(insert.on_conflict_do_update(index_elements=["run_id", "key"], set_=row))

    def release(self, run_id: str, key: str) -> None:
        """Drop a reservation whose call never reached the vendor."""
        c = tables.charge.c
        with self._engine.begin() as conn:
            conn.execute(sa.delete(tables.charge).where(c.run_id == run_id, c.key == key, c.settled.is_(False)))
