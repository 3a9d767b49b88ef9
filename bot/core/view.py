"""The projection: what GitHub should show for a run, computed from what is stored and nothing else."""

from dataclasses import dataclass

from bot.core import labels
from bot.core.ids import run_id, sha256
from bot.core.markers import Marker, find_marker, marker
from bot.core.run import Line, Run
from bot.core.text import attention as attentions
from bot.core.text import checks, pull_request
from bot.core.text.spec_comment import spec_comment
from bot.core.text.status import Progress, Snapshot, status

__all__ = [
    "CheckView",
    "Marker",
    "Progress",
    "PullView",
    "Reaction",
    "Snapshot",
    "View",
    "find_marker",
    "marker",
    "view",
]


@dataclass(frozen=True, slots=True)
class PullView:
    """A line's pull request as it should read. `number` is 0 until it has been opened."""

    line: int
    number: int
    branch: str
    title: str
    body: str
    draft: bool


@dataclass(frozen=True, slots=True)
class CheckView:
    """A check run as it should stand at a pushed SHA."""

    sha: str
    external_id: str
    name: str
    status: str
    conclusion: str | None
    title: str
    summary: str


@dataclass(frozen=True, slots=True)
class Reaction:
    """A receipt: on a comment, or on the issue itself where `comment_id` is None."""

    comment_id: int | None
    content: str


@dataclass(frozen=True, slots=True)
class View:
    """What GitHub should show. `urgent` names everything that a person waits for: while it stays the same, edits may wait longer."""

    label: str
    remove_labels: tuple[str, ...]
    status: str
    spec: str | None
    attention: str | None
    pulls: tuple[PullView, ...]
    checks: tuple[CheckView, ...]
    reactions: tuple[Reaction, ...]
    urgent: str


def view(snapshot: Snapshot) -> View:
    """Pure: the same snapshot gives the same view."""
    run = snapshot.run
    return View(
        label=labels.STATES[run.state.kind].name,
        remove_labels=labels.ONE_SHOTS,
        status=f"{marker('status', run=run.id, issue=run.issue)}\n{status(snapshot)}",
        spec=_spec(snapshot),
        attention=_attention(run),
        pulls=tuple(_pull(snapshot, line) for line in run.lines if line.state in ("delivering", "in review")),
        checks=tuple(check for line in run.lines for check in _check(run, line)),
        reactions=_reactions(run),
        urgent=_urgent(run),
    )


def notice(sentence: str, *, repo: str, issue: int) -> str:
    """The status comment of an issue that has no run."""
    return (
        f"{marker('status', run=run_id(repo, issue, 0), issue=issue)}\n**Journeyman** did not start a run. {sentence}"
    )


def _spec(snapshot: Snapshot) -> str | None:
    text = spec_comment(snapshot.run, snapshot.spend)
    revision = snapshot.run.revision
    if text is None or revision is None:
        return None
    return f"{marker('spec', run=snapshot.run.id, rev=revision.number, sha256=revision.sha256)}\n{text}"


def _attention(run: Run) -> str | None:
    text = attentions.attention(run)
    if text is None:
        return None
    return f"{marker('attention', run=run.id, about=attentions.about(run))}\n{text}"


def _pull(snapshot: Snapshot, line: Line) -> PullView:
    run = snapshot.run
    spec = run.revision.sha256 if run.revision else ""
    head = marker("pr", run=run.id, line=line.number, spec=spec, base=run.base_sha[:7], head=line.head_sha[:7])
    red = line.evidence is None or line.evidence.sha != line.head_sha or line.evidence.result == "FAIL"
    return PullView(
        line=line.number,
        number=line.pull_number,
        branch=line.branch,
        title=pull_request.title(run, line),
        body=f"{head}\n{pull_request.body(snapshot, line)}",
        draft=red or not line.ready,
    )


def _check(run: Run, line: Line) -> tuple[CheckView, ...]:
    """Only for a SHA that was pushed: GitHub knows no other."""
    evidence = line.evidence
    if evidence is None or line.state not in ("in review", "merged", "closed") or evidence.sha != line.head_sha:
        return ()
    external_id = f"{run.id}/line/{line.number}/verify/{evidence.sha}"
    said = (checks.CONCLUSIONS[evidence.result], checks.title(evidence), checks.summary(evidence))
    return (CheckView(evidence.sha, external_id, checks.NAME, "completed", *said),)


def _reactions(run: Run) -> tuple[Reaction, ...]:
    receipts: list[Reaction] = []
    if any(task.state != "waiting" for line in run.lines for task in line.tasks):
        receipts.append(Reaction(None, "rocket"))
    if run.state.kind == "Failed":
        receipts.append(Reaction(None, "confused"))
    elif run.state.kind == "Done" or (run.state.kind == "InReview" and not run.state.red):
        receipts.append(Reaction(None, "hooray"))
    return tuple(receipts)


def _urgent(run: Run) -> str:
    reviewed = (
        [(each.number, each.review is not None) for each in run.revisions] if run.state.kind != "Drafting" else []
    )
    pulls = [
        (line.pull_number, line.ready, line.state, line.evidence and (line.evidence.sha, line.evidence.result))
        for line in run.lines
        if line.pull_number
    ]
    return sha256(repr((run.id, run.state, run.said, reviewed, pulls)))[:16]
