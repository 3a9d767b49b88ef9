"""`journeyman demo`: the whole loop on this machine, without keys. The models are played by a script; everything else is real."""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from bot.core.budget import dollars
from bot.core.run import Done, Failed, InReview, Paused, Run, Stopped
from bot.playground.judging import judge
from bot.playground.samples import load
from bot.playground.samples.sample import Sample
from bot.playground.stage import Stage, StageProblem, scratch
from bot.playground.vendor import ANTHROPIC_KEY, OPENAI_KEY, start_vendor
from bot.ports import UserFacing
from bot.store import runs
from bot.store.database import open_database

Say = Callable[[str], None]
RUN_SECONDS = 300.0
PERSON = "maria"


def run_demo(target: str, *, keep: bool, say: Say) -> int:
    """Play the target from label to pull request; 0 when it ended in a ready pull request with passing evidence."""
    sample = load(target)
    say(f"Journeyman demo: {sample.repo}, “{sample.title}”")
    say(
        "Both models are played by a script, GitHub by a stand-in; the machine is real: spec, rival review, sandboxed work, evidence."
    )
    if os.environ.get("ANTHROPIC_API_KEY") or os.environ.get("OPENAI_API_KEY"):
        say("Your model keys are not used here; `journeyman try --repo PATH --issue FILE` uses them.")
    vendor = start_vendor(sample.policy)
    keys = {
        "ANTHROPIC_API_KEY": ANTHROPIC_KEY,
        "ANTHROPIC_BASE_URL": vendor.url_anthropic,
        "OPENAI_API_KEY": OPENAI_KEY,
        "OPENAI_BASE_URL": vendor.url_openai,
    }
    try:
        with scratch("journeyman-demo-") as directory:
            say("Starting the stand-in, `journeyman serve` and its sandbox, all on 127.0.0.1 …\n")
            with Stage(directory, keys, unsandboxed=not sandbox_works(directory, say)) as stage:
                code = _play(stage, sample, say)
                _close(stage, sample, keep=keep, say=say)
                return code
    except StageProblem as problem:
        raise UserFacing(str(problem), verb="") from None
    finally:
        vendor.stop()


def sandbox_works(directory: Path, say: Say) -> bool:
    """Whether bubblewrap holds here; where it doesn't, say so and go on: the demo runs our own script."""
    import asyncio

    from bot.sandbox.probes import choose

    home = directory / "probe"
    home.mkdir()
    try:
        asyncio.run(choose("auto", home, uid=61_743))
    except UserFacing as problem:
        say(f"No sandbox here, so the demo goes on without one (it runs only our own script): {problem}")
        return False
    return True


def _play(stage: Stage, sample: Sample, say: Say) -> int:
    owner = sample.repo.split("/")[0]
    hub = stage.hub
    hub.create_user(PERSON)
    hub.create_repo(sample.repo, default_branch=sample.default_branch, files=sample.files)
    hub.add_collaborator(sample.repo, PERSON, "write")
    hub.install(stage.app, owner)
    issue = hub.open_issue(sample.repo, PERSON, sample.title, sample.body)
    say(f"issue   {hub.url}/{sample.repo}/issues/{issue.number}")
    hub.label(sample.repo, issue.number, "agent", by=PERSON)
    say(f"label   `agent`, put on by @{PERSON}\n")
    run = follow(stage, say)
    return _conclude(stage, sample, run, say)


def follow(stage: Stage, say: Say, *, seconds: float = RUN_SECONDS) -> Run:
    """Show the run's log as it grows, until it rests. Raises UserFacing when it takes longer than `seconds`."""
    database = open_database(f"sqlite:///{stage.home / 'journeyman.db'}")
    begin, shown = time.monotonic(), 0
    while time.monotonic() - begin < seconds:
        run, micros = _newest(database)
        if run is not None:
            for line in run.log[shown:]:
                who = f" · {line.who}" if line.who else ""
                cost = f" · {dollars(line.micros)}" if line.micros else ""
                say(f"{time.monotonic() - begin:5.1f} s  {line.what}{who}{cost}")
            shown = len(run.log)
            if isinstance(run.state, InReview | Paused | Failed | Stopped | Done) or run.phase is None:
                say(
                    f"{time.monotonic() - begin:5.1f} s  {words(run)}; model calls cost {dollars(micros)} by list price"
                )
                return run
        time.sleep(0.2)
    raise UserFacing(f"The run did not come to rest within {seconds:.0f} s:\n{stage.server.output()}", verb="")


def words(run: Run) -> str:
    """Where the run came to rest, as one says it: `in review`, `awaiting answer`."""
    spaced = "".join(f" {it.lower()}" if it.isupper() else it for it in run.state.kind)
    return spaced.strip()


def _newest(database: sa.Engine) -> tuple[Run | None, int]:
    with database.connect() as conn:
        doc = conn.execute(sa.text("select doc from run order by rowid desc limit 1")).scalar()
        if doc is None:
            return None, 0
        run = runs.decode(doc)
        return run, runs.spend(conn, run.id).micros


def _conclude(stage: Stage, sample: Sample, run: Run, say: Say) -> int:
    if not isinstance(run.state, InReview) or not run.lines:
        reason = getattr(run.state, "reason", "") or getattr(run.state, "why", "")
        say(f"\nThe run came to rest {words(run)}: {reason}")
        say(stage.server.output())
        return 1
    line = run.lines[0]
    pull = _published(stage, sample.repo, line.pull_number)
    say(
        f"\npull request  {stage.hub.url}/{sample.repo}/pull/{line.pull_number} ({'draft' if pull.draft else 'ready for review'})\n"
    )
    say(_diff(stage, sample, line.branch))
    say(_verified(pull.issue.body or ""))
    judged = judge(stage.hub, sample, line.branch, say)
    green = line.evidence is not None and line.evidence.result == "PASS"
    return 0 if green and judged and not pull.draft else 1


def _published(stage: Stage, repo: str, number: int, *, seconds: float = 30.0):
    """The pull request once the publisher has made it equal to the run: ready, with its check."""
    end = time.monotonic() + seconds
    pull = stage.hub.pull(repo, number)
    while pull.draft and time.monotonic() < end:
        time.sleep(0.2)
        pull = stage.hub.pull(repo, number)
    return pull


def _diff(stage: Stage, sample: Sample, branch: str) -> str:
    path = stage.hub.repo(sample.repo).git.path
    done = subprocess.run(
        ["git", "-C", str(path), "diff", f"{sample.default_branch}...{branch}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def _verified(body: str) -> str:
    """The evidence section of the pull request, as published."""
    start = body.find("### How it was verified")
    end = body.find("\n### ", start + 4)
    return body[start:end].strip() if start >= 0 else body


def _close(stage: Stage, sample: Sample, *, keep: bool, say: Say) -> None:
    if not keep:
        say(
            "\nThe addresses above end with this demo; `.venv/bin/journeyman demo --keep` leaves them up to click through."
        )
        return
    say(f"\nEverything stays up: {stage.hub.url}/{sample.repo} · Ctrl-C ends it.")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)
    say("")
