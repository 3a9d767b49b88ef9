"""What each way that a model may stop means for the loop, and what we say to it."""

from dataclasses import dataclass
from typing import Literal

from bot.core.conversation import Stop


@dataclass(frozen=True, slots=True)
class Row:
    """What a stop means: whether its turn is kept, whether it is usable, what we say to it, and what comes next."""

    keep: bool
    bad: bool
    then: Literal["tools", "again", "reset", "refused"]
    say: str = ""


STOPS: dict[Stop, Row] = {
    "tool": Row(True, False, "tools"),
    "end": Row(
        True,
        True,
        "again",
        "You ended without a tool call. Go on with `bash` or `edit`; when you are finished, call `report`.",
    ),
    "length": Row(
        False, True, "again", "Your last answer was longer than an answer may be, and was dropped. Take smaller steps."
    ),
    "cut": Row(False, False, "again"),
    "other": Row(False, True, "again"),
    "context": Row(False, False, "reset"),
    "refusal": Row(False, False, "refused"),
}
"""Every stop has a row. A turn that may hold half a tool call is never kept, and tools run on `tool` alone."""

HAND_OFF = (
    "Your context is nearly full and will be emptied; the files stay as they are. Call no tool now. Write a hand-off note to yourself: "
    "what is done, what is left, what you learned about the code, which commands check it, and the very next step."
)
INTERRUPTED = (
    "interrupted: the machine stopped while this ran. It may have had a part of its effect and was not run again."
)
