"""Text that came from a model, a repo or a stranger, made harmless before it is published (SECURITY.md 24).

What is left can be read, but it mentions nobody, closes nothing, commands no bot, skips no CI, loads no image and holds no HTML.
The rules work on lines of the source, and what they can't be sure about counts as plain text: only a fence at column 0 and a
code span that opens and closes on one line are trusted to be code. Any other run of backticks or tildes is escaped, so that
GitHub reads it the same way.
"""

import re
import unicodedata

from bot.core.text.markdown import code

_FENCE = re.compile(r"(`{3,}|~{3,})(.*)$")
_MENTION = re.compile(r"(?<![A-Za-z0-9])@(?=[A-Za-z0-9])")
_KEYWORD = r"close[sd]?|fix(?:e[sd])?|resolve[sd]?|implement(?:s|ed)?"
_REFERENCE = r"(?:#|GH-|[\w.-]+/[\w.-]+\\?#|https?://[^\s/]+/[^\s]+/(?:issues|pull|pulls)/)"
_CLOSING = re.compile(rf"(?<![A-Za-z0-9])({_KEYWORD})(?:\s*:\s*|\s+)(?=[*_\[(<`~\\]*{_REFERENCE}\d)", re.IGNORECASE)
_CI_SKIP = re.compile(
    r"\[\s*((?:skip|no)[\s_-]+(?:ci|cd|actions|travis|appveyor|azurepipelines|azpipelines|azp|netlify|vercel|circle(?:ci)?|checks|build)"
    r"|(?:ci|cd|actions|travis|appveyor|azurepipelines|azpipelines|azp|netlify|vercel|circle(?:ci)?|checks|build)[\s_-]+skip)\s*\]",
    re.IGNORECASE,
)
_CI_TRAILER = re.compile(r"skip[-_]checks(\s*:)", re.IGNORECASE)
_CI_STARS = re.compile(r"\*\*\*\s*NO_CI\s*\*\*\*", re.IGNORECASE)
_COMMAND = re.compile(
    r"^([ \t]*)(?=/(?![\w.-]*/)[A-Za-z]|![A-Za-z]|\.(?:deploy|noop|lock|unlock)\b|(?:bors|homu) |(?:jenkins|rustbot)[,: ]"
    r"|(?:retest|recheck|reverify|ok to test|test this|build this|add to whitelist)\b|r\+|r\?|r=)",
    re.IGNORECASE,
)
_DELIMITER_ROW = frozenset(" \t>|:+*.)-0123456789")
_IMAGE = re.compile(r"!+\[")
_ENTITY = re.compile(r"&(?!(?:lt|gt|amp|quot);)(?=#?[A-Za-z0-9]+;)")
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_COMMAND_MARK = "· "


def visible(text: str) -> str:
    """The characters a person sees: no controls, format or private characters, variation selectors or fillers; any space is a space."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return "".join(_seen(char) for char in text)


def _seen(char: str) -> str:
    if char in "\n\t" or " " <= char <= "~":
        return char
    kind = unicodedata.category(char)
    if kind == "Zs":
        return " "
    if kind in ("Cc", "Cf", "Cs", "Co", "Cn") or char in _BLANKS:
        return ""
    code = ord(char)
    selector = 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF or 0x180B <= code <= 0x180F
    return "" if selector else char


def clip(text: str, limit: int) -> str:
    """At most about `limit` characters, with a note of how many were left out."""
    if len(text) <= limit:
        return text
    kept = text[:limit].rstrip()
    return f"{kept} … ({len(text) - len(kept)} characters left out)"


def block(text: str, limit: int = 6_000) -> str:
    """Markdown of somebody else, to stand at the start of a line: harmless, fences balanced, at most about `limit` characters."""
    lines: list[str] = []
    fence = ""
    source = _everywhere(clip(visible(text).strip("\n"), limit)).split("\n")
    tabular = any("-" in each and _DELIMITER_ROW.issuperset(each) for each in source)
    for line in source:
        if fence:
            lines.append(_no_command(line))
            if _closes(line, fence):
                fence = ""
        elif opened := _opens(line):
            fence = opened
            lines.append(line)
        else:
            lines.append(_no_command(_prose(line, tabular=tabular)))
    if fence:
        lines.append(fence)
    return "\n".join(lines)


def line(text: str, limit: int = 600) -> str:
    """Text of somebody else on one line: harmless, whitespace collapsed, at most about `limit` characters."""
    flat = " ".join(visible(text).split())
    return _no_command(_prose(_everywhere(clip(flat, limit))))


def span(text: str, limit: int = 300) -> str:
    """A path, command or name of somebody else as a code span."""
    return code(_everywhere(clip(" ".join(visible(text).split()), limit)))


def ident(text: str) -> str:
    """An id like `R1` or `AC1.1`, with nothing in it but letters, digits, dots and dashes."""
    return "".join(char for char in text if char.isascii() and (char.isalnum() or char in ".-"))[:16]


def plain(text: str, limit: int = 200) -> str:
    """One line for a title or a commit message, where Markdown's code spans protect nothing."""
    flat = _everywhere(" ".join(visible(text).split()))
    short = flat if len(flat) <= limit else f"{flat[: limit - 1].rstrip()}…"
    return _no_command(_MENTION.sub("@ ", short))


def paragraph(text: str, limit: int = 2_000) -> str:
    """Several lines for a commit message: like `plain`, line by line."""
    return "\n".join(
        _no_command(_MENTION.sub("@ ", one)) for one in _everywhere(clip(visible(text), limit)).split("\n")
    )


def fenced(text: str, limit: int = 3_000) -> str:
    """Output of a command as a code block that nothing inside can close."""
    body = _everywhere(visible(text).strip("\n"))
    if len(body) > limit:
        body = f"({len(body) - limit} characters left out)\n{body[-limit:]}"
    longest = max((len(run) for run in re.findall(r"`+", body)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n" + "\n".join(_no_command(one) for one in body.split("\n")) + f"\n{fence}"


def _everywhere(text: str) -> str:
    """What acts on raw text, in code as well: a squash commit takes a body as it is."""
    text = _CLOSING.sub(r"\1 issue ", text)
    text = _CI_SKIP.sub(r"(\1)", text)
    text = _CI_TRAILER.sub(r"skip checks\1", text)
    return _CI_STARS.sub("NO CI", text)


def _no_command(text: str) -> str:
    return _COMMAND.sub(rf"\1{_COMMAND_MARK}", text)


def _opens(text: str) -> str:
    """The fence that a line at column 0 opens, or nothing."""
    found = _FENCE.match(text)
    if not found or (found[1][0] == "`" and "`" in found[2]):
        return ""
    return found[1]


def _closes(text: str, fence: str) -> bool:
    bare = text.strip(" \t")
    indent = len(text) - len(text.lstrip(" "))
    return indent <= 3 and len(bare) >= len(fence) and set(bare) == {fence[0]}


def _prose(text: str, *, tabular: bool = False) -> str:
    """One line outside fences: code spans that close on it are kept, the rest is escaped.

    In a table a pipe ends the cell, and so a code span too: where there may be one, a span with a pipe is no span.
    """
    out: list[str] = []
    rest = text
    while found := re.search(r"\\*(`+)", rest):
        run = found[1]
        out.append(_words(rest[: found.start()]))
        rest = rest[found.end() :]
        closing = re.search(rf"(?<!`){run}(?!`)", rest)
        if closing and tabular and "|" in rest[: closing.start()]:
            closing = None
        if closing:
            out.append(run + rest[: closing.start()] + run)
            rest = rest[closing.end() :]
        else:
            out.append("\\`" * len(run))
    out.append(_words(rest))
    return "".join(out)


def _words(text: str) -> str:
    text = _ENTITY.sub("&amp;", text)
    text = text.replace("<", "&lt;")
    text = _IMAGE.sub("[", text)
    text = re.sub(r"~{3,}", lambda run: "\\~" * len(run[0]), text)
    return _MENTION.sub("@ ", text)
