"""JSON schemas as both vendors' strict modes take them."""

from typing import Any

from bot.core.conversation import Json

_DROPPED = frozenset(
    {
        "default",
        "title",
        "examples",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "pattern",
        "format",
        "minItems",
        "maxItems",
        "uniqueItems",
        "minProperties",
        "maxProperties",
    }
)
"""Keywords that at least one vendor refuses; whoever asked checks such constraints on the answer."""


def strict(schema: Json) -> Json:
    """The schema with closed objects, every property required, and without the keywords that a vendor refuses."""
    out: Json = {}
    for key, value in schema.items():
        if key in _DROPPED:
            continue
        # Names of properties and definitions are not keywords: a property called `title` stays.
        if key in ("properties", "$defs") and isinstance(value, dict):
            out[key] = {name: _inner(child) for name, child in value.items()}
        elif key in ("enum", "const"):
            out[key] = value
        else:
            out[key] = _inner(value)
    if out.get("type") == "object" or "properties" in out:
        out["additionalProperties"] = False
        out["properties"] = out.get("properties", {})
        out["required"] = list(out["properties"])
    return out


def _inner(value: Any) -> Any:
    if isinstance(value, dict):
        return strict(value)
    return [_inner(child) for child in value] if isinstance(value, list) else value
