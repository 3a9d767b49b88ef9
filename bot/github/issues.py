"""Issues: text, comments, reactions, labels, and who may do what."""

from collections.abc import Sequence

from bot.core.forge import Comment, IssueText
from bot.github.calls import Caller, Json, segment
from bot.github.errors import Missing
from bot.github.tokens import TALK
from bot.ports import Permanent

LADDER = ("none", "read", "triage", "write", "maintain", "admin")
GHOST = "ghost"
"""GitHub's name for an author whose account is gone."""


def to_comment(data: Json) -> Comment:
    """A comment from its JSON; deleted authors read `ghost`."""
    user = data.get("user") or {}
    app = data.get("performed_via_github_app") or {}
    return Comment(
        id=data["id"],
        body=data.get("body") or "",
        author=user.get("login", GHOST),
        author_type=user.get("type", "User"),
        created_at=data.get("created_at", ""),
        updated_at=data.get("updated_at", ""),
        app_id=app.get("id"),
        url=data.get("html_url", ""),
    )


def effective_role(data: Json) -> str:
    """The minimum of what GitHub says: `role_name` where it is a known role, else (custom roles) the legacy `permission`.

    The legacy field folds maintain into write and triage into read, so for a custom role it never says too much.
    """
    for said in (data.get("role_name"), data.get("permission")):
        if said in LADDER:
            return said
    return "none"


class IssueCalls(Caller):
    """Calls about issues; numbers of pull requests are taken as well."""

    async def permission(self, installation_id: int, repo: str, login: str) -> str:
        """Effective role of a person: none, read, triage, write, maintain, admin."""
        path = f"/collaborators/{segment(login)}/permission"
        try:
            return effective_role(await self._call(installation_id, repo, "GET", path, permissions=TALK))
        except Missing:
            return "none"

    async def issue(self, installation_id: int, repo: str, number: int) -> IssueText:
        """An issue as it stands."""
        data = await self._call(installation_id, repo, "GET", f"/issues/{number}", permissions=TALK)
        user = data.get("user") or {}
        labels = [label["name"] if isinstance(label, dict) else label for label in data.get("labels", [])]
        return IssueText(
            number=data["number"],
            title=data["title"],
            body=data.get("body") or "",
            author=user.get("login", GHOST),
            author_type=user.get("type", "User"),
            state=data["state"],
            labels=tuple(labels),
            updated_at=data.get("updated_at", ""),
            is_pull_request="pull_request" in data,
            locked=data.get("locked", False),
        )

    async def comments(self, installation_id: int, repo: str, number: int) -> list[Comment]:
        """All comments, oldest first."""
        found = await self._pages(installation_id, repo, f"/issues/{number}/comments", permissions=TALK)
        return [to_comment(data) for data in found]

    async def create_comment(self, installation_id: int, repo: str, number: int, body: str) -> Comment:
        """Write a comment."""
        path = f"/issues/{number}/comments"
        return to_comment(await self._call(installation_id, repo, "POST", path, permissions=TALK, json={"body": body}))

    async def update_comment(self, installation_id: int, repo: str, comment_id: int, body: str) -> bool:
        """Replace a comment's text; False where the comment is gone."""
        path = f"/issues/comments/{comment_id}"
        try:
            await self._call(installation_id, repo, "PATCH", path, permissions=TALK, json={"body": body})
        except Missing:
            return False
        return True

    async def delete_comment(self, installation_id: int, repo: str, comment_id: int) -> None:
        """Delete a comment; one that is gone already is fine."""
        try:
            await self._call(installation_id, repo, "DELETE", f"/issues/comments/{comment_id}", permissions=TALK)
        except Missing:
            return

    async def react(self, installation_id: int, repo: str, *, comment_id: int | None, issue: int, content: str) -> None:
        """React to a comment, or to the issue where `comment_id` is None."""
        path = f"/issues/{issue}/reactions" if comment_id is None else f"/issues/comments/{comment_id}/reactions"
        await self._call(installation_id, repo, "POST", path, permissions=TALK, json={"content": content})

    async def ensure_label(self, installation_id: int, repo: str, name: str, color: str, description: str) -> None:
        """Make a label so; writes only where it differs. `color` is six hex digits without `#`."""
        wanted = {"name": name, "color": color, "description": description}
        path = f"/labels/{segment(name)}"
        try:
            found = await self._call(installation_id, repo, "GET", path, permissions=TALK)
        except Missing:
            try:
                await self._call(installation_id, repo, "POST", "/labels", permissions=TALK, json=wanted)
                return
            except Permanent as error:
                if "already_exists" not in str(error):
                    raise
                found = {}
        if any((found.get(field) or "").lower() != value.lower() for field, value in wanted.items()):
            change = {"new_name": name, "color": color, "description": description}
            await self._call(installation_id, repo, "PATCH", path, permissions=TALK, json=change)

    async def set_labels(
        self, installation_id: int, repo: str, number: int, *, add: Sequence[str], remove: Sequence[str]
    ) -> None:
        """Put labels on and take labels off; one that is off already is fine."""
        path = f"/issues/{number}/labels"
        if add:
            await self._call(installation_id, repo, "POST", path, permissions=TALK, json={"labels": list(add)})
        for name in remove:
            try:
                await self._call(installation_id, repo, "DELETE", f"{path}/{segment(name)}", permissions=TALK)
            except Missing:
                continue
