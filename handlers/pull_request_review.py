"""Reviews and review threads on the pull requests that we opened."""

from bot.core.events import Me, ReviewSubmitted, ReviewThreadChanged
from bot.core.intents import Intent
from bot.core.repo_config import RepoConfig
from bot.core.senders import is_us
from handlers.pull_request import note


def submitted(event: ReviewSubmitted, config: RepoConfig, me: Me) -> list[Intent]:
    """Somebody reviewed a pull request of ours."""
    if is_us(event.at.sender, me):
        return []
    return note(event.at, event.number, head_ref=event.head_ref, what="reviewed")


def thread_changed(event: ReviewThreadChanged, config: RepoConfig, me: Me) -> list[Intent]:
    """A review thread was written to, resolved or opened again, which changes what the review asks for."""
    if is_us(event.at.sender, me):
        return []
    return note(event.at, event.number, head_ref=event.head_ref, what="reviewed")
