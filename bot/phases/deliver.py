"""Deliver: permission and stop are checked again, exactly the SHA that has evidence is pushed, and its pull request is opened."""

import asyncio
from dataclasses import dataclass

from bot.core.advance import line_of
from bot.core.forge import PullRequest
from bot.core.results import Delivered, PhaseHeld
from bot.core.run import Line
from bot.core.view import Snapshot, view
from bot.phases.context import PhaseRun
from bot.phases.leaks import check_change
from bot.ports import Cancelled

Ended = Delivered | PhaseHeld


@dataclass(frozen=True, slots=True)
class Opened:
    """The pull request as GitHub names it."""

    number: int
    url: str


async def deliver(phase: PhaseRun) -> Ended:
    """Push and open the pull request (a draft: the publisher makes it ready when the view says so)."""
    line = line_of(phase.run, phase.call.line)
    refused = await phase.step("permission", str, lambda: _refused(phase))
    if refused:
        return PhaseHeld("Paused", refused, "/agent resume")
    await phase.step("push", str, lambda: _push(phase, line))
    pull = await phase.step("pull", Opened, lambda: _pull(phase, line))
    green = line.evidence is not None and line.evidence.result == "PASS"
    return Delivered(line.number, line.head_sha, pull.number, pull.url, ready=green)


async def _refused(phase: PhaseRun) -> str:
    run = phase.run
    role = await phase.ctx.github.permission(run.installation_id, run.repo.full_name, run.requester)
    if role in ("write", "maintain", "admin"):
        return ""
    return f"`{run.requester}`, who asked for this run, no longer has write permission, so nothing was pushed."


async def _push(phase: PhaseRun, line: Line) -> str:
    ctx, run = phase.ctx, phase.run
    if line.evidence is None or line.evidence.sha != line.head_sha:
        raise Cancelled("nothing is pushed without evidence for exactly that commit")
    await check_change(phase, line)
    token = await ctx.github.token(run.installation_id, run.repo.id, write=True)
    there = await ctx.git.remote_head(run.repo.full_name, line.branch, token)
    if there == line.head_sha:
        return line.head_sha
    if not await phase.steps.still_mine():
        raise Cancelled("the run was stopped before its push")
    await ctx.git.push(run.repo.full_name, sha=line.head_sha, branch=line.branch, expected=line.pushed_sha, token=token)
    return line.head_sha


async def _pull(phase: PhaseRun, line: Line) -> Opened:
    ctx, run = phase.ctx, phase.run
    spend = ctx.rows.spend(run.id)
    shown = view(Snapshot(run, spend, (), 0, ctx.clock.stamp(), ctx.app_slug))
    title, body = next((it.title, it.body) for it in shown.pulls if it.line == line.number)
    await asyncio.to_thread(ctx.gate.check, title, what="pull request title", run_id=run.id)
    await asyncio.to_thread(ctx.gate.check, body, what="pull request body", run_id=run.id)

    async def find() -> str | None:
        pull = await ctx.github.find_pull(run.installation_id, run.repo.full_name, line.branch)
        return _named(pull) if pull is not None and pull.state == "open" else None

    async def act() -> str:
        pull = await ctx.github.create_pull(
            run.installation_id,
            run.repo.full_name,
            head=line.branch,
            base=run.base_ref,
            title=title,
            body=body,
            draft=True,
        )
        return _named(pull)

    remote = await ctx.effects.once(f"{run.id}/line/{line.number}/pull", find, act, phase.steps.still_mine)
    number, _, url = remote.partition(" ")
    return Opened(int(number), url)


def _named(pull: PullRequest) -> str:
    return f"{pull.number} {pull.url}"
