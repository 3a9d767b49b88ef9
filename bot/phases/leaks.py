"""The secret gate over a change, before its push: every commit that would be pushed, every byte that it adds."""

import asyncio
from itertools import pairwise

from bot.core.run import Line
from bot.phases.context import PhaseRun
from bot.phases.repo import ground
from bot.ports import UserFacing

ROOM = 1024
"""KiB beyond the repository's cap on a patch, which every task's change was held to when it was imported."""
CUT = "[the diff is longer than"


async def check_change(phase: PhaseRun, line: Line) -> None:
    """Raises UserFacing where a secret would leave. A later task's clean-up does not help: the earlier commit is pushed too."""
    ctx, run = phase.ctx, phase.run
    await asyncio.to_thread(ctx.gate.check_branch, line.branch, run_id=run.id)
    limits = (await ground(phase, run.base_sha)).config.limits
    for old, new in pairwise((run.base_sha, *(task.sha for task in line.tasks))):
        patch = await ctx.git.patch(run.repo.full_name, old, new, (limits.patch_kb + ROOM) * 1024)
        if patch.rstrip("\n").rpartition("\n")[2].startswith(CUT):  # no line of a diff begins so
            raise UserFacing(
                "The change is too large to be searched for secrets, so it was not pushed.", verb="/agent refine <text>"
            )
        await asyncio.to_thread(ctx.gate.check_patch, patch, run_id=run.id)
        await _check_binaries(phase, old, new)


async def _check_binaries(phase: PhaseRun, old: str, new: str) -> None:
    """A diff shows no content of what git takes for binary, so those files are searched whole."""
    ctx, run = phase.ctx, phase.run
    for file in await ctx.git.diff(run.repo.full_name, old, new):
        if file.added is None and file.status[:1] != "D":
            data = await ctx.git.blob(run.repo.full_name, new, file.path, file.new_size + 1)
            if data is not None:
                await asyncio.to_thread(ctx.gate.check_blob, file.path, data, run_id=run.id)
