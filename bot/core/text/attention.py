"""The one short line that mentions the requester when a person must act: edits notify nobody, a new comment does."""

from bot.core.ids import sha256
from bot.core.run import Run
from bot.core.text import defang
from bot.core.text.figures import listed
from bot.core.text.markdown import code
from bot.core.text.status import next_words


def about(run: Run) -> str:
    """What the line is about, empty where nobody must act; a new need has a new name."""
    state = run.state
    match state.kind:
        case "AwaitingAnswer":
            return f"answer-{'-'.join(map(defang.ident, state.ids))}"
        case "AwaitingApproval":
            revision = run.revision
            return f"approval-{revision.sha256[:7] if revision else ''}-{sha256(state.why)[:6]}"
        case "Paused":
            return "" if state.until else f"paused-{run.attempt}-{sha256(state.reason)[:6]}"
        case "Failed":
            return f"failed-{run.attempt}-{sha256(state.reason)[:6]}"
        case _:
            return ""


def attention(run: Run) -> str | None:
    """The line without its marker, or None where nobody must act."""
    if not about(run):
        return None
    state = run.state
    match state.kind:
        case "AwaitingAnswer":
            what = f"needs your answer to {listed([code(defang.ident(each)) for each in state.ids])}"
        case "AwaitingApproval":
            what = (
                f"needs your approval of the spec: {defang.line(state.why, 300)}"
                if state.why
                else "needs your approval of the spec"
            )
        case "Paused":
            what = f"is paused. {defang.line(state.reason, 400)}"
        case "Failed":
            what = f"failed. {defang.line(state.reason, 400)}"
        case _:
            return None
    named = "/agent" in what
    return f"@{login(run.requester)} the run on this issue {what.rstrip('.')}.{'' if named else ' ' + next_words(run)}"


def login(name: str) -> str:
    """A login reduced to what GitHub allows in one."""
    return "".join(char for char in name if char.isascii() and (char.isalnum() or char in "-_"))
