"""Names of checkouts, and which of them a run still needs."""

from bot.core.run import TERMINAL, Run


def task_key(run: Run, line: int, task: str) -> str:
    """The checkout of a task: the same over pauses and questions, another after a retry."""
    return f"{run.id}/task/{line}/{task}~{run.attempt}"


def run_of(key: str) -> str:
    """The id of the run that a checkout was made for (`acme/shop-42-r1`)."""
    return "/".join(key.split("/")[:2])


def needed(run: Run, key: str) -> bool:
    """Whether the run goes on in that checkout after whatever works on it now: only an unfinished task does."""
    if isinstance(run.state, TERMINAL):
        return False
    open_tasks = ((line.number, task.id) for line in run.lines for task in line.tasks if task.state != "done")
    return key in {task_key(run, line, task) for line, task in open_tasks}
