"""The verbs that work, as `/agent help` shows them."""

from bot.core.text.markdown import table

VERBS: tuple[tuple[str, str, str], ...] = (
    ("spec", "/agent spec", "start, or write the spec again"),
    ("refine", "/agent refine <text>", "the next revision of the spec answers the text"),
    ("approve", "/agent approve [revision or hash]", "start the work for exactly that revision; bare: the newest"),
    ("answer", "/agent answer <A1> <text>", "settle an open assumption or question"),
    ("waive", "/agent waive <F1> <reason>", "overrule a finding; kept with name and reason"),
    ("stop", "/agent stop", "end the run and keep the branches"),
    ("pause", "/agent pause", "hold the run"),
    ("resume", "/agent resume", "go on with a paused run"),
    ("retry", "/agent retry", "try the step that failed again"),
    ("status", "/agent status", "where the run stands"),
    ("help", "/agent help", "this list"),
)
"""(verb, shape, what it does), in the order shown; a verb that does not work yet is not in it."""


def help_text() -> str:
    """All verbs as a table."""
    rows = ((f"`{shape}`", does) for _, shape, does in VERBS)
    return f"Say one of these as the first line of a new comment:\n\n{table(('command', 'does'), rows)}"
