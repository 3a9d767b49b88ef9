"""From an error that crossed a port to a state that a person can act on. No terminal state is silent."""

import logging
from datetime import UTC, datetime

from pydantic import TypeAdapter

from bot.core.results import PhaseHeld
from bot.core.run import Run
from bot.core.text import problems
from bot.ports import BudgetExhausted, Permanent, Transient, UserFacing

log = logging.getLogger("journeyman.phases")
HELD = TypeAdapter(PhaseHeld)
FIRST_WAIT, LONGEST_WAIT = 30.0, 1800.0
RESUME = "/agent resume"


class Held(Exception):
    """A phase that can't go on; carries what becomes of the run."""

    def __init__(self, result: PhaseHeld) -> None:
        super().__init__(result.sentence)
        self.result = result


def held(problem: Exception, run: Run, now: float) -> PhaseHeld:
    """What becomes of the run; `now` in seconds since the epoch."""
    match problem:
        case Held(result=result):
            return result
        case Transient(retry_at=retry_at):
            wait = min(FIRST_WAIT * 2 ** min(run.resumes, 10), LONGEST_WAIT)
            until = datetime.fromtimestamp(max(retry_at or 0.0, now + wait), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            log.warning("%s waits: %s", run.id, problem)
            return PhaseHeld("Paused", _sentence(problem), RESUME, until)
        case UserFacing(message=message, verb=verb):
            return PhaseHeld("Paused" if verb == RESUME else "Failed", message, verb)
        case BudgetExhausted():
            raise_it = "Ask the operator for a higher `usd_per_run`; or raise it in `.github/agent.yml` and start over:"
            start_over = "say `/agent stop` and put the label on again."
            return PhaseHeld("Paused", f"{_sentence(problem)} {raise_it} {start_over}", RESUME)
        case Permanent():
            log.error("%s failed: %s", run.id, problem)
            return PhaseHeld("Failed", _sentence(problem), "/agent retry")
        case _:
            log.error("%s met a bug", run.id, exc_info=problem)
            return PhaseHeld("Failed", problems.bug(run.id), "/agent retry")


def _sentence(problem: Exception) -> str:
    text = str(problem).strip() or type(problem).__name__
    return text[0].upper() + text[1:].rstrip(".") + "."
