"""What every prompt of the spec desk is made of: the repository's rules and map at the base SHA, and the issue as it was snapshotted."""

import secrets
from dataclasses import dataclass

from bot.agent import foundation, repo_map
from bot.core.model_text import commands_text
from bot.core.run import Foundation
from bot.core.snapshot import Snapshot, load, render_blocks
from bot.phases.context import PhaseRun
from bot.phases.repo import Ground, ground
from bot.ports import Permanent

MAP_TOKENS = 4_000
SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True)
class Material:
    """Inputs that several prompts share; `delimiter` is random, so that no text can close its own block."""

    ground: Ground
    foundation: Foundation
    inputs: dict[str, str]
    delimiter: str


def snapshot_of(phase: PhaseRun) -> Snapshot:
    """The issue as it was when the run started. Raises Permanent when the run's key was destroyed."""
    kept = phase.ctx.blobs.get(phase.run.id, SNAPSHOT, 0)
    if kept is None:
        raise Permanent("the snapshot of the issue is gone")
    return load(kept)


def _delimiter(phase: PhaseRun) -> str:
    """Random, so that no author could know it; one a run, so that the vendors' prompt caches stay warm."""
    blobs, run_id = phase.ctx.blobs, phase.run.id
    kept = blobs.get(run_id, "delimiter", 0)
    if kept is None:
        kept = secrets.token_hex(12).encode()
        blobs.put(run_id, "delimiter", 0, kept)
    return kept.decode()


async def gather(phase: PhaseRun, base_sha: str, *, at_stake: tuple[str, ...] = ()) -> Material:
    """Read everything from objects at `base_sha`."""
    git, repo = phase.ctx.git, phase.run.repo.full_name
    tree = await git.tree(repo, base_sha)
    here = await ground(phase, base_sha)
    snapshot = snapshot_of(phase)
    rules = await foundation.read(git, repo, base_sha, at_stake=at_stake, tree=tree)
    words = "\n".join(block.text for block in snapshot.blocks)
    shown = await repo_map.read(git, repo, base_sha, words, tree=tree, tokens=MAP_TOKENS)
    delimiter = _delimiter(phase)
    inputs = {
        "foundation": rules.prompt_text,
        "repo_map": shown,
        "base_sha": base_sha,
        "commands": commands_text(here.commands),
        "issue": render_blocks(snapshot, delimiter),
        "delimiter": delimiter,
        "problems": "none",
    }
    return Material(here, rules.foundation, inputs, delimiter)
