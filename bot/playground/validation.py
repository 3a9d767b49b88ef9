"""GitHub's error answers, and request bodies checked more strictly than GitHub does: an unknown field is refused too."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

DOCS = "https://docs.github.com/rest"


class ApiError(Exception):
    """An error answer. `errors` are GitHub's `{resource, field, code}` objects, or sentences; `docs` is its own page of GitHub's."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: list[dict[str, Any]] | list[str] | None = None,
        docs: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.docs = docs
        self.headers = headers or {}

    def body(self, docs: str) -> dict[str, Any]:
        """The JSON object of the answer; `docs` counts where the error has no page of its own."""
        page = docs if self.docs is None else self.docs
        answer: dict[str, Any] = {"message": self.message}
        if self.errors is not None:
            answer["errors"] = self.errors
        return answer | {"documentation_url": f"{DOCS}/{page}".rstrip("/"), "status": str(self.status)}


def not_found() -> ApiError:
    """404 as GitHub says it, also for what the token may not see."""
    return ApiError(404, "Not Found")


def invalid(resource: str, field: str, code: str, *, value: object = None) -> ApiError:
    """422 with one `{resource, field, code}`."""
    error: dict[str, Any] = {"resource": resource, "code": code, "field": field}
    if value is not None:
        error = {"value": value} | error
    return ApiError(422, "Validation Failed", errors=[error])


def custom(resource: str, message: str, *, field: str | None = None) -> ApiError:
    """422 with code `custom` and a sentence."""
    error: dict[str, Any] = {"resource": resource, "code": "custom", "message": message}
    if field is not None:
        error["field"] = field
    return ApiError(422, "Validation Failed", errors=[error])


class Body(BaseModel):
    """Base of request bodies: no coercion, no unknown field."""

    model_config = ConfigDict(strict=True, extra="forbid")


B = TypeVar("B", bound=Body)
_WORDS = {
    "string_type": "a string",
    "int_type": "an integer",
    "bool_type": "a boolean",
    "list_type": "an array",
    "model_type": "an object",
    "dict_type": "an object",
    "model_attributes_type": "an object",
}


def read_json(raw: bytes) -> Any:
    """The body as JSON; an empty one is an empty object. Raises ApiError 400."""
    if not raw.strip():
        return {}
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise ApiError(400, "Problems parsing JSON") from None


def checked(model: type[B], data: Any) -> B:
    """The body as `model`. Raises ApiError 400 for what is no object, 422 in the words of GitHub's schema check."""
    if not isinstance(data, dict):
        raise ApiError(400, "Body should be a JSON object")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = [_sentence(dict(row)) for row in error.errors(include_url=False)]
        raise ApiError(422, "Invalid request.\n\n" + "\n".join(dict.fromkeys(lines))) from None


def _sentence(row: dict[str, Any]) -> str:
    where, kind = row["loc"], row["type"]
    if kind == "missing":
        return f'"{where[-1]}" wasn\'t supplied.'
    if kind == "extra_forbidden":
        return f'"{where[-1]}" is not a permitted key.'
    at = "/".join(f"items/{part}" if isinstance(part, int) else f"properties/{part}" for part in where)
    given = json.dumps(row["input"], default=str)[:80]
    if given == "null":
        given = "nil"
    if kind == "literal_error":
        return f"For '{at}', {given} is not a member of [{row['ctx']['expected']}]."
    return f"For '{at}', {given} is not {_WORDS.get(kind, 'valid')}."
