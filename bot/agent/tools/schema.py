"""Strict tool inputs: flat objects, every property required, nothing else allowed."""

from bot.core.conversation import Json


def strict(**properties: Json) -> Json:
    """The schema of an object with exactly these properties."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def problem(schema: Json, value: object) -> str:
    """Why `value` does not fit a schema made by `strict`, as one sentence; empty when it fits. Vendors promise it; we check."""
    if not isinstance(value, dict):
        return "The input must be a JSON object."
    wanted = schema["properties"]
    if missing := [name for name in wanted if name not in value]:
        return f"Missing in the input: {', '.join(missing)}."
    if extra := [str(name) for name in value if name not in wanted]:
        return f"Not part of the input: {', '.join(extra)}."
    for name, kind in wanted.items():
        if not _fits(kind, value[name]):
            return f"`{name}` must be {_words(kind)}."
    return ""


def _fits(kind: Json, value: object) -> bool:
    if "enum" in kind:
        return value in kind["enum"]
    match kind["type"]:
        case "string":
            return isinstance(value, str)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "array":
            return isinstance(value, list) and all(_fits(kind["items"], item) for item in value)
        case _:
            return False


def _words(kind: Json) -> str:
    if "enum" in kind:
        return "one of " + ", ".join(kind["enum"])
    return "an array of strings" if kind["type"] == "array" else f"of type {kind['type']}"
