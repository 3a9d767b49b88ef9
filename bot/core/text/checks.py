"""The check run `agent / verify`."""

from bot.core.evidence import Evidence, Result
from bot.core.text import evidence as words
from bot.core.text.fit import clip_lines

NAME = "agent / verify"
CONCLUSIONS: dict[Result, str] = {
    "PASS": "success",
    "FAIL": "failure",
    "NOT RUN": "action_required",
    "RED ON BASE": "action_required",
}
"""`neutral` would count as a pass where the check is required, so only PASS is let through."""


def title(evidence: Evidence) -> str:
    """`PASS: 5 of 5 commands passed`."""
    return words.headline(evidence)[:200]


def summary(evidence: Evidence) -> str:
    """The evidence table, as in the pull request."""
    return clip_lines(words.section(evidence, heading="### Result"))
