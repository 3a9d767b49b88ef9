"""Users, Apps and installations."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from bot.playground.clock import stamp, stamp_or_none
from bot.playground.data import Account, App, Installation
from bot.playground.shapes.web import Web, node_id

Json = dict[str, Any]
_PREFIX = {"User": "U", "Bot": "BOT", "Organization": "O"}


def user(web: Web, account: Account) -> Json:
    """`simple-user`."""
    api = f"{web.api}/users/{quote(account.login)}"
    bot = account.type == "Bot"
    page = f"{web.root}/apps/{account.login.removesuffix('[bot]')}" if bot else f"{web.root}/{account.login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node_id(_PREFIX[account.type], account.id),
        "avatar_url": f"{web.root}/avatars/{account.id}",
        "gravatar_id": "",
        "url": api,
        "html_url": page,
        "followers_url": f"{api}/followers",
        "following_url": f"{api}/following{{/other_user}}",
        "gists_url": f"{api}/gists{{/gist_id}}",
        "starred_url": f"{api}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{api}/subscriptions",
        "organizations_url": f"{api}/orgs",
        "repos_url": f"{api}/repos",
        "events_url": f"{api}/events{{/privacy}}",
        "received_events_url": f"{api}/received_events",
        "type": account.type,
        "user_view_type": "public",
        "site_admin": False,
    }


def user_or_none(web: Web, account: Account | None) -> Json | None:
    """`nullable-simple-user`."""
    return None if account is None else user(web, account)


def public_user(web: Web, account: Account, *, repos: int) -> Json:
    """`public-user`; `repos` is how many public repositories it has."""
    empty = ("company", "location", "email", "hireable", "bio", "twitter_username")
    return user(web, account) | {
        "name": account.name,
        **dict.fromkeys(empty),
        "blog": "",
        "public_repos": repos,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": stamp(account.created_at),
        "updated_at": stamp(account.created_at),
    }


def private_user(web: Web, account: Account, *, repos: int) -> Json:
    """`private-user`: what a person sees of themselves."""
    zero = ("private_gists", "total_private_repos", "owned_private_repos", "disk_usage", "collaborators")
    return public_user(web, account, repos=repos) | dict.fromkeys(zero, 0) | {"two_factor_authentication": True}


def app(web: Web, one: App, *, installations: int | None = None) -> Json:
    """`integration`; with the number of installations only where the App asks about itself."""
    shape = {
        "id": one.id,
        "client_id": one.client_id,
        "slug": one.slug,
        "node_id": node_id("A", one.id),
        "owner": user(web, one.owner),
        "name": one.name,
        "description": "",
        "external_url": web.root,
        "html_url": f"{web.root}/apps/{one.slug}",
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.created_at),
        "permissions": dict(one.permissions),
        "events": list(one.events),
    }
    return shape if installations is None else shape | {"installations_count": installations}


def app_or_none(web: Web, one: App | None) -> Json | None:
    """`nullable-integration`."""
    return None if one is None else app(web, one)


def installation(web: Web, one: Installation) -> Json:
    """`installation`."""
    return {
        "id": one.id,
        "client_id": one.app.client_id,
        "account": user(web, one.account),
        "repository_selection": one.selection,
        "access_tokens_url": f"{web.api}/app/installations/{one.id}/access_tokens",
        "repositories_url": f"{web.api}/installation/repositories",
        "html_url": f"{web.root}/settings/installations/{one.id}",
        "app_id": one.app.id,
        "app_slug": one.app.slug,
        "target_id": one.account.id,
        "target_type": one.account.type,
        "permissions": dict(one.permissions),
        "events": list(one.events),
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": user_or_none(web, one.suspended_by),
        "suspended_at": stamp_or_none(one.suspended_at),
    }
