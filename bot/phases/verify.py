"""Verify: the commands on a clean checkout of exactly the SHA that will be pushed. What a model said of its tests is not asked for."""

import re
from dataclasses import replace

from pydantic import TypeAdapter

from bot.agent.found_commands import counts, test_paths
from bot.core.advance import line_of
from bot.core.evidence import Evidence, Row, VerifyCommand, Where, result_of
from bot.core.results import Verified
from bot.phases.context import PhaseRun
from bot.phases.repo import Ground, ground
from bot.ports import SandboxRun

ROW = TypeAdapter(Row)
TAIL = 4_000
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


async def verify(phase: PhaseRun) -> Verified:
    """Evidence for the line's head: on the base (cached), on the head, and the base's tests on the head's code."""
    run = phase.run
    line = line_of(run, phase.call.line)
    here = await ground(phase, run.base_sha)
    tree = await phase.step("tree", str, lambda: _with_base_tests(phase, line.head_sha))
    rows: list[Row] = []
    for n, command in enumerate(here.commands):
        if here.config.verify.baseline:
            rows.append(await phase.step(f"base/{n}", Row, lambda command=command: _base(phase, command)))
        head = await phase.step(f"head/{n}", Row, lambda command=command: _run(phase, command, line.head_sha, "head"))
        rows.append(head)
        if tree:
            again = await phase.step(
                f"mixed/{n}", Row, lambda command=command: _run(phase, command, tree, "base tests on head")
            )
            rows.append(again)
        elif command_runs_tests(head):
            rows.append(replace(head, where="base tests on head"))
    return Verified(
        line.number,
        Evidence(
            sha=line.head_sha,
            tree=tree or line.head_sha,
            base_sha=run.base_sha,
            rows=tuple(rows) or (_none_found(here),),
            sandbox=phase.ctx.sandbox.level,
            result=result_of(tuple(rows)),
        ),
    )


def command_runs_tests(row: Row) -> bool:
    """Whether the base's tests are part of it: where no test file changed, the head's own row is that row too."""
    return row.counts is not None


def _none_found(here: Ground) -> Row:
    return Row(
        "tests", "", "head", None, 0.0, "", "", not_run="no test command is declared in agent.yml and none was found"
    )


async def _with_base_tests(phase: PhaseRun, head: str) -> str:
    """A commit of the head's code with the base's test files, or empty where no test file differs."""
    run, git, repo = phase.run, phase.ctx.git, phase.run.repo.full_name
    changed = test_paths([it.path for it in await git.diff(repo, run.base_sha, head)])
    if not changed:
        return ""
    tree = await git.overlay_tree(repo, head=head, base=run.base_sha, paths=changed)
    return await git.commit(
        repo, tree=tree, parents=[head], message="The base's tests on the new code\n", at=run.created_at
    )


async def _base(phase: PhaseRun, command: VerifyCommand) -> Row:
    """The base is proven once a command and sandbox level."""
    ctx, run = phase.ctx, phase.run
    key = f"{run.repo.id}/{run.base_sha}/{command.run}/{ctx.sandbox.level}"
    kept = ctx.rows.baseline(key)
    if kept is not None:
        return ROW.validate_json(kept)
    row = await _run(phase, command, run.base_sha, "base")
    ctx.rows.keep_baseline(key, ROW.dump_json(row).decode())
    return row


async def _run(phase: PhaseRun, command: VerifyCommand, sha: str, where: Where) -> Row:
    ctx, run = phase.ctx, phase.run
    key = f"{run.id}/verify/{where.replace(' ', '-')}/{sha[:12]}/{command.name[:20]}"
    checkout = await ctx.git.checkout(run.repo.full_name, sha, re.sub(r"[^\w./~-]", "-", key))
    try:
        done = await ctx.sandbox.run(
            SandboxRun(checkout, ("/bin/sh", "-c", command.run), timeout=float(command.timeout))
        )
    finally:
        await ctx.git.close(checkout)
    text = ESCAPES.sub("", done.output.decode("utf-8", "replace"))
    missing = done.exit_code == 127 or (done.exit_code == 126 and not text.strip())
    return Row(
        name=command.name,
        command=command.run,
        where=where,
        exit_code=None if missing else done.exit_code,
        seconds=round(done.seconds, 2),
        output_sha256=done.output_sha256,
        output_tail=text[-TAIL:],
        counts=counts(text),
        not_run=f"the command was not found: {text.strip().splitlines()[-1][:160]}" if missing and text.strip() else "",
        timed_out=done.killed == "timeout",
        declared=command.declared,
    )
