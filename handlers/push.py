"""Pushes, and changes to the repository and its labels."""

from bot.core.events import LabelChanged, Me, Pushed, RepositoryChanged
from bot.core.intents import DropInstallation, EnsureLabels, Intent, RefreshRepository
from bot.core.repo_config import RepoConfig
from bot.core.senders import is_us


def pushed(event: Pushed, config: RepoConfig, me: Me) -> list[Intent]:
    """The default branch moved, so what we know of the repository may be old; other branches are nobody's business here."""
    if event.ref != f"refs/heads/{event.at.repo.default_branch}":
        return []
    return [RefreshRepository(event.at.installation_id, event.at.repo)]


def repository_changed(event: RepositoryChanged, config: RepoConfig, me: Me) -> list[Intent]:
    """A deleted repository is dropped; any other change is read again."""
    if event.action == "deleted":
        return [DropInstallation(event.at.installation_id, (event.at.repo,), why="the repository was deleted")]
    return [RefreshRepository(event.at.installation_id, event.at.repo)]


def label_changed(event: LabelChanged, config: RepoConfig, me: Me) -> list[Intent]:
    """A label of ours that was renamed, recoloured or deleted is made again."""
    if config.trigger.labels.meaning(event.label) is None or is_us(event.at.sender, me):
        return []
    return [EnsureLabels(event.at.installation_id, (event.at.repo,))]
