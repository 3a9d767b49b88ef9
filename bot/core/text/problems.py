"""Plain sentences for what a person should know or do. Each says what happened, then what helps."""

from bot.core.text import defang
from bot.core.text.markdown import code


def nothing_changed() -> str:
    """The worker ended without a difference."""
    return (
        "The work ended without a change to any file, so there is nothing to review. "
        "Say `/agent refine` and name what should be different, or `/agent retry`."
    )


def diff_refused(reasons: tuple[str, ...]) -> str:
    """Diff policy refused what a worker left."""
    first = "; ".join(defang.line(reason, 200).rstrip(".") for reason in reasons[:3])
    return f"What the worker changed may not leave its sandbox: {first}. Nothing was pushed."


def bug(run_id: str) -> str:
    """Anything unexpected: the detail is in the log under the run id."""
    return (
        f"Something broke inside Journeyman; the log has the detail under {code(run_id)}. `/agent retry` tries again."
    )


def publication_blocked(what: str, rules: tuple[str, ...]) -> str:
    """The publish gate found a secret; `what` names the text or the change."""
    return f"The {what} is held back: it holds something that looks like a secret ({', '.join(rules)}). Nothing of it was published."
