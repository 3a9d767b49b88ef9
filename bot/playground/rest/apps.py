"""Apps, installations, their tokens and deliveries; rate limit and users."""

from __future__ import annotations

from typing import Any, Literal

from bot.playground import auth
from bot.playground.acts import installations as acts
from bot.playground.api import Answer, Call, Route
from bot.playground.clock import stamp
from bot.playground.data import Installation, Repo
from bot.playground.shapes import accounts as shapes
from bot.playground.shapes.repositories import repository
from bot.playground.validation import ApiError, Body, not_found
from bot.playground.webhooks import Delivery

_APP = "apps/apps"
_HOOKS = "apps/webhooks"
TOKEN_LIFE = 3600
_OUT_OF_REACH = "There is at least one repository that does not exist or is not accessible to the parent installation."
_INSTALLATIONS_ONLY = "You must authenticate with an installation access token in order to {}."


class Permissions(Body):
    """The permissions that a playground knows."""

    actions: Literal["read", "write"] | None = None
    administration: Literal["read", "write"] | None = None
    checks: Literal["read", "write"] | None = None
    contents: Literal["read", "write"] | None = None
    issues: Literal["read", "write"] | None = None
    metadata: Literal["read", "write"] | None = None
    pull_requests: Literal["read", "write"] | None = None
    statuses: Literal["read", "write"] | None = None
    workflows: Literal["write"] | None = None


class TokenBody(Body):
    """What a new token is narrowed to."""

    repositories: list[str] | None = None
    repository_ids: list[int] | None = None
    permissions: Permissions | None = None


def get_app(call: Call) -> Answer:
    app = auth.check_app(call.principal)
    count = sum(one.app is app for one in call.state.installations.values())
    return Answer(200, shapes.app(call.state.web, app, installations=count))


def list_installations(call: Call) -> Answer:
    app = auth.check_app(call.principal)
    rows = [one for one in call.state.installations.values() if one.app is app]
    return call.page(rows, lambda one: _listed(call, one))


def _listed(call: Call, one: Installation) -> dict[str, Any]:
    """In this list alone GitHub's description wants an account's fields and an enterprise's together."""
    shape = shapes.installation(call.state.web, one)
    account, at = shape["account"], stamp(one.account.created_at)
    shape["account"] = {"name": one.account.name or account["login"], "slug": account["login"], **account}
    shape["account"] |= {"created_at": at, "updated_at": at}
    return shape


def _installation(call: Call) -> Installation:
    found = call.state.installations.get(call.number("installation_id"))
    if found is None or found.app is not call.principal.app:
        raise not_found()
    return found


def get_installation(call: Call) -> Answer:
    return Answer(200, shapes.installation(call.state.web, _installation(call)))


def get_repo_installation(call: Call) -> Answer:
    repo = call.state.repo(f"{call.params['owner']}/{call.params['name']}")
    for one in call.state.installations.values():
        if repo is not None and one.app is call.principal.app and one.covers(repo):
            return Answer(200, shapes.installation(call.state.web, one))
    raise not_found()


def delete_installation(call: Call) -> Answer:
    one = _installation(call)
    acts.uninstall(call.state, one, call.state.by(one.app.owner.login))
    return Answer(204)


def _scope(call: Call, installation: Installation, body: TokenBody) -> list[Repo] | None:
    """The repositories that the token is narrowed to, None for all of the installation's."""
    if body.repositories is None and body.repository_ids is None:
        return None
    covered = acts.repositories(call.state, installation)
    wanted = [next((r for r in covered if r.name.lower() == name.lower()), None) for name in body.repositories or []]
    wanted += [next((r for r in covered if r.id == number), None) for number in body.repository_ids or []]
    found = [repo for repo in wanted if repo is not None]
    if len(found) != len(wanted) or len(found) > 500:
        raise ApiError(422, _OUT_OF_REACH)
    return found


def create_token(call: Call) -> Answer:
    installation = _installation(call)
    if installation.suspended_at is not None:
        raise ApiError(403, "This installation has been suspended")
    body = call.body(TokenBody)
    asked = body.permissions.model_dump(exclude_none=True) if body.permissions else None
    granted = installation.permissions
    permissions = auth.narrowed(asked, granted) if asked is not None else dict(granted)
    permissions["metadata"] = "read"
    repos = _scope(call, installation, body)
    expires = call.state.clock.now() + TOKEN_LIFE
    ids = None if repos is None else frozenset(repo.id for repo in repos)
    token = call.state.new_token(
        installation.app.bot, installation=installation, permissions=permissions, repo_ids=ids, expires_at=expires
    )
    answer: dict[str, Any] = {
        "token": token.value,
        "expires_at": stamp(expires),
        "permissions": permissions,
        "repository_selection": "selected" if repos is not None else installation.selection,
    }
    if repos is not None:
        answer["repositories"] = [repository(call.state.web, repo) for repo in repos]
    return Answer(201, answer)


def revoke_token(call: Call) -> Answer:
    token = call.principal.token
    if token is None or token.installation is None:
        raise ApiError(403, _INSTALLATIONS_ONLY.format("revoke the installation"))
    del call.state.tokens[token.value]
    return Answer(204)


def installation_repositories(call: Call) -> Answer:
    token = call.principal.token
    if token is None or token.installation is None:
        raise ApiError(403, _INSTALLATIONS_ONLY.format("list repositories for an installation"))
    rows = acts.repositories(call.state, token.installation)
    seen = [repo for repo in rows if token.repo_ids is None or repo.id in token.repo_ids]
    answer = call.page(seen, lambda repo: repository(call.state.web, repo, role="none"), wrap="repositories")
    answer.body["repository_selection"] = "selected" if token.repo_ids is not None else token.installation.selection
    return answer


def _item(one: Delivery) -> dict[str, Any]:
    return {
        "id": one.id,
        "guid": one.guid,
        "delivered_at": stamp(one.delivered_at or one.queued_at),
        "redelivery": one.redelivery,
        "duration": one.duration,
        "status": one.status,
        "status_code": one.status_code,
        "event": one.event,
        "action": one.action,
        "installation_id": one.installation_id,
        "repository_id": one.repository_id,
        "throttled_at": None,
    }


def _deliveries(call: Call) -> list[Delivery]:
    app = auth.check_app(call.principal)
    return [one for one in reversed(call.state.webhooks.deliveries) if one.app_id == app.id]


def list_deliveries(call: Call) -> Answer:
    """Newest first; `cursor` is the id of the last one seen."""
    rows = _deliveries(call)
    cursor = call.query.get("cursor")
    if cursor is not None:
        if not cursor.isdecimal():
            raise ApiError(400, "Invalid cursor")
        rows = [one for one in rows if one.id < int(cursor)]
    size = (
        min(100, max(1, int(call.query.get("per_page", "30")))) if call.query.get("per_page", "30").isdecimal() else 30
    )
    part = rows[:size]
    headers = {}
    if len(rows) > size:
        headers["link"] = f'<{call.url}?per_page={size}&cursor={part[-1].id}>; rel="next"'
    return Answer(200, [_item(one) for one in part], headers)


def _delivery(call: Call) -> Delivery:
    number = call.number("delivery_id")
    found = next((one for one in _deliveries(call) if one.id == number), None)
    if found is None:
        raise not_found()
    return found


def get_delivery(call: Call) -> Answer:
    one = _delivery(call)
    extra = {
        "url": one.hook.url,
        "request": {"headers": one.headers, "payload": one.payload},
        "response": {"headers": one.response_headers, "payload": one.response_body},
    }
    return Answer(200, _item(one) | extra)


def redeliver(call: Call) -> Answer:
    call.state.redeliver(_delivery(call).id)
    return Answer(202, {})


def rate_limit(call: Call) -> Answer:
    limits, key = call.state.limits, call.principal.key
    core = limits.numbers(key, "core")
    resources = {"core": core, "graphql": limits.numbers(key, "graphql"), "search": limits.numbers(key, "search")}
    return Answer(200, {"resources": resources, "rate": core})


def _public_repos(call: Call, login: str) -> int:
    rows = call.state.repos.values()
    return sum(not repo.private and repo.owner.login.lower() == login.lower() for repo in rows)


def get_user(call: Call) -> Answer:
    account = call.state.account(call.params["username"])
    if account is None:
        raise not_found()
    repos = _public_repos(call, account.login)
    return Answer(200, shapes.public_user(call.state.web, account, repos=repos))


def get_self(call: Call) -> Answer:
    if call.principal.kind == "installation":
        raise ApiError(403, "Resource not accessible by integration")
    account = call.by.account
    repos = _public_repos(call, account.login)
    return Answer(200, shapes.private_user(call.state.web, account, repos=repos))


_ID = "/app/installations/{installation_id}"
_DELIVERY = "/app/hook/deliveries/{delivery_id}"
ROUTES = (
    Route("GET", "/app", get_app, f"{_APP}#get-the-authenticated-app", auth="app"),
    Route("GET", "/app/installations", list_installations, f"{_APP}#list-installations-for-the-authenticated-app", auth="app"),
    Route("GET", _ID, get_installation, f"{_APP}#get-an-installation-for-the-authenticated-app", auth="app"),
    Route("DELETE", _ID, delete_installation, f"{_APP}#delete-an-installation-for-the-authenticated-app", auth="app"),
    Route("POST", f"{_ID}/access_tokens", create_token, f"{_APP}#create-an-installation-access-token-for-an-app", auth="app"),
    Route("GET", "/repos/{owner}/{name}/installation", get_repo_installation,
        f"{_APP}#get-a-repository-installation-for-the-authenticated-app", auth="app"),
    Route("GET", "/app/hook/deliveries", list_deliveries, f"{_HOOKS}#list-deliveries-for-an-app-webhook", auth="app"),
    Route("GET", _DELIVERY, get_delivery, f"{_HOOKS}#get-a-delivery-for-an-app-webhook", auth="app"),
    Route("POST", f"{_DELIVERY}/attempts", redeliver, f"{_HOOKS}#redeliver-a-delivery-for-an-app-webhook", auth="app"),
    Route("DELETE", "/installation/token", revoke_token, "apps/installations#revoke-an-installation-access-token"),
    Route("GET", "/installation/repositories", installation_repositories,
        "apps/installations#list-repositories-accessible-to-the-app-installation"),
    Route("GET", "/rate_limit", rate_limit, "rate-limit/rate-limit#get-rate-limit-status-for-the-authenticated-user"),
    Route("GET", "/users/{username}", get_user, "users/users#get-a-user"),
    Route("GET", "/user", get_self, "users/users#get-the-authenticated-user"),
)  # fmt: skip
