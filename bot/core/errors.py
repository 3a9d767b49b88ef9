"""The five errors that may cross a port. Each says who should react, and how; anything else that escapes is a bug."""


class PortError(Exception):
    """Base of the five; never raised itself."""


class Transient(PortError):
    """It may work later: `retry_at` is seconds since the epoch, or None for the caller's own backoff."""

    def __init__(self, message: str, retry_at: float | None = None) -> None:
        super().__init__(message)
        self.retry_at = retry_at


class Permanent(PortError):
    """It will never work as asked: a bug or a refusal by the other side that no person here can lift."""


class UserFacing(PortError):
    """A person can act: `message` is one clear sentence that says what to do; the run is Paused or Failed with it."""

    def __init__(self, message: str, *, verb: str = "/agent resume") -> None:
        super().__init__(message)
        self.message = message
        self.verb = verb


class BudgetExhausted(PortError):
    """A limit of turns, dollars, wall clock or context was reached; `axis` names it."""

    def __init__(self, message: str, *, axis: str) -> None:
        super().__init__(message)
        self.axis = axis


class Cancelled(PortError):
    """The run was stopped, paused or superseded while this was going on: unwind, write nothing."""
