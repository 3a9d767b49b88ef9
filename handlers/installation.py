"""The App was installed, suspended or removed, or its repositories changed."""

from bot.core.events import InstallationChanged, Me
from bot.core.intents import DropInstallation, EnsureLabels, Intent
from bot.core.repo_config import RepoConfig

GONE = {"deleted": "Journeyman was uninstalled", "suspend": "Journeyman was suspended"}


def changed(event: InstallationChanged, config: RepoConfig, me: Me) -> list[Intent]:
    """Labels for repositories that came, an end for those that went."""
    if event.action in GONE:
        return [DropInstallation(event.installation_id, (), why=GONE[event.action])]
    wanted: list[Intent] = []
    if event.removed:
        why = "the repository was taken out of the installation"
        wanted.append(DropInstallation(event.installation_id, event.removed, why=why))
    if event.added:
        wanted.append(EnsureLabels(event.installation_id, event.added))
    return wanted
