"""What several phases read of the repository at a SHA: its config, its verify commands, texts for checking quotes."""

from dataclasses import dataclass

from bot.agent.found_commands import found, to_read
from bot.core.evidence import VerifyCommand
from bot.core.repo_config import RepoConfig, clamp
from bot.core.repo_config_file import read_config
from bot.phases.context import PhaseRun

CONFIG = ".github/agent.yml"


@dataclass(frozen=True, slots=True)
class Ground:
    """The repository at a SHA as checks need it."""

    paths: tuple[str, ...]
    config: RepoConfig
    config_text: str
    problems: tuple[str, ...]
    commands: tuple[VerifyCommand, ...]


async def ground(phase: PhaseRun, sha: str) -> Ground:
    """Read the tree, agent.yml and the verify commands (declared, else found) from objects at `sha`."""
    git, repo = phase.ctx.git, phase.run.repo.full_name
    paths = tuple(entry.path for entry in await git.tree(repo, sha) if entry.mode != "160000")
    raw = await git.blob(repo, sha, CONFIG) if CONFIG in paths else None
    read = read_config(raw)
    config = clamp(read.config, phase.ctx.ceilings)
    commands = config.verify.declared
    if not commands:
        files = dict.fromkeys(paths, b"")
        for path in to_read(paths):
            files[path] = await git.blob(repo, sha, path) or b""
        commands = found(files)
    text = (raw or b"").decode("utf-8", "replace")
    said = tuple(f"line {it.line}, {it.key}: {it.message}" for it in read.problems)
    return Ground(paths, config, text, said, commands)


async def texts(phase: PhaseRun, sha: str, paths: set[str]) -> dict[str, str]:
    """The texts of these files at `sha`; what is no text, or too large, is left out."""
    out = {}
    for path in sorted(paths)[:200]:
        raw = await phase.ctx.git.blob(phase.run.repo.full_name, sha, path)
        if raw is not None:
            out[path] = raw.decode("utf-8", "replace")
    return out
