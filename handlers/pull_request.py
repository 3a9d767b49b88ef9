"""What happens to the pull requests that we opened."""

from typing import Literal

from bot.core.events import (
    Envelope,
    Me,
    PullRequestClosed,
    PullRequestLabeled,
    PullRequestPushed,
    PullRequestReopened,
)
from bot.core.intents import Intent, NotePullRequest, SayPlainly, Target
from bot.core.repo_config import RepoConfig
from bot.core.senders import is_person, is_us
from bot.core.text import intake

OUR_BRANCH = "agent/"
"""What every branch of ours begins with; a fork's reads `owner:agent/…` and so never matches."""

What = Literal["merged", "closed", "reopened", "pushed", "labeled", "reviewed"]


def closed(event: PullRequestClosed, config: RepoConfig, me: Me) -> list[Intent]:
    """Merged or closed, by whomever."""
    return note(
        event.at,
        event.number,
        head_ref=event.head_ref,
        what="merged" if event.merged else "closed",
        sha=event.head_sha,
    )


def reopened(event: PullRequestReopened, config: RepoConfig, me: Me) -> list[Intent]:
    """Open again."""
    return note(event.at, event.number, head_ref=event.head_ref, what="reopened")


def pushed(event: PullRequestPushed, config: RepoConfig, me: Me) -> list[Intent]:
    """Somebody else's commits on a branch of ours; our own pushes are known already."""
    if is_us(event.at.sender, me):
        return []
    return note(event.at, event.number, head_ref=event.head_ref, what="pushed", sha=event.head_sha)


def labeled(event: PullRequestLabeled, config: RepoConfig, me: Me) -> list[Intent]:
    """A command label belongs on an issue: say so. Any other label is only noted."""
    if is_us(event.at.sender, me):
        return []
    if config.trigger.labels.meaning(event.label) in ("run", "spec"):
        if not is_person(event.at.sender, me):
            return []
        return [SayPlainly(_target(event.at, event.number), intake.label_on_pull_request(event.label))]
    return note(event.at, event.number, head_ref=event.head_ref, what="labeled", label=event.label)


def note(at: Envelope, number: int, *, head_ref: str, what: What, sha: str = "", label: str = "") -> list[Intent]:
    """One fact about a pull request, if its branch is ours."""
    if not head_ref.startswith(OUR_BRANCH):
        return []
    return [NotePullRequest(_target(at, number), head_ref, what, sha, label)]


def _target(at: Envelope, number: int) -> Target:
    return Target(at.delivery, at.installation_id, at.repo, number, at.sender, is_pull_request=True)
