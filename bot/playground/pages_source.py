"""The playground's state as its pages show it."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from starlette.types import ASGIApp

from bot.playground.acts.facts import changes, merge_base
from bot.playground.clock import stamp
from bot.playground.data import Account, Issue, IssueEvent, Label, Pull, Reaction, Repo
from bot.playground.objects import Change, CommitInfo, GitRefused
from bot.playground.pages import pages_app
from bot.playground.state import State
from bot.playground.views import (
    CheckView,
    CommentView,
    CommitPage,
    CommitView,
    EntryView,
    EventView,
    FilePage,
    FileView,
    FolderPage,
    IssuePage,
    IssueRow,
    IssuesPage,
    LabelView,
    PullPage,
    RepoHeader,
    Shown,
    split_ref,
)

Page = TypeVar("Page")

COMMITS = 250
EVENTS = {
    "labeled": "added the label",
    "unlabeled": "removed the label",
    "closed": "closed this",
    "reopened": "reopened this",
    "merged": "merged this as",
    "convert_to_draft": "marked this as a draft",
    "ready_for_review": "marked this as ready for review",
}


def pages_over(state: State) -> ASGIApp:
    """The pages to mount at `/`."""
    return pages_app(StatePages(state))


class StatePages:
    """`PagesSource` over a state. Git blocks, so every page is made in a thread, under the state's lock."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def repos(self) -> Sequence[RepoHeader]:
        """All repositories by name."""
        return await self._locked(
            lambda: [header(repo) for repo in sorted(self._state.repos.values(), key=lambda r: r.full_name)]
        )

    async def folder(self, repo: str, rest: str) -> FolderPage | None:
        """A folder at a ref, the default branch's root where `rest` is empty."""
        return await self._of(repo, lambda found: self._folder(found, rest))

    async def file(self, repo: str, rest: str) -> FilePage | None:
        """A file at a ref."""
        return await self._of(repo, lambda found: self._file(found, rest))

    async def commit(self, repo: str, sha: str) -> CommitPage | None:
        """A commit against its first parent."""
        return await self._of(repo, lambda found: self._commit(found, sha))

    async def issues(self, repo: str) -> IssuesPage | None:
        """Issues that are no pull requests."""
        return await self._of(repo, lambda found: self._rows(found, pulls=False))

    async def pulls(self, repo: str) -> IssuesPage | None:
        """Pull requests."""
        return await self._of(repo, lambda found: self._rows(found, pulls=True))

    async def issue(self, repo: str, number: int) -> IssuePage | None:
        """An issue with its timeline."""
        return await self._of(repo, lambda found: self._issue(found, number))

    async def pull(self, repo: str, number: int) -> PullPage | None:
        """A pull request with its timeline, commits, files and checks."""
        return await self._of(repo, lambda found: self._pull(found, number))

    # ---- in the thread, under the lock

    async def _locked(self, make: Callable[[], Page]) -> Page:
        def locked() -> Page:
            with self._state.lock:
                return make()

        return await asyncio.to_thread(locked)

    async def _of(self, name: str, make: Callable[[Repo], Page | None]) -> Page | None:
        def page() -> Page | None:
            found = self._state.repo(name)
            return None if found is None else make(found)

        return await self._locked(page)

    def _at(self, repo: Repo, rest: str) -> tuple[str, str, str | None]:
        """(ref, path, commit) of an address."""
        branches = branches_of(repo)
        ref, path = split_ref(rest, branches) if rest else (repo.default_branch, "")
        return ref, path.strip("/"), repo.git.resolve(ref)

    def _folder(self, repo: Repo, rest: str) -> FolderPage | None:
        ref, path, sha = self._at(repo, rest)
        if sha is None:
            return None if rest else FolderPage(header(repo), ref, "", ())
        try:
            rows = repo.git.tree(f"{sha}:{path}" if path else sha)
        except GitRefused:
            return None
        entries = sorted(
            (EntryView(row.path, row.type == "tree") for row in rows), key=lambda e: (not e.is_folder, e.name)
        )
        readme = next((row.sha for row in rows if row.path.lower() == "readme.md" and row.type == "blob"), "")
        return FolderPage(
            repo=header(repo),
            ref=ref,
            path=path,
            entries=tuple(entries),
            branches=tuple(branches_of(repo)),
            latest=self._commit_view(repo.git.commit(sha)),
            readme=repo.git.blob(readme).decode(errors="replace") if readme else "",
        )

    def _file(self, repo: Repo, rest: str) -> FilePage | None:
        ref, path, sha = self._at(repo, rest)
        row = repo.git.entry(sha, path) if sha and path else None
        if row is None or row.type != "blob":
            return None
        return FilePage(header(repo), ref, path, repo.git.blob(row.sha))

    def _commit(self, repo: Repo, sha: str) -> CommitPage | None:
        full = repo.git.resolve(sha)
        if full is None:
            return None
        commit = repo.git.commit(full)
        before = commit.parents[0] if commit.parents else repo.git.text("hash-object", "-t", "tree", "/dev/null")
        return CommitPage(header(repo), self._commit_view(commit), files(repo.git.diff(before, full)))

    def _rows(self, repo: Repo, *, pulls: bool) -> IssuesPage:
        chosen = [issue for issue in repo.issues.values() if (issue.pull is not None) is pulls]
        rows = [
            IssueRow(
                number=issue.number,
                title=issue.title,
                author=issue.author.login,
                created_at=stamp(issue.born),
                state=shown_state(issue),
                labels=labels(issue.labels),
                comments=len(issue.comments),
                is_pull=pulls,
            )
            for issue in sorted(chosen, key=lambda issue: -issue.number)
        ]
        return IssuesPage(header(repo), tuple(rows))

    def _issue(self, repo: Repo, number: int) -> IssuePage | None:
        issue = repo.issues.get(number)
        if issue is None or issue.pull is not None:
            return None
        return IssuePage(
            repo=header(repo),
            number=issue.number,
            title=issue.title,
            state=shown_state(issue),
            author=issue.author.login,
            created_at=stamp(issue.born),
            labels=labels(issue.labels),
            timeline=timeline(issue),
        )

    def _pull(self, repo: Repo, number: int) -> PullPage | None:
        issue = repo.issues.get(number)
        pull = issue.pull if issue else None
        if issue is None or pull is None:
            return None
        commits = repo.git.log(f"{merge_base(pull)}..{pull.head_sha}", limit=COMMITS)[::-1]
        return PullPage(
            repo=header(repo),
            number=issue.number,
            title=issue.title,
            state=shown_state(issue),
            author=issue.author.login,
            created_at=stamp(issue.born),
            labels=labels(issue.labels),
            timeline=timeline(issue),
            head_ref=pull.head_ref,
            base_ref=pull.base_ref,
            head_sha=pull.head_sha,
            commits=tuple(self._commit_view(commit) for commit in commits),
            files=files(changes(pull)),
            checks=checks(pull),
            reviewers=tuple(account.login for account in pull.requested),
            merged_by=pull.merged_by.login if pull.merged_by else "",
        )

    def _commit_view(self, commit: CommitInfo) -> CommitView:
        title, _, body = commit.message.partition("\n")
        name, email, _ = commit.author
        account = self._state.account_of(email)
        author = account.login if account else name
        return CommitView(commit.sha, title, body.strip("\n"), author, commit.committer[2])


def branches_of(repo: Repo) -> list[str]:
    """Names of the branches, in order."""
    return [name.removeprefix("refs/heads/") for name, _, _ in repo.git.refs("refs/heads/")]


def header(repo: Repo) -> RepoHeader:
    """A repository with what is open in it."""
    kinds = Counter(issue.pull is not None for issue in repo.issues.values() if issue.state == "open")
    return RepoHeader(repo.full_name, repo.private, repo.default_branch, kinds[False], kinds[True])


def shown_state(issue: Issue) -> Shown:
    """The state as its badge says it."""
    if issue.pull is not None and issue.pull.merged_at is not None:
        return "merged"
    if issue.state == "closed":
        return "closed"
    return "draft" if issue.pull is not None and issue.pull.draft else "open"


def labels(found: Iterable[Label]) -> tuple[LabelView, ...]:
    """Labels in the order that they were put on."""
    return tuple(LabelView(label.name, label.color, label.description or "") for label in found)


def reactions(found: Iterable[Reaction]) -> tuple[tuple[str, int], ...]:
    """How often each reaction was given, in the order of first use."""
    return tuple(Counter(reaction.content for reaction in found).items())


def is_bot(account: Account) -> bool:
    """Whether an App acts through this account."""
    return account.type == "Bot"


def timeline(issue: Issue) -> tuple[CommentView | EventView, ...]:
    """The text, then comments, reviews and events as they came."""
    first = CommentView(
        id=issue.id,
        author=issue.author.login,
        is_bot=is_bot(issue.author),
        created_at=stamp(issue.born),
        body=issue.body or "",
        reactions=reactions(issue.reactions),
    )
    rows: list[tuple[float, int, CommentView | EventView]] = [(e.born, e.id, event_view(e)) for e in issue.events]
    for comment in issue.comments:
        view = CommentView(
            id=comment.id,
            author=comment.author.login,
            is_bot=is_bot(comment.author),
            created_at=stamp(comment.born),
            body=comment.body,
            edited=comment.updated_at > comment.born,
            reactions=reactions(comment.reactions),
        )
        rows.append((comment.born, comment.id, view))
    if issue.pull is not None:
        rows += review_rows(issue.pull)
    return first, *(view for _, _, view in sorted(rows, key=lambda row: row[:2]))


def review_rows(pull: Pull) -> list[tuple[float, int, CommentView | EventView]]:
    """Submitted reviews, and the comments of their threads with the place that they stand at."""
    rows: list[tuple[float, int, CommentView | EventView]] = []
    for review in pull.reviews:
        verdicts = {"APPROVED": "approved", "CHANGES_REQUESTED": "requested changes"}
        if review.submitted_at is None or (not review.body and review.state == "COMMENTED"):
            continue
        author = review.author
        view = CommentView(
            review.id,
            author.login,
            is_bot(author),
            stamp(review.submitted_at),
            review.body,
            verdict=verdicts.get(review.state, "reviewed"),
        )
        rows.append((review.submitted_at, review.id, view))
    for thread in pull.threads:
        place = f"{thread.path}:{thread.line or thread.original_line}" if thread.subject == "line" else thread.path
        for comment in thread.comments:
            author = comment.author
            view = CommentView(
                comment.id,
                author.login,
                is_bot(author),
                stamp(comment.born),
                comment.body,
                reactions=reactions(comment.reactions),
                path=place,
            )
            rows.append((comment.born, comment.id, view))
    return rows


def event_view(event: IssueEvent) -> EventView:
    """A row between comments."""
    text = EVENTS.get(event.event, event.event.replace("_", " "))
    if event.rename:
        text = f"changed the title from “{event.rename[0]}” to “{event.rename[1]}”"
    elif event.reviewer:
        asked = "asked" if event.event == "review_requested" else "no longer asks"
        text = f"{asked} {event.reviewer.login} for a review"
    elif event.state_reason == "not_planned":
        text += " as not planned"
    return EventView(
        at=stamp(event.born),
        actor=event.actor.login,
        is_bot=is_bot(event.actor),
        text=text,
        label=labels([event.label])[0] if event.label else None,
        sha=event.commit_id or "",
    )


def files(found: Iterable[Change]) -> tuple[FileView, ...]:
    """The files of a difference; one without a patch and without counted lines is binary, empty or only renamed."""
    views = []
    for change in found:
        plain = change.patch is not None or change.added or change.removed or change.status == "renamed"
        views.append(
            FileView(
                path=change.path,
                old_path=change.previous or change.path,
                status=change.status,
                added=change.added if plain else None,
                removed=change.removed if plain else None,
                patch=change.patch or "",
            )
        )
    return tuple(views)


def checks(pull: Pull) -> tuple[CheckView, ...]:
    """Check runs on the head, then commit statuses, the newest of each name."""
    found: dict[str, CheckView] = {}
    for suite in pull.repo.suites:
        for run in suite.runs if suite.head_sha == pull.head_sha else ():
            found[run.name] = CheckView(
                name=run.name,
                status=run.status,
                conclusion=run.conclusion or "",
                title=run.title or "",
                summary=run.summary or "",
                app=suite.app.slug,
                completed_at=run.completed_at or "",
            )
    for status in pull.repo.statuses:
        if status.sha == pull.head_sha:
            ended = "" if status.state == "pending" else status.state.replace("error", "failure")
            title = status.description or ""
            found[status.context] = CheckView(
                status.context, status.state, ended, title, "", status.creator.login, stamp(status.born)
            )
    return tuple(found.values())
