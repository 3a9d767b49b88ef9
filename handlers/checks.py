"""Check runs, check suites and commit statuses."""

from bot.core.events import ChecksCompleted, Me
from bot.core.intents import Intent
from bot.core.repo_config import RepoConfig


def completed(event: ChecksCompleted, config: RepoConfig, me: Me) -> list[Intent]:
    """Nothing: GitHub shows CI's result on the pull request, and this version starts no work because of it.

    The route exists because the App's events are final from the start: a later one can't be added without asking every
    installation again.
    """
    return []
