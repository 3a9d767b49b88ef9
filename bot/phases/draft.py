"""Draft: the issue as it was when somebody asked, the repository's foundation at the base SHA, and vendor A's spec."""

import secrets
from dataclasses import dataclass

import prompts
from bot.agent.foundation import FoundationText, read_foundation
from bot.agent.repo_map import repo_map
from bot.core.answers import DraftAnswer, to_spec
from bot.core.ids import sha256
from bot.core.model_text import commands_text, findings_text, spec_text
from bot.core.results import SpecDrafted
from bot.core.run import Revision
from bot.core.snapshot import Snapshot, dump, load, reduce, render_blocks, snapshot_sha256, take
from bot.core.spec import Spec
from bot.phases.asking import Question, ask
from bot.phases.context import PhaseRun
from bot.phases.repo import ground
from bot.ports import UserFacing

DRAFT = "spec/draft"
MAP_TOKENS = 4_000


@dataclass(frozen=True, slots=True)
class Start:
    """What the run stands on: the base commit and the snapshot, named by hash."""

    base_sha: str
    snapshot_sha256: str
    outsider: bool
    hidden: int


async def draft(phase: PhaseRun) -> SpecDrafted:
    """The next revision. A refine or an answer writes a new one on the same base and the same snapshot."""
    start = await phase.step("snapshot", Start, lambda: _start(phase))
    phase.ctx.rows.note(phase.run.id, phase.call.epoch, lambda run: _noted(run, start))
    return await phase.step("draft", SpecDrafted, lambda: _draft(phase, start))


def _noted(run, start: Start):
    from dataclasses import replace

    return replace(run, base_sha=start.base_sha, snapshot_sha256=start.snapshot_sha256, outsider=start.outsider)
