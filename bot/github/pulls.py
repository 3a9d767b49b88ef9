"""Pull requests: find, open, edit, ask for review, and (over GraphQL, the only way) draft to ready and back."""

from collections.abc import Sequence

from bot.core.forge import PullRequest
from bot.github.calls import Caller, Json
from bot.github.tokens import DRAFTS, PULLS
from bot.ports import Permanent

READY = "mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { pullRequest { isDraft } } }"
DRAFT = "mutation($id: ID!) { convertPullRequestToDraft(input: {pullRequestId: $id}) { pullRequest { isDraft } } }"
NO_DRAFTS = "draft pull requests are not supported"


def to_pull(data: Json) -> PullRequest:
    """A pull request from its JSON, of the list or of the single endpoint."""
    return PullRequest(
        number=data["number"],
        url=data["html_url"],
        node_id=data["node_id"],
        head_ref=data["head"]["ref"],
        head_sha=data["head"]["sha"],
        base_ref=data["base"]["ref"],
        state=data["state"],
        draft=data.get("draft", False),
        merged=bool(data.get("merged") or data.get("merged_at")),
        body=data.get("body") or "",
    )


def of_same_repository(data: Json, branch: str) -> bool:
    """Whether a pull request comes from `branch` of its own repository: a fork's branch of that name is somebody else's."""
    head = data["head"].get("repo") or {}
    return data["head"]["ref"] == branch and head.get("id") == data["base"]["repo"]["id"]


class PullCalls(Caller):
    """Calls about pull requests."""

    async def find_pull(self, installation_id: int, repo: str, head_branch: str) -> PullRequest | None:
        """The newest open pull request from that branch of the same repository, else the newest closed one."""
        params = {
            "head": f"{repo.partition('/')[0]}:{head_branch}",
            "state": "all",
            "sort": "created",
            "direction": "desc",
            "per_page": 100,
        }
        found = await self._call(installation_id, repo, "GET", "/pulls", permissions=PULLS, params=params)
        ours = [to_pull(data) for data in found if of_same_repository(data, head_branch)]
        return next((pull for pull in ours if pull.state == "open"), ours[0] if ours else None)

    async def create_pull(
        self, installation_id: int, repo: str, *, head: str, base: str, title: str, body: str, draft: bool
    ) -> PullRequest:
        """Open a pull request. Where the plan of the account has no drafts it is opened ready: look at `draft` of the answer."""
        wanted = {"head": head, "base": base, "title": title, "body": body, "draft": draft}
        try:
            data = await self._call(installation_id, repo, "POST", "/pulls", permissions=PULLS, json=wanted)
        except Permanent as error:
            if not draft or NO_DRAFTS not in str(error).lower():
                raise
            ready = {**wanted, "draft": False}
            data = await self._call(installation_id, repo, "POST", "/pulls", permissions=PULLS, json=ready)
        return to_pull(data)

    async def update_pull(
        self, installation_id: int, repo: str, number: int, *, title: str | None = None, body: str | None = None
    ) -> None:
        """Change title or body; None leaves it as it is."""
        changes = {name: value for name, value in (("title", title), ("body", body)) if value is not None}
        if changes:
            await self._call(installation_id, repo, "PATCH", f"/pulls/{number}", permissions=PULLS, json=changes)

    async def mark_ready(self, installation_id: int, repo: str, pull: PullRequest) -> None:
        """Draft to ready; GitHub takes it for one that is ready already."""
        await self._graphql(installation_id, repo, READY, permissions=DRAFTS, node_id=pull.node_id)

    async def mark_draft(self, installation_id: int, repo: str, pull: PullRequest) -> None:
        """Ready to draft; where the plan of the account has no drafts it stays as it is."""
        try:
            await self._graphql(installation_id, repo, DRAFT, permissions=DRAFTS, node_id=pull.node_id)
        except Permanent as error:
            if NO_DRAFTS not in str(error).lower():
                raise

    async def request_reviewers(self, installation_id: int, repo: str, number: int, logins: Sequence[str]) -> None:
        """Ask people for a review. Raises Permanent where one of them can't be asked (the author, or no collaborator)."""
        if logins:
            path = f"/pulls/{number}/requested_reviewers"
            await self._call(installation_id, repo, "POST", path, permissions=PULLS, json={"reviewers": list(logins)})
