"""The single differences between a view and GitHub, each as one act; what was done is kept at once."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from bot.core import labels
from bot.core.forge import Comment
from bot.core.ids import sha256
from bot.core.markers import find_marker
from bot.core.projection import Projection, Published, PublishedPull
from bot.core.run import Run
from bot.core.view import CheckView, PullView, Reaction, View
from bot.ports import Effects, GitHub, Permanent
from bot.publish.gate import Blocked, Gate

StillMine = Callable[[], Awaitable[bool]]


class ProjectionRows(Protocol):
    """What was last published; each call is one short transaction."""

    def load(self, repo_id: int, issue: int) -> Projection:
        """The row, or an empty projection."""
        ...

    def save(self, repo_id: int, issue: int, what: Projection) -> None:
        """Insert or replace."""
        ...


@dataclass(frozen=True, slots=True)
class Doors:
    """What a publication goes through."""

    github: GitHub
    effects: Effects
    rows: ProjectionRows
    gate: Gate
    app_id: int


def fingerprint(text: str) -> str:
    """Hash of a text as GitHub gives it back: line ends and outer blanks don't count."""
    return sha256(text.replace("\r\n", "\n").strip())[:24]


def about(body: str) -> str:
    """What a mention line is about."""
    found = find_marker(body)
    return found.get("about") if found else ""


class Sync:
    """One publication for one run. `seen` is what GitHub shows as far as we know, and moves with every act."""

    def __init__(
        self, doors: Doors, run: Run, seen: Projection, *, still_mine: StillMine, ensured: set[tuple[int, str]]
    ) -> None:
        self._doors = doors
        self._github = doors.github
        self._run = run
        self._at = (run.installation_id, run.repo.full_name)
        self.seen = seen
        self._still_mine = still_mine
        self._ensured = ensured

    async def keep(self, **changes: object) -> None:
        """Store what is known now."""
        self.seen = replace(self.seen, **changes)
        await asyncio.to_thread(self._doors.rows.save, self._run.repo.id, self._run.issue, self.seen)

    # ---- comparing -------------------------------------------------------------------------------------------------

    def differs(self, view: View) -> bool:
        """Whether anything is left to do."""
        seen = self.seen
        if seen.status.hash != fingerprint(view.status) or seen.label != view.label or seen.stale:
            return True
        if view.spec is not None and seen.spec.hash != fingerprint(view.spec):
            return True
        return self.mention_due(view) or any(map(self._pull_due, view.pulls)) or any(map(self._check_due, view.checks))

    def mention_due(self, view: View) -> bool:
        """Whether the mention line is a new one, or one that has to go."""
        return self.seen.attention.hash != (about(view.attention) if view.attention else "")

    def _pull_due(self, pull: PullView) -> bool:
        if not pull.number:
            return False
        seen = self.seen.pulls.get(str(pull.number))
        return seen is None or seen.hash != _pull_hash(pull) or seen.draft != pull.draft

    def _check_due(self, check: CheckView) -> bool:
        seen = self.seen.checks.get(check.external_id)
        return seen is None or seen.hash != _check_hash(check)

    async def look(self, view: View) -> None:
        """Read what stands on GitHub and forget what we thought where somebody changed it."""
        bodies = {comment.id: comment.body for comment in await self._github.comments(*self._at, self._run.issue)}
        changes: dict[str, object] = {"label": ""}
        for name in ("status", "spec"):
            known: Published = getattr(self.seen, name)
            if known.id and fingerprint(bodies.get(known.id, "")) != known.hash:
                changes[name] = replace(known, hash="")
        if self.seen.attention.id and self.seen.attention.id not in bodies:
            changes["attention"] = replace(self.seen.attention, id=0)
        await self.keep(**changes)

    # ---- acts ------------------------------------------------------------------------------------------------------

    async def reactions(self, wanted: tuple[Reaction, ...]) -> None:
        """Receipts; GitHub takes the same one twice without harm."""
        for each in wanted:
            key = f"{each.comment_id or 'issue'}:{each.content}"
            if key in self.seen.reactions:
                continue
            with suppress(Permanent):  # the comment is gone: there is nothing to react to
                await self._github.react(
                    *self._at, comment_id=each.comment_id, issue=self._run.issue, content=each.content
                )
            await self.keep(reactions=(*self.seen.reactions, key))

    async def comment(self, name: str, raw: str) -> None:
        """The status or the spec comment: edited in place, made where there is none (any more)."""
        known: Published = getattr(self.seen, name)
        if known.hash == fingerprint(raw):
            return
        text = await self._gated(raw, f"{name} comment")
        if known.id and await self._github.update_comment(*self._at, known.id, text):
            await self.keep(**{name: replace(known, hash=fingerprint(raw))})
            return
        made = await self._make(name, text, known.made)
        await self.keep(**{name: replace(made, hash=fingerprint(raw))})

    async def attention(self, raw: str | None) -> None:
        """The mention line: a new one first, then the one before goes; nobody is asked for what is no longer needed."""
        known = self.seen.attention
        wanted = about(raw) if raw else ""
        if known.hash != wanted:
            stale = (*self.seen.stale, *((known.id,) if known.id else ()))
            made = Published(made=known.made)
            if raw:
                text = await self._gated(raw, "mention")
                made = replace(await self._make("attention", text, known.made), hash=wanted)
            await self.keep(attention=made, stale=stale)
        for comment_id in self.seen.stale:
            with suppress(Permanent):  # somebody deleted it before us
                await self._github.delete_comment(*self._at, comment_id)
            await self.keep(stale=tuple(each for each in self.seen.stale if each != comment_id))

    async def label(self, view: View) -> None:
        """Exactly one state label, no command label; the issue is read only where we can't know what it carries."""
        seen = self.seen.label
        if seen == view.label:
            return
        add, remove = [view.label], [seen]
        if not seen:
            there = (await self._github.issue(*self._at, self._run.issue)).labels
            add = [view.label] if view.label not in there else []
            ours = labels.STATE_NAMES - {view.label} | set(view.remove_labels)
            remove = [name for name in there if name in ours]
        if add and (self._run.repo.id, view.label) not in self._ensured:
            look = labels.BY_NAME[view.label]
            await self._github.ensure_label(*self._at, look.name, look.color, look.description)
            self._ensured.add((self._run.repo.id, view.label))
        if add or remove:
            await self._github.set_labels(*self._at, self._run.issue, add=add, remove=remove)
        await self.keep(label=view.label)

    async def drop_commands(self) -> None:
        """Take the one-shot labels off, so that they can be put on again."""
        there = (await self._github.issue(*self._at, self._run.issue)).labels
        if remove := [name for name in there if name in labels.ONE_SHOTS]:
            await self._github.set_labels(*self._at, self._run.issue, add=[], remove=remove)

    async def pull(self, wanted: PullView) -> None:
        """An open pull request's title, body and draft state; it is never made here."""
        if not self._pull_due(wanted):
            return
        known = self.seen.pulls.get(str(wanted.number))
        if known is None or known.draft != wanted.draft:
            there = await self._github.find_pull(*self._at, wanted.branch)
            if there is None or there.number != wanted.number or there.state != "open":
                over = PublishedPull(wanted.number, _pull_hash(wanted), wanted.draft)
                await self.keep(pulls={**self.seen.pulls, str(wanted.number): over})
                return
            if known is None:
                same = fingerprint(there.body) == fingerprint(wanted.body)
                known = PublishedPull(wanted.number, _pull_hash(wanted) if same else "", there.draft)
            if known.draft and not wanted.draft:
                await self._github.mark_ready(*self._at, there)
                await self._ask_reviewer(wanted.number)
            elif wanted.draft and not known.draft:
                await self._github.mark_draft(*self._at, there)
            known = replace(known, draft=wanted.draft)
            await self.keep(pulls={**self.seen.pulls, str(wanted.number): known})
        if known.hash != _pull_hash(wanted):
            title = await self._gated(wanted.title, "title", instead=f"Issue {self._run.issue}")
            body = await self._gated(wanted.body, "pull request's text")
            await self._github.update_pull(*self._at, wanted.number, title=title, body=body)
            await self.keep(pulls={**self.seen.pulls, str(wanted.number): replace(known, hash=_pull_hash(wanted))})

    async def _ask_reviewer(self, number: int) -> None:
        with suppress(Permanent):  # no collaborator any more: the pull request is as ready without
            await self._github.request_reviewers(*self._at, number, [self._run.requester])

    async def check(self, wanted: CheckView) -> None:
        """A check run, found again by its external id."""
        if not self._check_due(wanted):
            return
        title = await self._gated(wanted.title, "check's title", instead=wanted.title.split(":", 1)[0])
        summary = await self._gated(wanted.summary, "check's text")
        known = self.seen.checks.get(wanted.external_id, Published())
        fresh: list[int] = []

        async def put(check_id: int | None) -> int:
            return await self._github.put_check(
                *self._at,
                name=wanted.name,
                sha=wanted.sha,
                external_id=wanted.external_id,
                status=wanted.status,
                conclusion=wanted.conclusion,
                title=title,
                summary=summary,
                check_id=check_id,
            )

        async def find() -> str | None:
            found = await self._github.find_check(*self._at, sha=wanted.sha, external_id=wanted.external_id)
            return None if found is None else str(found)

        async def act() -> str:
            fresh.append(await put(None))
            return str(fresh[0])

        if not known.id:
            known = Published(
                int(await self._doors.effects.once(f"check/{wanted.external_id}", find, act, self._still_mine))
            )
        if not fresh:
            await put(known.id)
        await self.keep(checks={**self.seen.checks, wanted.external_id: replace(known, hash=_check_hash(wanted))})

    # ---- making ----------------------------------------------------------------------------------------------------

    async def _make(self, kind: str, text: str, made: int) -> Published:
        """A comment, made once: a lost answer is looked for by marker and our own app id."""
        fresh: list[int] = []

        async def find() -> str | None:
            mine = [
                each
                for each in await self._github.comments(*self._at, self._run.issue)
                if self._is_ours(each, kind, text)
            ]
            return str(mine[0].id) if mine else None

        async def act() -> str:
            fresh.append((await self._github.create_comment(*self._at, self._run.issue, text)).id)
            return str(fresh[0])

        while True:
            made += 1
            key = f"{self._run.repo.id}#{self._run.issue}/{kind}/{made}"
            remote = int(await self._doors.effects.once(key, find, act, self._still_mine))
            # An older text may stand in what was found; what is gone by now has to be made again.
            if fresh or await self._github.update_comment(*self._at, remote, text):
                return Published(remote, "", made)

    def _is_ours(self, comment: Comment, kind: str, text: str) -> bool:
        found = find_marker(comment.body)
        if comment.app_id != self._doors.app_id or found is None or found.kind != kind:
            return False
        known = {self.seen.attention.id, *self.seen.stale}
        return kind != "attention" or (found.get("about") == about(text) and comment.id not in known)

    async def _gated(self, raw: str, what: str, *, instead: str = "") -> str:
        """The text, or where the gate refuses it a sentence that says so; the marker stays."""
        try:
            return await asyncio.to_thread(self._doors.gate.check, raw, what=what, run_id=self._run.id)
        except Blocked as blocked:
            first = raw.split("\n", 1)[0]
            return instead or (f"{first}\n{blocked.message}" if find_marker(first) else blocked.message)


def _pull_hash(pull: PullView) -> str:
    return fingerprint(f"{pull.title}\n{pull.body}")


def _check_hash(check: CheckView) -> str:
    return fingerprint(f"{check.status}\n{check.conclusion}\n{check.title}\n{check.summary}")
