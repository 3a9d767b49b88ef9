"""A GitHub in memory: state first, every call counted, answers lost on demand after the act."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.core.forge import Comment, IssueText, PullRequest, RepositoryInfo
from bot.ports import Permanent, Transient

APP_ID = 77
CONTENT_WRITES = ("create_comment", "update_comment", "create_pull", "update_pull", "request_reviewers")


@dataclass
class FakeGitHub:
    """One repository with one issue. `lose` names the calls whose next answer is lost; `lag` lists that many reads late."""

    labels: list[str] = field(default_factory=lambda: ["bug", "agent"])
    known_labels: dict[str, str] = field(default_factory=dict)
    issue_comments: dict[int, Comment] = field(default_factory=dict)
    reactions: list[tuple[int | None, str]] = field(default_factory=list)
    pulls: dict[int, PullRequest] = field(default_factory=dict)
    titles: dict[int, str] = field(default_factory=dict)
    checks: dict[int, dict[str, object]] = field(default_factory=dict)
    reviewers: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    lose: list[str] = field(default_factory=list)
    refuse: list[str] = field(default_factory=list)
    lag: int = 0
    made: int = 1000

    def _begin(self, name: str) -> None:
        self.calls[name] += 1
        if name in self.refuse:
            self.refuse.remove(name)
            raise Transient(f"{name}: 502 before the act")

    def _answer(self, name: str) -> None:
        if name in self.lose:
            self.lose.remove(name)
            raise Transient(f"{name}: the answer was lost after the act")

    @property
    def writes(self) -> int:
        """Content writes so far."""
        return sum(self.calls[name] for name in CONTENT_WRITES)

    def ours(self, kind: str) -> list[Comment]:
        return [each for each in self.issue_comments.values() if f"kind={kind} " in each.body and each.app_id == APP_ID]

    def write_comment(self, body: str, *, author: str = "maria", app_id: int | None = None) -> int:
        self.made += 1
        at = "2026-11-24T09:14:02Z"
        self.issue_comments[self.made] = Comment(
            self.made, body, author, "Bot" if app_id else "User", at, at, app_id, f"#{self.made}"
        )
        return self.made

    def open_pull(self, number: int, branch: str, *, body: str, draft: bool) -> None:
        self.pulls[number] = PullRequest(
            number,
            f"https://github.com/acme/shop/pull/{number}",
            f"N{number}",
            branch,
            "51c0de7",
            "main",
            "open",
            draft,
            False,
            body,
        )

    # ---- ports.GitHub ----------------------------------------------------------------------------------------------

    async def token(self, installation_id: int, repo_id: int, *, write: bool) -> str:
        return "token"

    async def repository(self, installation_id: int, repo: str) -> RepositoryInfo:
        return RepositoryInfo(7001, repo, "main", True, False)

    async def permission(self, installation_id: int, repo: str, login: str) -> str:
        return "write"

    async def issue(self, installation_id: int, repo: str, number: int) -> IssueText:
        self._begin("issue")
        return IssueText(number, "", "", "maria", "User", "open", tuple(self.labels), "", False)

    async def comments(self, installation_id: int, repo: str, number: int) -> list[Comment]:
        self._begin("comments")
        listed = list(self.issue_comments.values())
        if self.lag:
            self.lag -= 1
            return listed[:-1]
        return listed

    async def create_comment(self, installation_id: int, repo: str, number: int, body: str) -> Comment:
        self._begin("create_comment")
        made = self.write_comment(body, author="journeyman[bot]", app_id=APP_ID)
        self._answer("create_comment")
        return self.issue_comments[made]

    async def update_comment(self, installation_id: int, repo: str, comment_id: int, body: str) -> bool:
        self._begin("update_comment")
        if comment_id not in self.issue_comments:
            return False
        self.issue_comments[comment_id] = replace(self.issue_comments[comment_id], body=body)
        self._answer("update_comment")
        return True

    async def delete_comment(self, installation_id: int, repo: str, comment_id: int) -> None:
        self._begin("delete_comment")
        if self.issue_comments.pop(comment_id, None) is None:
            raise Permanent("404")

    async def react(self, installation_id: int, repo: str, *, comment_id: int | None, issue: int, content: str) -> None:
        self._begin("react")
        if comment_id is not None and comment_id not in self.issue_comments:
            raise Permanent("404")
        self.reactions.append((comment_id, content))

    async def ensure_label(self, installation_id: int, repo: str, name: str, color: str, description: str) -> None:
        self._begin("ensure_label")
        self.known_labels[name] = color

    async def set_labels(
        self, installation_id: int, repo: str, number: int, *, add: Sequence[str], remove: Sequence[str]
    ) -> None:
        self._begin("set_labels")
        self.labels = [name for name in self.labels if name not in remove] + list(add)

    async def find_pull(self, installation_id: int, repo: str, head_branch: str) -> PullRequest | None:
        self._begin("find_pull")
        return next((each for each in self.pulls.values() if each.head_ref == head_branch), None)

    async def create_pull(
        self, installation_id: int, repo: str, *, head: str, base: str, title: str, body: str, draft: bool
    ) -> PullRequest:
        self._begin("create_pull")
        self.open_pull(57, head, body=body, draft=draft)
        self._answer("create_pull")
        return self.pulls[57]

    async def update_pull(
        self, installation_id: int, repo: str, number: int, *, title: str | None = None, body: str | None = None
    ) -> None:
        self._begin("update_pull")
        self.pulls[number] = replace(self.pulls[number], body=body or "")
        self.titles[number] = title or ""
        self._answer("update_pull")

    async def mark_ready(self, installation_id: int, repo: str, pull: PullRequest) -> None:
        self._begin("mark_ready")
        self.pulls[pull.number] = replace(self.pulls[pull.number], draft=False)

    async def mark_draft(self, installation_id: int, repo: str, pull: PullRequest) -> None:
        self._begin("mark_draft")
        self.pulls[pull.number] = replace(self.pulls[pull.number], draft=True)

    async def request_reviewers(self, installation_id: int, repo: str, number: int, logins: Sequence[str]) -> None:
        self._begin("request_reviewers")
        self.reviewers += logins

    async def put_check(
        self,
        installation_id: int,
        repo: str,
        *,
        name: str,
        sha: str,
        external_id: str,
        status: str,
        conclusion: str | None,
        title: str,
        summary: str,
        check_id: int | None = None,
    ) -> int:
        self._begin("put_check")
        if check_id is None:
            self.made += 1
        made = check_id or self.made
        self.checks[made] = {"external_id": external_id, "conclusion": conclusion, "title": title, "summary": summary}
        self._answer("put_check")
        return made

    async def find_check(self, installation_id: int, repo: str, *, sha: str, external_id: str) -> int | None:
        self._begin("find_check")
        return next((made for made, each in self.checks.items() if each["external_id"] == external_id), None)

    async def drop_installation(self, installation_id: int) -> None:
        return None
