"""GitHub takes 65,536 characters; what has to go is named, never dropped in silence."""

from dataclasses import dataclass

LIMIT = 65_000


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a comment. The highest `rank` is left out first, the latest of equals; rank 0 stays."""

    text: str
    rank: int = 0
    title: str = ""


def fit(parts: list[Part], limit: int = LIMIT) -> str:
    """The parts joined by blank lines, within `limit` characters, with a sentence that says what was left out."""
    kept = [part for part in parts if part.text]
    gone: list[Part] = []
    while len(_join(kept, gone)) > limit and any(part.rank for part in kept):
        worst = max(range(len(kept)), key=lambda index: (kept[index].rank, index))
        gone.append(kept.pop(worst))
    text = _join(kept, gone)
    if len(text) <= limit:
        return text
    note = "\n\n_The rest was left out: GitHub takes no longer comment._"
    return text[: limit - len(note)].rsplit("\n", 1)[0] + note


def _join(kept: list[Part], gone: list[Part]) -> str:
    texts = [part.text for part in kept]
    if gone:
        names = ", ".join(part.title or "a section" for part in reversed(gone))
        texts.append(f"_Left out, because GitHub takes no longer comment: {names}._")
    return "\n\n".join(texts)


def clip_lines(text: str, limit: int = LIMIT) -> str:
    """Text cut at a line's end, with a sentence that says so."""
    return fit([Part(text)], limit)
