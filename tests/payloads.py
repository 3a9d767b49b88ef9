"""Webhook payloads in the shape that GitHub sends, with the fields that we don't read left in."""

from typing import Any

Payload = dict[str, Any]

ME_USER, ME_APP = 4100, 77
MARIA = 501


def user(login: str = "maria", number: int = MARIA, type_: str = "User") -> Payload:
    return {
        "login": login,
        "id": number,
        "node_id": f"U_{number}",
        "avatar_url": f"https://avatars.example/{number}",
        "gravatar_id": "",
        "url": f"https://api.github.com/users/{login}",
        "type": type_,
        "user_view_type": "public",
        "site_admin": False,
    }


def bot() -> Payload:
    return user("journeyman-acme[bot]", ME_USER, "Bot")


def repository(**changed: Any) -> Payload:
    return {
        "id": 9001,
        "node_id": "R_9001",
        "name": "shop",
        "full_name": "acme/shop",
        "private": True,
        "owner": user("acme", 70, "Organization"),
        "description": None,
        "fork": False,
        "topics": ["retail"],
        "license": None,
        "default_branch": "main",
        "custom_properties": {},
    } | changed


def base(action: str | None, **more: Any) -> Payload:
    payload: Payload = {
        "repository": repository(),
        "organization": {"login": "acme", "id": 70},
        "sender": user(),
        "installation": {"id": 31, "node_id": "MDIzOk"},
    }
    return ({"action": action} if action else {}) | payload | more


def issue(**changed: Any) -> Payload:
    return {
        "id": 88,
        "number": 42,
        "title": "Keep a consent log",
        "user": user("ola", 502),
        "state": "open",
        "state_reason": None,
        "locked": False,
        "labels": [{"id": 1, "name": "agent", "color": "5319e7", "default": False, "description": None}],
        "assignees": [],
        "milestone": None,
        "comments": 0,
        "created_at": "2026-11-24T09:00:00Z",
        "author_association": "NONE",
        "active_lock_reason": None,
        "sub_issues_summary": {"total": 0, "completed": 0, "percent_completed": 0},
        "body": "We need it.",
        "reactions": {"total_count": 0, "+1": 0},
        "performed_via_github_app": None,
        "type": None,
    } | changed


def label(name: str) -> Payload:
    return {"id": 1, "node_id": "LA_1", "name": name, "color": "5319e7", "default": False, "description": None}


def issues(action: str, name: str = "agent", **more: Any) -> Payload:
    labelled = {"label": label(name)} if action in ("labeled", "unlabeled") else {}
    return base(action, issue=issue(), **labelled) | more


def comment(body: str, **changed: Any) -> Payload:
    return {
        "id": 7001,
        "node_id": "IC_7001",
        "user": user(),
        "created_at": "2026-11-24T09:14:02Z",
        "updated_at": "2026-11-24T09:14:02Z",
        "author_association": "MEMBER",
        "body": body,
        "reactions": {"total_count": 0},
        "performed_via_github_app": None,
    } | changed


def issue_comment(body: str = "/agent", action: str = "created", **more: Any) -> Payload:
    return base(action, issue=issue(), comment=comment(body)) | more


def pull(ref: str = "agent/42-consent-log", repo: Payload | None = None, **changed: Any) -> Payload:
    return {
        "id": 66,
        "number": 43,
        "state": "open",
        "title": "Keep a consent log",
        "user": bot(),
        "draft": False,
        "merged": False,
        "mergeable": None,
        "head": {
            "label": f"acme:{ref}",
            "ref": ref,
            "sha": "a" * 40,
            "user": user("acme", 70),
            "repo": repo or repository(),
        },
        "base": {"label": "acme:main", "ref": "main", "sha": "b" * 40, "user": user("acme", 70), "repo": repository()},
        "labels": [],
        "auto_merge": None,
    } | changed


def pull_request(action: str, **more: Any) -> Payload:
    labelled = {"label": label("agent")} if action == "labeled" else {}
    return base(action, number=43, pull_request=pull(), **labelled) | more


def review(**more: Any) -> Payload:
    said = {"id": 5, "user": user(), "body": "Nearly.", "state": "changes_requested", "commit_id": "a" * 40}
    return base("submitted", review=said, pull_request=pull()) | more


def review_comment(**more: Any) -> Payload:
    return base("created", comment=comment("Why?", path="a.py", line=3), pull_request=pull()) | more


def review_thread(action: str = "resolved", **more: Any) -> Payload:
    return base(action, thread={"node_id": "PRRT_1", "comments": []}, pull_request=pull()) | more


def check(name: str = "check_run", **more: Any) -> Payload:
    ran = {
        "id": 3,
        "head_sha": "a" * 40,
        "status": "completed",
        "conclusion": "failure",
        "app": {"id": 15368, "slug": "github-actions"},
        "pull_requests": [],
    }
    return base("completed", **{name: ran}) | more


def status(state: str = "failure", **more: Any) -> Payload:
    return base(None, id=12, sha="a" * 40, name="acme/shop", context="ci/x", state=state, branches=[]) | more


def push(ref: str = "refs/heads/main", **more: Any) -> Payload:
    return (
        base(
            None, ref=ref, before="b" * 40, after="c" * 40, created=False, deleted=False, forced=False, commits=[],
            pusher={"name": "maria", "email": "maria@example.org"}, head_commit=None,
        )
        | more
    )  # fmt: skip


def repository_event(action: str = "renamed", **more: Any) -> Payload:
    return base(action, changes={"repository": {"name": {"from": "old"}}}) | more


def label_event(action: str = "deleted", name: str = "agent", **more: Any) -> Payload:
    return base(action, label=label(name)) | more


SHORT_REPO: Payload = {"id": 9001, "node_id": "R_9001", "name": "shop", "full_name": "acme/shop", "private": True}


def installation(action: str = "created", **more: Any) -> Payload:
    return {
        "action": action,
        "installation": {
            "id": 31,
            "account": user("acme", 70, "Organization"),
            "repository_selection": "selected",
            "app_id": ME_APP,
            "permissions": {"issues": "write"},
            "events": ["issues"],
            "suspended_at": None,
        },
        "repositories": [SHORT_REPO],
        "requester": None,
        "sender": user(),
    } | more


def installation_repositories(action: str = "added", **more: Any) -> Payload:
    payload = installation(action) | {"repositories_added": [], "repositories_removed": []}
    del payload["repositories"]
    return payload | {f"repositories_{action}": [SHORT_REPO]} | more


SAMPLES: dict[str, Payload] = {
    "issues": issues("labeled"),
    "issue_comment": issue_comment(),
    "pull_request": pull_request("closed"),
    "pull_request_review": review(),
    "pull_request_review_comment": review_comment(),
    "pull_request_review_thread": review_thread(),
    "check_run": check("check_run"),
    "check_suite": check("check_suite"),
    "status": status(),
    "push": push(),
    "repository": repository_event(),
    "label": label_event(),
    "installation": installation(),
    "installation_repositories": installation_repositories(),
}
"""One payload of every event that the App gets."""
