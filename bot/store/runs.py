"""Runs as rows: loaded whole, changed in one transaction, fenced by epoch."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects import postgresql, sqlite

from bot.core.budget import Spend, Usage
from bot.core.run import TERMINAL, Paused, Run
from bot.core.transition import PhaseCall, Transition
from bot.store import tables

RUN = TypeAdapter(Run)
Enqueue = Callable[[sa.Connection, PhaseCall], None]


def upsert(conn: sa.Connection, table: sa.Table) -> Any:
    """INSERT with ON CONFLICT support for the connection's dialect."""
    return (postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert)(table)


def encode(run: Run) -> str:
    """A run as the JSON that its row keeps."""
    return RUN.dump_json(run).decode()


def decode(doc: str) -> Run:
    """The run that a row keeps. Raises pydantic.ValidationError for a row that this version can't read."""
    return RUN.validate_json(doc)


def newest(conn: sa.Connection, repo_id: int, issue: int) -> Run | None:
    """The newest run of an issue."""
    query = sa.select(tables.run.c.doc).where(tables.run.c.repo_id == repo_id, tables.run.c.issue == issue)
    doc = conn.execute(query.order_by(tables.run.c.number.desc()).limit(1)).scalar()
    return decode(doc) if doc else None


def any_active(conn: sa.Connection, repo_id: int) -> bool:
    """Whether any run of a repository goes on."""
    c = tables.run.c
    return conn.execute(sa.select(c.id).where(c.repo_id == repo_id, c.active.is_(True)).limit(1)).first() is not None


def load(conn: sa.Connection, run_id: str) -> Run | None:
    """A run by id."""
    doc = conn.execute(sa.select(tables.run.c.doc).where(tables.run.c.id == run_id)).scalar()
    return decode(doc) if doc else None


def values(run: Run) -> dict[str, Any]:
    """The columns of a run's row."""
    return {
        "state": run.state.kind,
        "active": not isinstance(run.state, TERMINAL),
        "epoch": run.epoch,
        "until": run.state.until if isinstance(run.state, Paused) else "",
        "doc": encode(run),
    }


def save(conn: sa.Connection, run: Run) -> None:
    """Insert or replace the run's row, and ask for its issue to be published."""
    row = values(run)
    fixed = {
        "id": run.id,
        "repo_id": run.repo.id,
        "issue": run.issue,
        "number": run.number,
        "installation_id": run.installation_id,
        "version": 1,
    }
    insert = upsert(conn, tables.run).values(**fixed, **row)
    conn.execute(insert.on_conflict_do_update(index_elements=["id"], set_={**row, "version": tables.run.c.version + 1}))
    want_published(conn, run.repo.id, run.issue, installation_id=run.installation_id, repo=run.repo.full_name)


def want_published(
    conn: sa.Connection,
    repo_id: int,
    issue: int,
    *,
    installation_id: int,
    repo: str,
    notice: str | None = None,
    look: bool = False,
) -> None:
    """Mark the issue as different from what GitHub shows."""
    table = tables.publication
    base = {"repo_id": repo_id, "issue": issue, "installation_id": installation_id, "repo": repo}
    insert = upsert(conn, table).values(**base, wanted=1, done=0, notice=notice or "", look=look)
    changed: dict[str, Any] = {"wanted": table.c.wanted + 1, "repo": repo, "installation_id": installation_id}
    if notice is not None:
        changed["notice"] = notice
    if look:
        changed["look"] = True
    conn.execute(insert.on_conflict_do_update(index_elements=["repo_id", "issue"], set_=changed))


def apply(conn: sa.Connection, transition: Transition, enqueue: Enqueue) -> None:
    """Save the run and enqueue its next phases in the caller's transaction: both happen or neither."""
    save(conn, transition.run)
    for call in transition.calls:
        enqueue(conn, call)


def lock(conn: sa.Connection, run_id: str) -> Run | None:
    """Take the row for the rest of the transaction (a write first: SQLite locks at the first DML), then read it."""
    touched = conn.execute(
        sa.update(tables.run).where(tables.run.c.id == run_id).values(version=tables.run.c.version + 1)
    )
    return load(conn, run_id) if touched.rowcount else None


def lock_issue(conn: sa.Connection, repo_id: int, issue: int) -> Run | None:
    """The newest run of an issue, its rows taken for the rest of the transaction."""
    where = (tables.run.c.repo_id == repo_id) & (tables.run.c.issue == issue)
    conn.execute(sa.update(tables.run).where(where).values(version=tables.run.c.version + 1))
    return newest(conn, repo_id, issue)


def issue_of_pull(conn: sa.Connection, repo_id: int, pull: int) -> int | None:
    """The issue whose run opened that pull request, None where none of ours did."""
    c = tables.run.c
    query = sa.select(c.doc).where(c.repo_id == repo_id, c.doc.contains(f'"pull_number":{pull},', autoescape=True))
    for doc in conn.execute(query.order_by(c.issue.desc(), c.number.desc())).scalars():
        run = decode(doc)
        if any(line.pull_number == pull for line in run.lines):
            return run.issue
    return None


def spend(conn: sa.Connection, run_id: str) -> Spend:
    """What the run has cost: the sum over its settled calls, reservations left out."""
    c = tables.charge.c
    kinds = (c.input, c.cache_read, c.cache_write, c.output, c.reasoning)
    query = sa.select(
        c.role, c.model, sa.func.sum(c.micros), sa.func.count(), *(sa.func.sum(k) for k in kinds), sa.func.min(c.at)
    )
    rows = conn.execute(
        query.where(c.run_id == run_id, c.settled.is_(True))
        .group_by(c.role, c.model)
        .order_by(sa.func.min(c.at), c.role)
    ).all()
    usage = sum((Usage(*(int(v) for v in row[4:9])) for row in rows), Usage())
    return Spend(
        micros=sum(int(row[2]) for row in rows),
        calls=sum(int(row[3]) for row in rows),
        turns=sum(int(row[3]) for row in rows if row[0] == "work"),
        usage=usage,
        by_role=tuple((row[0], row[1], int(row[2])) for row in rows),
    )
