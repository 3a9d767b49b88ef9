"""Draft: the issue as it was when somebody asked, the repository's foundation at the base SHA, and vendor A's spec."""

from dataclasses import dataclass, replace

import prompts
from bot.core.answers import DraftAnswer, to_spec
from bot.core.model_text import findings_text, spec_text
from bot.core.results import PhaseHeld, SpecDrafted
from bot.core.run import Foundation, Revision, Run
from bot.core.snapshot import dump, fenced, snapshot_sha256, strip_invisible, take
from bot.core.spec import Spec
from bot.core.text import spec_comment
from bot.phases.asking import Question, ask
from bot.phases.context import PhaseRun
from bot.phases.material import SNAPSHOT, gather, snapshot_of

WRITERS = ("write", "maintain", "admin")
Ended = SpecDrafted | PhaseHeld


@dataclass(frozen=True, slots=True)
class Start:
    """What the run stands on: the base commit and the snapshot, named by hash."""

    base_sha: str
    snapshot_sha256: str
    outsider: bool
    title: str


async def draft(phase: PhaseRun) -> SpecDrafted:
    """The next revision. A refine or an answer writes a new one on the same base and the same snapshot."""
    start = await phase.step("snapshot", Start, lambda: _start(phase))
    phase.ctx.rows.note(phase.run.id, phase.call.epoch, lambda run: _noted(run, start))
    return await phase.step("draft", SpecDrafted, lambda: _draft(phase, start))


def _noted(run: Run, start: Start) -> Run:
    return replace(
        run,
        base_sha=start.base_sha,
        snapshot_sha256=start.snapshot_sha256,
        outsider=start.outsider,
        issue_title=start.title,
    )


async def _start(phase: PhaseRun) -> Start:
    """Fetch the base and take the snapshot once; later revisions of this run stand on the same ones."""
    ctx, run = phase.ctx, phase.run
    ref = f"refs/heads/{run.base_ref}"
    base_sha = (await ctx.git.fetch(run.repo.full_name, [ref], await phase.read_token()))[ref]
    if run.base_sha and ctx.blobs.get(run.id, SNAPSHOT, 0) is not None:
        kept = snapshot_of(phase)
        return Start(run.base_sha, snapshot_sha256(kept), run.outsider, run.issue_title)
    issue = await ctx.github.issue(run.installation_id, run.repo.full_name, run.issue)
    comments = await ctx.github.comments(run.installation_id, run.repo.full_name, run.issue)
    people = {issue.author, *(it.author for it in comments if it.author_type == "User")}
    roles = {
        who: await ctx.github.permission(run.installation_id, run.repo.full_name, who) for who in sorted(people) if who
    }
    snapshot = take(
        issue, comments, base_sha=base_sha, permissions=roles, private=run.repo.private, own_app_id=ctx.app_id
    )
    ctx.blobs.put(run.id, SNAPSHOT, 0, dump(snapshot))
    return Start(base_sha, snapshot_sha256(snapshot), roles.get(issue.author) not in WRITERS, issue.title)


async def _draft(phase: PhaseRun, start: Start) -> SpecDrafted:
    ctx, run = phase.ctx, phase.run
    previous = run.revision
    stake = tuple(it.path for it in previous.spec.changes) if previous else ()
    material = await gather(phase, start.base_sha, at_stake=stake)
    if previous is not None and run.refine:
        prompt = prompts.render(
            prompts.load("spec/revise"),
            **material.inputs,
            revision=str(previous.number),
            spec=fenced(spec_text(previous.spec), material.delimiter),
            grounding="none",
            findings=findings_text(()),
            refine=fenced(strip_invisible(run.refine)[0], material.delimiter),
        )
    else:
        prompt = prompts.render(prompts.load("spec/draft"), **material.inputs)
    asked = await ask(
        phase,
        Question("spec", "draft", prompt.system, prompt.user, DraftAnswer, lambda it: _spec(it, previous)),
    )
    ctx.rows.keep_config(run.repo.id, run.installation_id, run.repo.full_name, material.ground.config_text)
    number = len(run.revisions) + 1
    revision = Revision(
        number, asked.value, spec_comment.digest(asked.value), start.base_sha, asked.model, ctx.clock.stamp()
    )
    return SpecDrafted(revision, _foundation(phase, material.foundation, material.ground.problems), asked.micros)


def _spec(answer: DraftAnswer, previous: Revision | None) -> Spec | list[str]:
    return to_spec(answer, previous=previous.spec if previous else None)


def _foundation(phase: PhaseRun, read: Foundation, problems: tuple[str, ...]) -> Foundation:
    """What was read, with what the snapshot left out and what is wrong with agent.yml."""
    snapshot = snapshot_of(phase)
    hidden = sum(block.removed for block in snapshot.blocks)
    left = [*read.left_out, *snapshot.left_out, *(f"`.github/agent.yml`: {it}" for it in problems)]
    if hidden:
        left.append(f"{hidden} hidden characters in the issue's text")
    return replace(read, left_out=tuple(left))
