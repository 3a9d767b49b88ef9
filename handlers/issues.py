"""Labels on issues, and issues that end."""

from bot.core.events import Envelope, IssueClosed, IssueGone, IssueLabeled, IssueRef, IssueUnlabeled, Me
from bot.core.intents import Intent, Republish, StartRun, StopRun, Target
from bot.core.repo_config import RepoConfig
from bot.core.senders import is_person, is_us


def labeled(event: IssueLabeled, config: RepoConfig, me: Me) -> list[Intent]:
    """A command label starts or stops a run; a state label put on by hand is taken off again."""
    to, meaning = target(event.at, event.issue), config.trigger.labels.meaning(event.label)
    if meaning is None or is_us(event.at.sender, me):
        return []
    if meaning == "state":
        return [Republish(to)]
    if meaning == "skip":
        # Stopping is open to other bots too: all that they can do with it is keep us away.
        return [StopRun(to, why=f"the label `{event.label}` was put on")]
    if not is_person(event.at.sender, me):
        return []
    return [StartRun(to, mode="full" if meaning == "run" else "spec", label=event.label)]


def unlabeled(event: IssueUnlabeled, config: RepoConfig, me: Me) -> list[Intent]:
    """Only state labels matter: a command label is taken off by us once it has done its work."""
    if config.trigger.labels.meaning(event.label) == "state" and not is_us(event.at.sender, me):
        return [Republish(target(event.at, event.issue))]
    return []


def closed(event: IssueClosed, config: RepoConfig, me: Me) -> list[Intent]:
    """A closed issue stops its run, whoever or whatever closed it."""
    return [StopRun(target(event.at, event.issue), why="the issue was closed", closed=True)]


def gone(event: IssueGone, config: RepoConfig, me: Me) -> list[Intent]:
    """A deleted or transferred issue stops its run."""
    return [StopRun(target(event.at, event.issue), why="the issue was deleted or moved to another repository")]


def target(at: Envelope, issue: IssueRef, *, comment_id: int | None = None, created_at: str = "") -> Target:
    """Where an intent about this issue (or pull request) goes, and who asks."""
    return Target(
        delivery=at.delivery,
        installation_id=at.installation_id,
        repo=at.repo,
        number=issue.number,
        actor=at.sender,
        is_pull_request=issue.is_pull_request,
        comment_id=comment_id,
        created_at=created_at,
        issue_title=issue.title,
        issue_author=issue.author.login,
    )
