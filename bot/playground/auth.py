"""Who calls, and whether they may: App JWTs, installation tokens with their scopes, people's tokens with their roles."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import jwt

from bot.playground.data import App, By, Repo, Role, Token
from bot.playground.validation import ApiError, not_found

if TYPE_CHECKING:
    from bot.playground.state import State

LONGEST_JWT = 600
SKEW = 60


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller: an App by its JWT, an installation or a person by a token, or nobody."""

    kind: Literal["app", "installation", "user", "anonymous"]
    key: str
    who: str
    app: App | None = None
    token: Token | None = None

    @property
    def by(self) -> By:
        """Who acts. Raises ApiError 401 for nobody and for a bare App."""
        if self.token is None:
            raise ApiError(401, "Requires authentication", docs="")
        return By(self.token.account, self.app)


def _unauthorized(message: str = "Bad credentials") -> ApiError:
    return ApiError(401, message, docs="")


def bearer(header: str | None) -> str | None:
    """The token of an Authorization header: Bearer, token, or the password of Basic. Raises ApiError 401 for anything else."""
    if not header:
        return None
    scheme, _, value = header.partition(" ")
    if scheme.lower() in ("bearer", "token") and value.strip():
        return value.strip()
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise _unauthorized() from None
        return password or user
    raise _unauthorized()


def authenticate(state: State, header: str | None) -> Principal:
    """The caller behind an Authorization header. Raises ApiError 401, or 403 for a suspended installation."""
    value = bearer(header)
    if value is None:
        return Principal("anonymous", "anonymous", "127.0.0.1")
    if value.count(".") == 2 and value.startswith("eyJ"):
        app = _app_of_jwt(state, value)
        return Principal("app", f"app:{app.id}", f"app ID {app.id}", app)
    token = state.token(value)
    if token is None:
        raise _unauthorized()
    if token.installation is None:
        return Principal("user", f"user:{token.account.id}", f"user ID {token.account.id}", None, token)
    if token.installation.suspended_at is not None:
        raise ApiError(403, "This installation has been suspended", docs="")
    number = token.installation.id
    return Principal(
        "installation", f"installation:{number}", f"installation ID {number}", token.installation.app, token
    )


def _app_of_jwt(state: State, text: str) -> App:
    try:
        claims: dict[str, Any] = jwt.decode(text, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise _unauthorized("A JSON web token could not be decoded") from None
    issuer = claims.get("iss")
    if not isinstance(issuer, str):
        raise _unauthorized("'Issuer' claim ('iss') must be a String")
    app = next((app for app in state.apps.values() if issuer in (str(app.id), app.client_id)), None)
    if app is None:
        raise ApiError(404, "Integration not found", docs="")
    try:
        jwt.decode(text, app.public_key, algorithms=["RS256"], options=_SIGNATURE_ONLY)
    except jwt.PyJWTError:
        raise _unauthorized("A JSON web token could not be decoded") from None
    _check_times(claims, state.clock.now())
    return app


_SIGNATURE_ONLY: Any = {
    f"verify_{claim}": claim == "signature" for claim in ("signature", "exp", "iat", "nbf", "aud", "iss", "sub", "jti")
}


def _check_times(claims: dict[str, Any], now: float) -> None:
    issued, expires = _time(claims.get("iat")), _time(claims.get("exp"))
    if expires is None or expires <= now:
        raise _unauthorized(_PAST)
    if expires > now + LONGEST_JWT:
        raise _unauthorized("'Expiration time' claim ('exp') is too far in the future")
    if issued is None or issued > now + SKEW:
        raise _unauthorized(_NOT_ISSUED)


def _time(claim: object) -> float | None:
    return float(claim) if isinstance(claim, int | float) and not isinstance(claim, bool) else None


_PAST = (
    "'Expiration time' claim ('exp') must be a numeric value representing the future time "
    "at which the assertion expires"
)
_NOT_ISSUED = "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"


# ---- permissions


def _granted(given: dict[str, str], wanted: str) -> bool:
    """Whether permissions meet `issues=write; pull_requests=write`: any of the alternatives, all of what commas join."""
    for alternative in wanted.split(";"):
        pairs = [part.strip().split("=") for part in alternative.split(",")]
        if all(_meets(given.get(name), level) for name, level in pairs):
            return True
    return False


def _meets(given: str | None, level: str) -> bool:
    return given == "write" or (given == "read" and level == "read")


def check_app(principal: Principal) -> App:
    """The App behind a JWT. Raises ApiError 401 for any other caller."""
    if principal.kind != "app" or principal.app is None:
        raise _unauthorized("A JSON web token could not be decoded")
    return principal.app


def visible(state: State, principal: Principal, repo: Repo | None) -> Repo:
    """The repository where the caller may see it. Raises ApiError 404."""
    if repo is None or principal.kind == "app":
        raise not_found()
    token = principal.token
    if token is None:
        if repo.private:
            raise not_found()
        return repo
    if token.installation is None:
        if not state.may(repo, token.account, "read"):
            raise not_found()
        return repo
    inside = token.repo_ids is None or repo.id in token.repo_ids
    if not inside or not token.installation.covers(repo):
        raise not_found()
    return repo


def check(state: State, principal: Principal, repo: Repo, *, needs: str, role: Role, writes: bool) -> None:
    """Raises ApiError 401 or 403 where the token's permissions or the person's role don't suffice."""
    token = principal.token
    if token is None:
        if writes or role != "read":
            raise ApiError(401, "Requires authentication")
        return
    if token.installation is not None:
        if not _granted(token.permissions, needs):
            raise ApiError(403, "Resource not accessible by integration")
    elif not state.may(repo, token.account, role):
        raise ApiError(403, "Must have admin rights to Repository.")
    if writes and repo.archived:
        raise ApiError(403, "Repository was archived so is read-only.")


def narrowed(asked: dict[str, str], granted: dict[str, str]) -> dict[str, str]:
    """The permissions of a new token. Raises ApiError 422 for more than the installation has."""
    for name, level in asked.items():
        if not _meets(granted.get(name), level):
            raise ApiError(422, "The permissions requested are not granted to this installation.")
    return dict(asked)
