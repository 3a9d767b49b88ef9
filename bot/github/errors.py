"""What GitHub's failures mean to us: each becomes one of the errors of ports."""

import httpx
from githubkit.exception import GitHubException, GraphQLFailed, RateLimitExceeded, RequestError, RequestFailed

from bot.ports import Permanent, PortError, Transient, UserFacing

MINUTE = 60.0

SUSPENDED = "The GitHub App is suspended on this account: an owner can unsuspend it under Settings, GitHub Apps, then say `/agent resume`."
UNGRANTED = (
    "The GitHub App lacks a permission that this needs: an owner can review its permissions and its repositories under Settings, "
    "GitHub Apps, then say `/agent resume`."
)
ARCHIVED = "This repository is archived and can't be changed: unarchive it, then say `/agent resume`."
LOCKED = "This conversation is locked, so nothing can be written to it: unlock it, then say `/agent resume`."
BLOCKED = "The account that owns this repository blocks the GitHub App: unblock it, then say `/agent resume`."
BAD_KEY = (
    "GitHub does not accept this server's App id and private key: its operator has to check JOURNEYMAN_APP_ID and "
    "JOURNEYMAN_PRIVATE_KEY, then say `/agent resume`."
)
REVOKED = (
    "GitHub no longer accepts the App's token: check that the App is still installed here, then say `/agent resume`."
)


class Missing(Permanent):
    """404 or 410: the thing is gone, or never was."""


class Unauthorized(UserFacing):
    """401: nothing was done, since GitHub does not know the token."""


def message_of(error: RequestFailed) -> str:
    """GitHub's own words with the first detail, clipped; for logs and for telling cases apart, never shown to people."""
    try:
        body = error.response.json()
    except ValueError:
        return error.response.text[:200]
    if not isinstance(body, dict):
        return ""
    details = [str(d.get("message") or d.get("code") or "") if isinstance(d, dict) else str(d) for d in as_list(body)]
    return " ".join([str(body.get("message", "")), *[d for d in details if d]])[:400]


def as_list(body: dict[str, object]) -> list[object]:
    """The `errors` of an answer, which is a list, a string or missing."""
    errors = body.get("errors")
    return errors if isinstance(errors, list) else [errors] if errors else []


def translate(error: GitHubException, *, now: float, as_app: bool = False) -> PortError:
    """The port's error for a failed call; `as_app` when it was made with the App's own JWT."""
    if isinstance(error, RateLimitExceeded):
        return Transient("GitHub's rate limit is reached", now + error.retry_after.total_seconds())
    if isinstance(error, RequestFailed):
        return _refused(error, now=now, as_app=as_app)
    if isinstance(error, GraphQLFailed):
        return _graphql(error)
    if isinstance(error, RequestError) and isinstance(error.exc, httpx.TransportError):
        if isinstance(error.exc, httpx.UnsupportedProtocol):
            return Permanent(f"GitHub can't be asked: {error.exc}")
        return Transient(f"GitHub did not answer: {type(error.exc).__name__}")
    return Permanent(f"GitHub can't be asked: {error!r}")


def _refused(error: RequestFailed, *, now: float, as_app: bool) -> PortError:
    status, words = error.response.status_code, message_of(error)
    told = f"{error.request.method} {error.request.url.path}: {status} {words}"
    lower = words.lower()
    if status >= 500 or status == 408:
        return Transient(told)
    if status == 429 or (status == 403 and ("rate limit" in lower or "abuse" in lower)):
        return Transient(told, now + MINUTE)
    if status == 401:
        return Unauthorized(BAD_KEY if as_app else REVOKED)
    if status == 403:
        return UserFacing(_forbidden(lower))
    if status == 422 and "permissions requested are not granted" in lower:
        return UserFacing(UNGRANTED)
    return Missing(told) if status in (404, 410) else Permanent(told)


def _forbidden(words: str) -> str:
    for word, sentence in (("suspended", SUSPENDED), ("archived", ARCHIVED), ("locked", LOCKED), ("blocked", BLOCKED)):
        if word in words:
            return sentence
    return UNGRANTED


def _graphql(error: GraphQLFailed) -> PortError:
    found = error.response.errors or []
    words = "; ".join(e.message for e in found)[:400]
    if any(e.type == "FORBIDDEN" or "not accessible by integration" in e.message for e in found):
        return UserFacing(UNGRANTED)
    if any(e.type in ("INTERNAL", "SERVICE_UNAVAILABLE", "TIMEOUT") or "went wrong" in e.message for e in found):
        return Transient(f"GraphQL: {words}")
    return Permanent(f"GraphQL: {words}")
