"""Names that are derived, never invented: the same input gives the same id, so a repeated input attaches instead of starting."""

import hashlib
import re
import unicodedata


def run_id(repo: str, issue: int, number: int) -> str:
    """The id of the `number`th run on an issue: `acme/shop-42-r1`."""
    return f"{repo}-{issue}-r{number}"


def slug(title: str, limit: int = 40) -> str:
    """A branch-safe slug of an issue title: lowercase ASCII words joined by dashes, `change` when nothing is left."""
    text = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", text.lower())
    out = ""
    for word in words:
        longer = f"{out}-{word}" if out else word[:limit]
        if len(longer) > limit:
            break
        out = longer
    return out or "change"


def branch(issue: int, title: str, nth: int = 1) -> str:
    """The branch of a line of work: `agent/42-consent-log`, with `-2`, `-3` where an earlier one is taken."""
    suffix = "" if nth == 1 else f"-{nth}"
    return f"agent/{issue}-{slug(title)}{suffix}"


def sha256(text: str | bytes) -> str:
    """Hex digest, the one way that specs, prompts and outputs are named by content."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()
