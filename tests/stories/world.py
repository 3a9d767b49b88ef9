"""A story's world: people, a repository, scripted models, and a real `journeyman serve` beside a playground over HTTP and git."""

import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from bot.core.markers import find_marker
from bot.core.run import TERMINAL, InReview, Run
from bot.playground.acts.pulls import open_pull
from bot.playground.control import counts
from bot.playground.data import Comment, Issue, Pull
from bot.playground.stage import Stage
from bot.playground.vendor_replies import Call, Policy, Reply
from bot.store import runs
from bot.store.database import open_database

T = TypeVar("T")
PATIENCE = 60.0


@dataclass(slots=True)
class Voice:
    """The models' script, exchanged by each story."""

    policy: Policy | None = None
    calls: list[Call] = field(default_factory=list)

    def __call__(self, call: Call) -> Reply:
        self.calls.append(call)
        if self.policy is None:
            raise AssertionError("no script was given")
        return self.policy(call)


@dataclass(slots=True)
class World:
    """One story. `repo` is `acme/<something unique>`; maria may write, eve may not."""

    stage: Stage
    voice: Voice
    repo: str

    # ---- given

    def repository(
        self,
        files: Mapping[str, bytes | str],
        *,
        default_branch: str = "main",
        private: bool = False,
        empty: bool = False,
        source: Path | None = None,
    ) -> None:
        """A repository with the App installed; maria has write, tom triage, eve only reads. `source` is a git repository to copy."""
        hub = self.stage.hub
        kept = None if empty or source else files
        hub.create_repo(self.repo, default_branch=default_branch, private=private, files=kept, from_path=source)
        for login, role in (("maria", "write"), ("tom", "triage"), ("eve", "read")):
            hub.add_collaborator(self.repo, login, role)

    def issue(self, title: str, body: str | None = None, *, by: str = "maria") -> int:
        """An open issue; gives its number."""
        return self.stage.hub.open_issue(self.repo, by, title, body).number

    def proposal(self, author: str) -> int:
        """A person's own pull request; gives its number."""
        who = ["-c", f"user.name={author}", "-c", f"user.email={author}@example.org"]
        sha = self.git(*who, "commit-tree", "main^{tree}", "-p", "main", "-m", "Mine").strip()
        self.git("update-ref", "refs/heads/mine", sha)
        hub, state = self.stage.hub, self.stage.hub.state
        with state.lock:
            made = open_pull(
                state,
                hub.repo(self.repo),
                state.by(author),
                title="Mine",
                head="mine",
                base="main",
                body=None,
                draft=False,
            )
        return made.issue.number

    # ---- when

    def label(self, number: int, label: str = "agent", *, by: str = "maria") -> None:
        self.stage.hub.label(self.repo, number, label, by=by)

    def ask(self, script: Policy, title: str, body: str | None, *, label: str = "agent") -> int:
        """An issue labelled by maria, with a script that plays the models; gives its number."""
        self.voice.policy = script
        number = self.issue(title, body)
        self.label(number, label)
        return number

    def say(self, number: int, text: str, *, by: str = "maria") -> Comment:
        return self.stage.hub.comment(self.repo, number, text, by=by)

    # ---- then

    def until(self, what: Callable[[], T | None], *, seconds: float = PATIENCE, why: str) -> T:
        """Wait for something truthy and give it; the server's log is in the failure."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := what():
                return found
            time.sleep(0.05)
        raise AssertionError(f"waited {seconds:.0f} s for {why}\n{self.told()}\n{self.stage.server.output()}")

    def told(self) -> str:
        """Where the runs stand, for a failure's message."""
        return "\n".join(f"{run.id}: {run.state} at {run.phase}" for run in self.runs())

    def runs(self) -> list[Run]:
        """Every run of this story's repository."""
        database = open_database(f"sqlite:///{self.stage.home / 'journeyman.db'}")
        try:
            with database.connect() as conn:
                docs = conn.execute(sa.text("select doc from run order by number")).scalars().all()
        finally:
            database.dispose()
        return [run for run in map(runs.decode, docs) if run.repo.full_name == self.repo]

    def ends(self, number: int, label: str, *, seconds: float = PATIENCE) -> Issue:
        """Wait until the issue carries that state label and nothing is left to publish."""
        wanted = f"agent/{label}"

        def there() -> Issue | None:
            if wanted in self.labels(number) and self._published():
                return self._issue(number)
            return None

        return self.until(there, seconds=seconds, why=f"the label {wanted} on {self.repo}#{number}")

    def _issue(self, number: int) -> Issue:
        return self.stage.hub.issue(self.repo, number)

    def _published(self) -> bool:
        database = open_database(f"sqlite:///{self.stage.home / 'journeyman.db'}")
        try:
            with database.connect() as conn:
                query = "select count(*) from publication where wanted > done and repo = :repo"
                return not conn.execute(sa.text(query), {"repo": self.repo}).scalar()
        finally:
            database.dispose()

    def labels(self, number: int) -> list[str]:
        return sorted(label.name for label in self._issue(number).labels)

    def ours(self, number: int, kind: str) -> list[str]:
        """Bodies of our comments of a kind: status, spec, attention."""
        found = [(find_marker(it.body), it.body) for it in self._issue(number).comments if it.app is not None]
        return [body for marker, body in found if marker is not None and marker.kind == kind]

    def status(self, number: int) -> str:
        """The one status comment, normalised."""
        (body,) = self.ours(number, "status")
        return plain(body)

    def head(self, number: int) -> str:
        """The status comment without its log."""
        return self.status(number).split("<details>")[0].strip()

    def mention(self, number: int) -> str:
        """The one line that mentions somebody, normalised."""
        (body,) = self.ours(number, "attention")
        return plain(body)

    def notice(self, number: int) -> str:
        """Wait for the status comment of an issue that has no run."""
        self.until(lambda: self.ours(number, "status") and self._published(), why="a status comment")
        return self.status(number)

    def answered(self, number: int, words: str) -> str:
        """Wait until the status comment holds these words; gives its head."""
        self.until(
            lambda: any(words in body for body in self.ours(number, "status")) and self._published(),
            why=f"{words!r} in the status comment",
        )
        return self.head(number)

    def hears(self, number: int) -> None:
        """Say `/agent status` and wait until it was heard: whatever was said before has been heard then, too."""
        heard = len(self.run().acted_comments)
        self.say(number, "/agent status")
        self.until(lambda: len(self.run().acted_comments) > heard, why="the status command")

    def run(self) -> Run:
        """The newest run."""
        return self.runs()[-1]

    def asked(self, name: str) -> list[Call]:
        """The calls of one `role/step`."""
        return [call for call in self.voice.calls if call.name == name]

    def working(self, turn: int = 1) -> None:
        """Wait until the worker was given its answer for that turn."""
        self.until(lambda: [it for it in self.asked("work/task") if it.turn >= turn], why=f"turn {turn} of the worker")

    def git(self, *argv: str, stdin: str | None = None) -> str:
        """What git says of the repository on the playground."""
        path = self.stage.hub.repo(self.repo).git.path
        done = subprocess.run(["git", "-C", str(path), *argv], input=stdin, capture_output=True, text=True, check=True)
        return done.stdout

    def reacted(self, comment: Comment) -> list[str]:
        """Our reactions on a comment."""
        return sorted(it.content for it in self.stage.hub.state.comments[comment.id].reactions)

    def end(self) -> None:
        """Stop what would go on and speak into the next story."""
        for run in self.runs():
            if not isinstance(run.state, (*TERMINAL, InReview)):
                self.stage.hub.close_issue(self.repo, run.issue, by="maria")
        self.until(
            lambda: all(isinstance(it.state, (*TERMINAL, InReview)) for it in self.runs()), why="the story's end"
        )

    def pulls(self) -> list[Pull]:
        return [it.pull for it in self.stage.hub.repo(self.repo).issues.values() if it.pull is not None]

    def branches(self) -> dict[str, str]:
        """Branch -> SHA on the playground."""
        rows = self.git("for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads")
        return dict(row.split(" ") for row in rows.splitlines())

    def counts(self) -> dict[str, int]:
        """The playground's own count of what our App wrote to this repository."""
        mine = counts(self.stage.hub.state, actor=f"{self.stage.app.slug}[bot]").get(self.repo, {})
        total: Counter[str] = Counter()
        for kinds in mine.values():
            total.update(kinds)
        return dict(total)


def plain(text: str) -> str:
    """A published text without what differs from run to run: hashes, times, money, names of repositories."""
    text = re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL)
    for pattern, word in (
        (r"`[0-9a-f]{7}`", "`<sha>`"),
        (r"\b\d\d:\d\d:\d\d\b", "<time>"),
        (r"(<)?\$\d+\.\d\d", "$<cost>"),
        (r"\b\d+ (s|min)\b", "<duration>"),
        (r"\d+(\.\d+)?[kM]? tokens", "<n> tokens"),
        (r"acme/[a-z0-9-]+", "acme/<repo>"),
    ):
        text = re.sub(pattern, word, text)
    return text.strip()


def files_of(folder: Path) -> dict[str, Any]:
    """A folder's files as a repository's."""
    return {it.relative_to(folder).as_posix(): it.read_bytes() for it in folder.rglob("*") if it.is_file()}
