"""What people wrote, as a person sees it: the only form in which issue text reaches a prompt.

Text that a person can't see (comments, hidden HTML, tag characters, zero-width and bidi controls) is where instructions are smuggled in,
so it is taken out and counted; what is left still is data, and stands behind a delimiter that its author could not know.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from bot.core.forge import Comment, IssueText
from bot.core.ids import sha256
from bot.core.visible import visible_text

MAX_TEXT = 60_000
"""Characters of visible text kept of one block."""
MAX_RAW = 100_000
"""Characters looked at at all: GitHub's own limit is 65,536."""
MAX_COMMENTS = 60
ORDER = ("none", "read", "triage", "write", "maintain", "admin")
DELIMITER = re.compile(r"[0-9a-f]{16,64}")


@dataclass(frozen=True, slots=True)
class Reduced:
    """Visible text, how many characters were taken out as invisible or hidden, and sentences on what else was done to it."""

    text: str
    removed: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """One text of one author. `sha256` is over the raw text, so that a later edit shows; `permission` is the author's effective role."""

    kind: Literal["title", "body", "comment"]
    author: str
    permission: str
    text: str
    sha256: str
    removed: int = 0
    notes: tuple[str, ...] = ()
    created_at: str = ""
    edited_at: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An issue at the moment it was labelled. `left_out` says, in finished clauses, what was not taken and why."""

    issue: int
    base_sha: str
    blocks: tuple[Block, ...]
    left_out: tuple[str, ...] = ()


def reduce(text: str) -> Reduced:
    """CommonMark reduced to what a person sees; never raises, whatever the text is."""
    notes: list[str] = []
    if len(text) > MAX_RAW:
        notes.append(f"{len(text) - MAX_RAW} characters beyond the first {MAX_RAW} were not read")
        text = text[:MAX_RAW]
    seen = visible_text(text)
    shown, invisible = strip_invisible(seen.text)
    shown = _tidy(shown)
    removed = seen.hidden + invisible
    if removed:
        notes.append(f"{removed} hidden character{'s were' if removed > 1 else ' was'} removed")
    if seen.images and not seen.words:
        notes.append(
            f"it consists of {seen.images} image{'s' if seen.images > 1 else ''} and no text; images are not read"
        )
    if len(shown) > MAX_TEXT:
        notes.append(f"{len(shown) - MAX_TEXT} of {len(shown)} characters were cut from the end")
        shown = shown[:MAX_TEXT].rstrip()
    return Reduced(shown, removed, tuple(notes))


def strip_invisible(text: str) -> tuple[str, int]:
    """The text without characters that show nothing or reorder what is shown, and how many those were."""
    kept = [char for char in text if not invisible(char)]
    return "".join(kept), len(text) - len(kept)


def invisible(char: str) -> bool:
    """Whether a character shows nothing: controls but newline and tab, format, surrogates, private use, variation selectors, fillers."""
    code = ord(char)
    if char in "\n\t":
        return False
    if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        return True
    return (
        0xFE00 <= code <= 0xFE0F  # variation selectors
        or 0xE0000 <= code <= 0xE0FFF  # tags and their supplement
        or code in (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x2800, 0x3164, 0xFFA0)
    )


def _tidy(text: str) -> str:
    lines = [line.rstrip() for line in text.replace("\t", "    ").split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


# ---- taking it -----------------------------------------------------------------------------------------------------


def take(
    issue: IssueText,
    comments: Sequence[Comment],
    *,
    base_sha: str,
    permissions: Mapping[str, str],
    private: bool,
    own_app_id: int | None = None,
) -> Snapshot:
    """The snapshot that a run works from. `permissions` maps a login to its effective role; who is not in it counts as `none`.

    The issue itself is always taken (a person with write permission asked for it); comments by people below write are not, on a public
    repository, nor are our own and those of other bots.
    """
    role = permissions.get(issue.author, "none")
    blocks = [
        _block("title", issue.author, role, " ".join(issue.title.split()), edited_at=issue.updated_at),
        _block("body", issue.author, role, issue.body, edited_at=issue.updated_at),
    ]
    outside = bots = 0
    for comment in comments:
        if comment.author_type == "Bot" or comment.app_id is not None:
            bots += comment.app_id is None or comment.app_id != own_app_id
            continue
        role = permissions.get(comment.author, "none")
        if not private and not _may_write(role):
            outside += 1
            continue
        blocks.append(
            _block("comment", comment.author, role, comment.body, at=comment.created_at, edited_at=comment.updated_at)
        )
    older = max(len(blocks) - 2 - MAX_COMMENTS, 0)
    left_out = [
        (outside, "{} by {} without write permission", "people", "a person"),
        (bots, "{} by {}", "bots", "a bot"),
        (older, "{} older than the newest {}", str(MAX_COMMENTS), str(MAX_COMMENTS)),
    ]
    return Snapshot(
        issue=issue.number,
        base_sha=base_sha,
        blocks=(*blocks[:2], *blocks[2 + older :]),
        left_out=tuple(
            form.format(f"{count} comment{'s' if count > 1 else ''}", many if count > 1 else one)
            for count, form, many, one in left_out
            if count
        ),
    )


def _may_write(role: str) -> bool:
    return role in ORDER and ORDER.index(role) >= ORDER.index("write")


def _block(
    kind: Literal["title", "body", "comment"], author: str, role: str, raw: str, *, at: str = "", edited_at: str = ""
) -> Block:
    got = reduce(raw) if kind != "title" else Reduced(*strip_invisible(raw))
    return Block(
        kind, author, role, got.text, sha256(raw.encode(errors="replace")), got.removed, got.notes, at, edited_at
    )


def snapshot_sha256(snapshot: Snapshot) -> str:
    """Names the snapshot by what people wrote (authors and raw texts), not by how we reduced it."""
    rows = [[block.kind, block.author, block.permission, block.sha256] for block in snapshot.blocks]
    return sha256(msgspec.json.encode([snapshot.issue, rows]))


def dump(snapshot: Snapshot) -> bytes:
    """The snapshot as JSON, for the run's encrypted blobs."""
    return msgspec.json.encode(snapshot)


def load(data: bytes) -> Snapshot:
    """Back from `dump`; raises msgspec.ValidationError for anything else."""
    return msgspec.json.decode(data, type=Snapshot)


# ---- into a prompt -------------------------------------------------------------------------------------------------


def render_blocks(snapshot: Snapshot, delimiter: str) -> str:
    """All blocks, each between two lines that carry the delimiter, which must be 16 to 64 random hex digits drawn for this call.

    Raises ValueError for a weaker delimiter. Where a text holds the delimiter all the same, it is broken up there.
    """
    if not DELIMITER.fullmatch(delimiter):
        raise ValueError("a delimiter is 16 to 64 lowercase hex digits")
    parts = []
    for number, block in enumerate(snapshot.blocks, 1):
        notes = "".join(f"; {note}" for note in block.notes)
        head = f"{number} {block.kind} by {fenced(_plain(block.author), delimiter)} ({_plain(block.permission)} permission){notes}"
        parts.append(f"<<{delimiter} {head}>>\n{fenced(block.text, delimiter)}\n<<{delimiter} end {number}>>")
    if snapshot.left_out:
        parts.append(f"Left out: {'; '.join(snapshot.left_out)}.")
    return "\n".join(parts)


def fenced(text: str, delimiter: str) -> str:
    """Text in which the delimiter does not occur: it can only be there by a leak, and is broken up, in any case of its letters."""
    return re.sub(re.escape(delimiter), f"{delimiter[:4]}[delimiter removed]", text, flags=re.IGNORECASE)


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.\[\]-]", "", name)[:60] or "unknown"
