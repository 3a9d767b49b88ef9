"""What the vendors say when they refuse: status, headers and body as each of them words it."""

from dataclasses import dataclass, field
from typing import Any

from bot.core.conversation import Json
from bot.playground.vendor_replies import Fault


@dataclass(frozen=True, slots=True)
class Refused:
    """An error answer. `body` lacks only the request id."""

    status: int
    body: Json
    headers: dict[str, str] = field(default_factory=dict)


class Invalid(Exception):
    """A request that the vendor would not take; `kind` is its error type, `code` and `param` exist at OpenAI only."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.param = param
        self.code = code


def anthropic_error(status: int, kind: str, message: str, details: Json | None = None) -> Refused:
    """An error body of the Messages API."""
    error: Json = {"type": kind, "message": message}
    if details is not None:
        error["details"] = details
    return Refused(status, {"type": "error", "error": error})


def openai_error(status: int, message: str, kind: str, *, param: str | None = None, code: str | None = None) -> Refused:
    """An error body of the Responses API."""
    return Refused(status, {"error": {"message": message, "type": kind, "param": param, "code": code}})


def refused(vendor: str, error: Invalid) -> Refused:
    """The vendor's answer to a request that breaks its rules."""
    if vendor == "anthropic":
        return anthropic_error(error.status, error.kind, error.message)
    return openai_error(error.status, error.message, error.kind, param=error.param, code=error.code)


_ANTHROPIC: dict[str, tuple[int, str, str]] = {
    "rate_limit": (
        429,
        "rate_limit_error",
        "This request would exceed your organization's rate limit of 50 requests per minute.",
    ),
    "overloaded": (529, "overloaded_error", "Overloaded"),
    "server_error": (500, "api_error", "Internal server error"),
    "quota": (
        400,
        "invalid_request_error",
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
    ),
    "unauthorized": (401, "authentication_error", "invalid bearer token"),
    "forbidden": (403, "permission_error", "Your API key does not have permission to use the specified resource."),
    "context": (400, "invalid_request_error", "prompt is too long: 1012345 tokens > 1000000 maximum"),
}
_OPENAI: dict[str, tuple[int, str, str, str | None, str | None]] = {
    "rate_limit": (
        429,
        "Rate limit reached for this model on requests per min (RPM): Limit 50, Used 50, Requested 1.",
        "requests",
        None,
        "rate_limit_exceeded",
    ),
    "overloaded": (
        503,
        "The server is currently overloaded. Please try again later.",
        "service_unavailable_error",
        None,
        "server_is_overloaded",
    ),
    "server_error": (
        500,
        "The server had an error while processing your request. Sorry about that!",
        "server_error",
        None,
        None,
    ),
    "quota": (
        429,
        "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota",
        None,
        "insufficient_quota",
    ),
    "unauthorized": (401, "Incorrect API key provided.", "invalid_request_error", None, "invalid_api_key"),
    "forbidden": (
        403,
        "You have insufficient permissions for this operation. Missing scopes: api.responses.write.",
        "invalid_request_error",
        None,
        "insufficient_permissions",
    ),
    "context": (
        400,
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
        "invalid_request_error",
        "input",
        "context_length_exceeded",
    ),
}


def http_fault(vendor: str, fault: Fault) -> Refused:
    """The whole answer of a fault that comes before any stream."""
    if vendor == "anthropic":
        answer = anthropic_error(*_ANTHROPIC[fault.kind])
    else:
        status, message, kind, param, code = _OPENAI[fault.kind]
        answer = openai_error(status, message, kind, param=param, code=code)
    if fault.retry_after is not None:
        answer.headers["retry-after"] = f"{fault.retry_after:g}"
    return answer


def fields(names: str) -> frozenset[str]:
    """The names in a table of allowed fields, separated by blanks."""
    return frozenset(names.split())


def keys_within(value: Any, allowed: frozenset[str], where: str) -> str | None:
    """The path of the first key of `value` that is not allowed, or None. Raises Invalid where it is no object."""
    if not isinstance(value, dict):
        raise Invalid(f"{where}: Input should be an object", param=where)
    extra = next((key for key in value if key not in allowed), None)
    return None if extra is None else (f"{where}.{extra}" if where else extra)


_NUMERIC = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "maxItems"}
)


def schema_problem(schema: Any, where: str = "()") -> str | None:
    """What strict mode refuses in a JSON schema: open objects, optional properties, numeric constraints; None where it is fine."""
    if not isinstance(schema, dict):
        return None
    if schema.get("type") == "object" or "properties" in schema:
        if schema.get("additionalProperties") is not False:
            return f"In context={where}, 'additionalProperties' is required to be supplied and to be false."
        missing = sorted(set(schema.get("properties", {})) - set(schema.get("required", [])))
        if missing:
            return f"In context={where}, 'required' must include every key in properties. Missing '{missing[0]}'."
    banned = sorted(_NUMERIC & set(schema))
    if banned:
        return f"In context={where}, '{banned[0]}' is not permitted."
    children: list[tuple[str, Any]] = list(schema.get("properties", {}).items()) + list(schema.get("$defs", {}).items())
    children += [("items", schema.get("items"))] + [("anyOf", option) for option in schema.get("anyOf", [])]
    for name, child in children:
        problem = schema_problem(child, f"{where[:-1]}'{name}', )")
        if problem:
            return problem
    return None
