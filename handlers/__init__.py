"""The route table: which pure function decides about which event.

A handler takes `(event, config, me)` and gives a list of intents. It asks nobody and changes nothing: permission is checked
and the intents are carried out by the engine.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from bot.core import events
from bot.core.events import Event, Me
from bot.core.intents import Intent
from bot.core.repo_config import RepoConfig
from handlers import checks, installation, issue_comment, issues, pull_request, pull_request_review, push

Handler = Callable[..., list[Intent]]

ROUTES: Mapping[type, Handler] = MappingProxyType(
    {
        events.IssueLabeled: issues.labeled,
        events.IssueUnlabeled: issues.unlabeled,
        events.IssueClosed: issues.closed,
        events.IssueGone: issues.gone,
        events.IssueCommented: issue_comment.commented,
        events.OwnCommentChanged: issue_comment.changed,
        events.PullRequestClosed: pull_request.closed,
        events.PullRequestReopened: pull_request.reopened,
        events.PullRequestLabeled: pull_request.labeled,
        events.PullRequestPushed: pull_request.pushed,
        events.ReviewSubmitted: pull_request_review.submitted,
        events.ReviewThreadChanged: pull_request_review.thread_changed,
        events.ChecksCompleted: checks.completed,
        events.Pushed: push.pushed,
        events.RepositoryChanged: push.repository_changed,
        events.LabelChanged: push.label_changed,
        events.InstallationChanged: installation.changed,
    }
)


def route(event: Event, config: RepoConfig, me: Me) -> list[Intent]:
    """The intents of one event; an empty list where nobody has to do anything."""
    return ROUTES[type(event)](event, config, me)
