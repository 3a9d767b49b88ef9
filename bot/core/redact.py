"""Secrets that can't be printed by accident, and the pure half of the publish gate."""

import base64
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

SHORTEST = 8
"""A held value below this many characters is no secret that could be looked for: it would match everything."""
PART = 12
"""So many characters in a row of a secret's random part count as the secret."""


class Secret:
    """A string that shows as `***` wherever it is formatted; `.reveal()` is the only way to the value."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself: call it at the last moment, in the adapter that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a secret was found and by which rule; never the value. `start` and `end` are offsets in the text scanned."""

    rule: str
    start: int
    end: int


RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("github token", re.compile(r"ghs_[A-Za-z0-9._-]{36,}|gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{36,}")),
    (
        "private key",
        re.compile(
            r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:[A-Za-z0-9+/=\s\\:,.-]{0,8000}?-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----)?"
        ),
    ),
    ("anthropic key", re.compile(r"sk-ant-[A-Za-z0-9_-]{20,}")),
    ("openai key", re.compile(r"(?<![A-Za-z0-9])sk-(?:(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,}|[A-Za-z0-9]{32,})")),
    ("aws key", re.compile(r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])")),
    ("slack token", re.compile(r"xox[abeprs]-[A-Za-z0-9-]{20,}")),
    ("google key", re.compile(r"AIza[A-Za-z0-9_-]{35}")),
    ("signed token", re.compile(r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}")),
)
"""Shapes that are secrets whoever holds them."""

_PREFIX = re.compile(r"^(?:sk-ant-(?:[a-z0-9]+-)?|sk-(?:proj|svcacct|admin)-|sk-|gh[a-z]_(?:\d+_)?|github_pat_|whsec_)")
_SPACE = re.compile(r"\s")
_ASN1_HEADER = 40
"""The first characters of a key's base64 are the same in every key of its kind, public ones too."""
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")


class Held:
    """The secrets that we hold, made ready for scanning: built once where many texts are scanned."""

    __slots__ = ("parts", "values")

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self.values = tuple(each.reveal() for each in secrets if len(each.reveal()) >= SHORTEST)
        self.parts: dict[str, str] = {}
        """Window -> rule."""
        for value in self.values:
            part = random_part(value)
            self._add("held secret in hex", [part.encode().hex()], 2 * PART)
            self._add("held secret in base64", _base64(part), PART)
            self._add("held secret", [part, part[::-1]], PART)

    def _add(self, rule: str, forms: list[str], width: int) -> None:
        for form in forms:
            for at in range(len(form) - width + 1):
                self.parts[form[at : at + width]] = rule

    def __repr__(self) -> str:
        return f"Held({len(self.values)} secrets)"


def scan(text: str, secrets: Iterable[Secret] | Held = ()) -> tuple[Hit, ...]:
    """Everything in `text` that must not be published, sorted; overlaps by one rule are one hit.

    Held secrets are found exact, in part (>= 12 characters of the random part), reversed, in base64, hex and URL encoding, and
    wrapped over lines.
    """
    held = secrets if isinstance(secrets, Held) else Held(secrets)
    hits = [Hit(name, *found.span()) for name, rule in RULES for found in rule.finditer(text)]
    for value in held.values:
        hits += _exact(text, value)
    if held.parts:
        for view in _views(text):
            hits += _windows(view, held.parts)
    return _merge(hits)


def redact(text: str, secrets: Iterable[Secret] | Held = ()) -> str:
    """`text` for a log: whatever `scan` finds reads `***`."""
    out: list[str] = []
    at = 0
    for hit in scan(text, secrets):
        if hit.start >= at:
            out += [text[at : hit.start], "***"]
        at = max(at, hit.end)
    out.append(text[at:])
    return "".join(out)


def random_part(value: str) -> str:
    """What of a secret is secret: no well-known prefix, PEM armour, JWT header or the rest of a URL."""
    if "-----BEGIN" in value:
        body = "".join(line.strip() for line in value.replace("\\n", "\n").splitlines() if "-----" not in line)
        return body[_ASN1_HEADER:]
    if "://" in value:
        found = re.search(r"://[^/@\s]*?:([^@\s]+)@", value)
        return found[1] if found else ""
    if value.count(".") == 2 and "eyJ" in value:
        return value.rsplit(".", 1)[1]
    return _PREFIX.sub("", value)


def _base64(part: str) -> list[str]:
    """The three ways in which the part can fall into base64's groups, both alphabets, edges that depend on neighbours cut off."""
    forms = []
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + part.encode()).decode().rstrip("=")
        form = encoded[(0, 2, 3)[shift] : -1]
        forms += [form, form.replace("+", "-").replace("/", "_")]
    return forms


@dataclass(frozen=True, slots=True)
class _View:
    """A text as it is searched: what stands at `text[n]` stood from `starts[n]` to `ends[n]` in the original."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]


def _views(text: str) -> Iterator[_View]:
    size = len(text)
    yield _View(text, range(size), range(1, size + 1))
    if (lower := text.lower()) != text and len(lower) == size:
        yield _View(lower, range(size), range(1, size + 1))
    if _SPACE.search(text):
        kept = [index for index, char in enumerate(text) if not char.isspace()]
        yield _View("".join(text[index] for index in kept), kept, [index + 1 for index in kept])
    if "%" in text:
        yield _unquoted(text)


def _unquoted(text: str) -> _View:
    chars: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    while at < len(text):
        found = _ESCAPE.match(text, at)
        end = found.end() if found else at + 1
        chars.append(chr(int(found[1], 16)) if found else text[at])
        starts.append(at)
        ends.append(end)
        at = end
    return _View("".join(chars), starts, ends)


def _exact(text: str, value: str) -> Iterator[Hit]:
    start = text.find(value)
    while start >= 0:
        yield Hit("held secret", start, start + len(value))
        start = text.find(value, start + 1)


def _windows(view: _View, parts: dict[str, str]) -> Iterator[Hit]:
    text = view.text
    for width in (PART, 2 * PART):
        for at in range(len(text) - width + 1):
            rule = parts.get(text[at : at + width])
            if rule:
                yield Hit(rule, view.starts[at], view.ends[at + width - 1])


def _merge(hits: list[Hit]) -> tuple[Hit, ...]:
    merged: list[Hit] = []
    for hit in sorted(set(hits), key=lambda each: (each.rule, each.start, each.end)):
        last = merged[-1] if merged else None
        if last and last.rule == hit.rule and hit.start <= last.end:
            merged[-1] = Hit(hit.rule, last.start, max(last.end, hit.end))
        else:
            merged.append(hit)
    return tuple(sorted(merged, key=lambda each: (each.start, each.end, each.rule)))
