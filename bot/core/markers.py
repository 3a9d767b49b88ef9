"""The hidden first line by which our own comments and pull requests are found again."""

import re
from dataclasses import dataclass

_SHAPE = re.compile(r"<!-- journeyman:v1((?: [a-z0-9]+=[^\s<>]*)*) -->")

_UNSAFE = re.compile(r"[\s<>\x00-\x1f\u007f-\uffff]")


@dataclass(frozen=True, slots=True)
class Marker:
    """What a marker says; `fields` in the order written, without `kind`."""

    kind: str
    fields: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """A field's value, empty where it is missing."""
        return dict(self.fields).get(name, "")


def marker(kind: str, **fields: str | int) -> str:
    """`<!-- journeyman:v1 kind=status run=acme/shop-42-r1 issue=42 -->`."""
    said = "".join(f" {name}={_UNSAFE.sub('', str(value))}" for name, value in fields.items())
    return f"<!-- journeyman:v1 kind={kind}{said} -->"


def find_marker(body: str) -> Marker | None:
    """The marker in the first line of a body, or None: one quoted further down counts for nothing."""
    found = _SHAPE.match(body.lstrip("\ufeff").split("\n", 1)[0].strip())
    if not found:
        return None
    pairs = tuple((name, value) for name, _, value in (each.partition("=") for each in found[1].split()))
    kind = dict(pairs).get("kind", "")
    return Marker(kind, tuple(pair for pair in pairs if pair[0] != "kind")) if kind else None
