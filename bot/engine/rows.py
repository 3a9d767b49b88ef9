"""Runs for phases: `ports.RunRows` over the store."""

from collections.abc import Callable

import sqlalchemy as sa

from bot.core.budget import Spend
from bot.core.run import TERMINAL, Run
from bot.store import runs, tables
from bot.store.runs import upsert


class SqlRunRows:
    """One per process; every call is one short transaction."""

    def __init__(self, database: sa.Engine, changed: Callable[[], None]) -> None:
        self._database, self._changed = database, changed

    def load(self, run_id: str) -> Run:
        """The run as it stands. Raises LookupError for one that was erased."""
        with self._database.connect() as conn:
            run = runs.load(conn, run_id)
        if run is None:
            raise LookupError(run_id)
        return run

    def note(self, run_id: str, epoch: int, change: Callable[[Run], Run]) -> bool:
        """Change what is shown of a run without moving it."""
        with self._database.begin() as conn:
            run = runs.lock(conn, run_id)
            if run is None or run.epoch != epoch:
                return False
            runs.save(conn, change(run))
        self._changed()
        return True

    def progress(self, run_id: str, line: int, task: str, turn: int, doing: str) -> None:
        """Shown in the status comment at its next edit."""
        row = {"turn": turn, "doing": doing[:200]}
        key = {"run_id": run_id, "line": line, "task": task}
        with self._database.begin() as conn:
            insert = upsert(conn, tables.progress).values(**key, **row, attempts=0)
            conn.execute(insert.on_conflict_do_update(index_elements=list(key), set_=row))
            run = runs.load(conn, run_id)
            if run is not None and not isinstance(run.state, TERMINAL):
                runs.want_published(
                    conn, run.repo.id, run.issue, installation_id=run.installation_id, repo=run.repo.full_name
                )
        self._changed()

    def attempt(self, run_id: str, line: int, task: str) -> int:
        """Count one more start of this task."""
        key = {"run_id": run_id, "line": line, "task": task}
        table = tables.progress
        with self._database.begin() as conn:
            insert = upsert(conn, table).values(**key, turn=0, doing="", attempts=1)
            insert = insert.on_conflict_do_update(index_elements=list(key), set_={"attempts": table.c.attempts + 1})
            return int(conn.execute(insert.returning(table.c.attempts)).scalar_one())

    def baseline(self, key: str) -> str | None:
        """A stored evidence row of a base SHA."""
        with self._database.connect() as conn:
            return conn.execute(sa.select(tables.baseline.c.doc).where(tables.baseline.c.key == key)).scalar()

    def keep_baseline(self, key: str, doc: str) -> None:
        """The first result stands: the base is proven once."""
        with self._database.begin() as conn:
            insert = upsert(conn, tables.baseline).values(key=key, doc=doc)
            conn.execute(insert.on_conflict_do_nothing(index_elements=["key"]))

    def spend(self, run_id: str) -> Spend:
        """What the run has cost so far."""
        with self._database.connect() as conn:
            return runs.spend(conn, run_id)

    def branches(self, repo_id: int, issue: int) -> tuple[str, ...]:
        """Branch names that runs of this issue have taken so far."""
        return tuple(line.branch for run in self._of(repo_id, issue) for line in run.lines)

    def open_paths(self, repo_id: int, run_id: str) -> tuple[tuple[str, str], ...]:
        """(path, branch) of every file in other open pull requests of ours."""
        others = (run for run in self._of(repo_id, None) if run.id != run_id)
        open_lines = (line for run in others for line in run.lines if line.state == "in review")
        return tuple((file.path, line.branch) for line in open_lines for file in line.diff)

    def keep_config(self, repo_id: int, installation_id: int, repo: str, text: str) -> None:
        """Remember the repository's agent.yml for routing."""
        row = {"installation_id": installation_id, "full_name": repo, "config": text}
        with self._database.begin() as conn:
            insert = upsert(conn, tables.repository).values(repo_id=repo_id, **row)
            conn.execute(insert.on_conflict_do_update(index_elements=["repo_id"], set_=row))

    def _of(self, repo_id: int, issue: int | None) -> list[Run]:
        where = tables.run.c.repo_id == repo_id
        where &= tables.run.c.issue == issue if issue is not None else tables.run.c.active.is_(True)
        with self._database.connect() as conn:
            docs = conn.execute(sa.select(tables.run.c.doc).where(where)).scalars().all()
        return [runs.decode(doc) for doc in docs]


def config_of(database: sa.Engine, run_id: str) -> str:
    """The text of the agent.yml that a run's repository had when it was last read, empty for none."""
    query = (
        sa.select(tables.repository.c.config)
        .join(tables.run, tables.run.c.repo_id == tables.repository.c.repo_id)
        .where(tables.run.c.id == run_id)
    )
    with database.connect() as conn:
        return conn.execute(query).scalar() or ""
