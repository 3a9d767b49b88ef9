"""The durable engine behind a seam of seven calls (bind, start, enqueue, once, still_mine, cancel, drain): DBOS 3.4 lives here alone.

Why it is used as it is (constant version, inline intake, no workflow per delivery): docs/adr/0002-engine.md.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig

from bot.core.run import Phase
from bot.core.transition import PhaseCall
from bot.ports import Steps

T = TypeVar("T")
VERSION = "wf-1"
"""Constant: the default, a hash of the workflow's source, would strand work in flight at every edit."""

QUEUES: Mapping[Phase, str] = {
    "work": "work",
    "inspect": "work",
    "verify": "work",
    "draft": "control",
    "challenge": "control",
    "plan": "control",
    "integrate": "control",
    "deliver": "control",
}
Body = Callable[[PhaseCall, Steps], Awaitable[None]]


def _tells_of_trouble(record: logging.LogRecord) -> bool:
    """Not what is meant: a stop or a pause cancels workflows, which the library logs as errors with a traceback."""
    error = record.exc_info[1] if record.exc_info else None
    return "was cancelled" not in f"{record.getMessage()} {error}"


class DurableSteps:
    """`ports.Steps` inside one workflow."""

    def __init__(self, executor_id: str, wanted: Callable[[], bool]) -> None:
        self._executor, self._wanted = executor_id, wanted

    async def once(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        """A durable step that is cancelled within about a second of its workflow."""

        async def body() -> T:
            return await work()

        return await DBOS.run_step_async({"name": name, "preemptible": True}, body)

    async def still_mine(self) -> bool:
        """The journal fences a zombie's checkpoints, never its effects: so ask before each of them."""
        workflow_id = DBOS.workflow_id
        if workflow_id is None or not await asyncio.to_thread(self._wanted):
            return False
        status = await DBOS.get_workflow_status_async(workflow_id)
        return status is not None and status.status == "PENDING" and status.executor_id == self._executor


class Durable:
    """One per process: DBOS is a module global."""

    def __init__(self, database: sa.Engine, *, executor_id: str, poll: float = 0.5, threads: int = 32) -> None:
        self._database, self._executor, self._poll, self._threads = database, executor_id, poll, threads
        self._client: DBOSClient | None = None
        self._names: set[str] = set()
        self._going = 0

    def bind(self, bodies: Mapping[Phase, Body], wanted: Callable[[PhaseCall], bool]) -> None:
        """Register one workflow a phase, named by the phase. Call before `start`."""
        url = self._database.url.render_as_string(hide_password=False)
        config: DBOSConfig = {
            "name": "journeyman",
            "system_database_url": url,
            "system_database_engine": self._database,
            "application_version": VERSION,
            "executor_id": self._executor,
            "log_level": "WARNING",
            "max_executor_threads": self._threads,
        }
        DBOS(config=config)
        logging.getLogger("dbos").addFilter(_tells_of_trouble)
        for phase, body in bodies.items():
            self._register(phase, body, wanted)

    def _register(self, phase: Phase, body: Body, wanted: Callable[[PhaseCall], bool]) -> None:
        @DBOS.workflow(name=phase, max_recovery_attempts=None)
        async def workflow(run_id: str, epoch: int, line: int, task: str) -> None:
            call = PhaseCall(phase, run_id, epoch, DBOS.workflow_id or "", line, task)
            self._going += 1
            try:
                await body(call, DurableSteps(self._executor, lambda: wanted(call)))
            finally:
                self._going -= 1

        self._names.add(phase)

    async def start(self, queues: Mapping[str, int]) -> None:
        """Launch, recover what this executor had in flight, and poll the named queues (name -> slots)."""
        DBOS.listen_queues(list(queues))
        DBOS.launch()
        self._client = DBOSClient(system_database_engine=self._database, application_name="journeyman", lazy=True)
        for name, slots in queues.items():
            await DBOS.register_queue_async(
                name, worker_concurrency=slots, polling_interval_sec=self._poll, on_conflict="always_update"
            )

    def enqueue(self, conn: sa.Connection, call: PhaseCall) -> None:
        """Start a phase when the caller's transaction commits. The library validates nothing, so this is its only caller."""
        if self._client is None or call.phase not in self._names:
            raise ValueError(f"phase {call.phase} is not bound")
        options: Any = {
            "workflow_name": call.phase,
            "queue_name": QUEUES[call.phase],
            "workflow_id": call.workflow_id,
            "app_version": VERSION,
        }
        self._client.enqueue_in_transaction(conn, options, call.run_id, call.epoch, call.line, call.task)

    async def cancel(self, run_id: str, *, keep: tuple[str, ...] = ()) -> None:
        """Cancel every phase of a run that is queued or going on, but those just started."""
        active = await DBOS.list_workflows_async(
            workflow_id_prefix=f"{run_id}/", status=["PENDING", "ENQUEUED", "DELAYED"]
        )
        ids = [it.workflow_id for it in active if it.workflow_id not in keep]
        if ids:
            await DBOS.cancel_workflows_async(ids)

    async def drain(self, seconds: int) -> None:
        """Stop taking work and give what is going on `seconds` to end; the rest is recovered at the next start."""
        # The library sleeps a second before it looks; an idle engine need not wait for that.
        patience = seconds if self._going else 0
        await asyncio.to_thread(lambda: DBOS.destroy(workflow_completion_timeout_sec=patience))
