"""What becomes of a run when a person or GitHub asks for something. Pure; who may ask was checked before. Late input never raises."""

from dataclasses import replace
from typing import assert_never

from bot.core.advance import RELEASE, enter, open_assumptions, start_work, with_line
from bot.core.ids import run_id
from bot.core.intents import (
    AnswerQuestion,
    ApproveSpec,
    NotePullRequest,
    PauseRun,
    RefineSpec,
    Republish,
    ResumeRun,
    RetryRun,
    RunIntent,
    SayPlainly,
    ShowAnswer,
    StartRun,
    StopRun,
    WaiveFinding,
)
from bot.core.review import Finding
from bot.core.run import (
    TERMINAL,
    AwaitingAnswer,
    AwaitingApproval,
    Done,
    Drafting,
    Failed,
    InReview,
    Paused,
    Phase,
    Revision,
    Run,
    Stopped,
    Working,
)
from bot.core.text import answers
from bot.core.text.help import help_text
from bot.core.transition import Transition, Unchanged, logged

Decision = Transition | Unchanged


def decide(run: Run | None, intent: RunIntent, *, now: str) -> Decision:
    """The newest run of the issue (or none) and one intent in; a transition or `Unchanged` out."""
    if isinstance(intent, StartRun):
        return _start(run, intent, now)
    if run is None:
        return Unchanged(_without_run(intent))
    if intent.to.comment_id is not None and intent.to.comment_id in run.acted_comments:
        return Unchanged()
    decision = _on_run(run, intent, now)
    if isinstance(decision, Transition) and intent.to.comment_id is not None:
        acted = (*decision.run.acted_comments, intent.to.comment_id)
        return replace(decision, run=replace(decision.run, acted_comments=acted[-500:]))
    return decision


def _on_run(run: Run, intent: RunIntent, now: str) -> Decision:
    match intent:
        case RefineSpec():
            return _refine(run, intent, now)
        case ApproveSpec():
            return _approve(run, intent, now)
        case AnswerQuestion():
            return _answer(run, intent, now)
        case WaiveFinding():
            return _waive(run, intent, now)
        case StopRun():
            return _stop(run, intent, now)
        case PauseRun():
            return _pause(run, intent, now)
        case ResumeRun():
            return _resume(run, intent, now)
        case RetryRun():
            return _retry(run, intent, now)
        case ShowAnswer(topic="status"):
            return Transition(replace(run, said=""))
        case ShowAnswer():
            return Transition(replace(run, said=help_text()))
        case SayPlainly(sentence=sentence, confused=confused):
            return Transition(replace(run, said=sentence), confused=confused)
        case NotePullRequest():
            return _pull_request(run, intent, now)
        case Republish():
            return Transition(run)
        case StartRun():
            return Unchanged()
        case _:
            assert_never(intent)


def _without_run(intent: RunIntent) -> str:
    match intent:
        case SayPlainly(sentence=sentence):
            return sentence
        case ShowAnswer(topic="help"):
            return help_text()
        case NotePullRequest() | Republish():
            return ""
        case StopRun() if intent.to.comment_id is None:
            return ""
        case _:
            return answers.no_run_yet()


def _say(run: Run, sentence: str) -> Transition:
    """Refuse in one sentence, shown in the status comment; nothing else changes."""
    return Transition(replace(run, said=sentence), confused=True)


def _start(run: Run | None, intent: StartRun, now: str) -> Decision:
    to = intent.to
    if run is not None and not isinstance(run.state, TERMINAL):
        if to.comment_id is not None and to.comment_id in run.acted_comments:
            return Unchanged()
        if isinstance(run.state, AwaitingApproval | AwaitingAnswer) and not intent.label:
            again = logged(run, "spec asked for again", now=now, who=f"@{to.actor.login}")
            acted = (*run.acted_comments, to.comment_id) if to.comment_id is not None else run.acted_comments
            again = replace(again, attempt=run.attempt + 1, said="", acted_comments=acted)
            return replace(enter(again, Drafting(), "draft"), cancel=True)
        return _say(run, answers.already_active(run))
    if run is not None and to.comment_id is not None and to.comment_id in run.acted_comments:
        return Unchanged()
    number = run.number + 1 if run else 1
    how = f"labelled `{intent.label}` (write permission checked)" if intent.label else "asked with `/agent spec`"
    fresh = Run(
        id=run_id(to.repo.full_name, to.number, number),
        repo=to.repo,
        installation_id=to.installation_id,
        issue=to.number,
        issue_title=to.issue_title,
        issue_author=to.issue_author,
        number=number,
        mode=intent.mode,
        requester=to.actor.login,
        state=Drafting(),
        created_at=now,
        epoch=0,
        base_ref=to.repo.default_branch,
        acted_comments=((to.comment_id,) if to.comment_id is not None else ()),
    )
    return enter(logged(fresh, how, now=now, who=f"@{to.actor.login}"), Drafting(), "draft")


def _refine(run: Run, intent: RefineSpec, now: str) -> Decision:
    if isinstance(run.state, Done | Stopped):
        return _say(run, answers.over(run))
    if isinstance(run.state, InReview):
        return _say(run, answers.refine_in_review())
    if run.revision is None and isinstance(run.state, Failed):
        return _say(run, answers.nothing_to_refine())
    run = logged(run, "refine", now=now, who=f"@{intent.to.actor.login}")
    run = replace(run, refine=intent.text, approved_sha256="", plan=None, lines=(), attempt=run.attempt + 1, said="")
    return replace(enter(run, Drafting(), "draft"), cancel=True)


def _open_blocking(revision: Revision) -> tuple[Finding, ...]:
    if revision.review is None:
        return ()
    return tuple(
        it
        for it in revision.review.findings
        if it.status == "open" and it.verified and it.severity in ("blocker", "major")
    )


def _named(run: Run, intent: ApproveSpec) -> Revision | None:
    """The revision that an approval means: by number, by hash prefix, or the newest published before the comment."""
    if intent.ref.isdigit() and len(intent.ref) < 7:
        return next((it for it in run.revisions if it.number == int(intent.ref)), None)
    if intent.ref:
        return next((it for it in run.revisions if it.sha256.startswith(intent.ref.lower())), None)
    before = [it for it in run.revisions if it.published_at and it.published_at <= intent.to.created_at]
    return before[-1] if before else None


def _approve(run: Run, intent: ApproveSpec, now: str) -> Decision:
    if not isinstance(run.state, AwaitingApproval):
        return _say(run, answers.nothing_to_approve(run))
    newest, named = run.revision, _named(run, intent)
    if named is None or newest is None or named.sha256 != newest.sha256:
        return _say(run, answers.stale_approval(intent.ref, newest))
    if blocking := _open_blocking(newest):
        return _say(run, answers.blocked_approval(tuple(it.id for it in blocking)))
    who = intent.to.actor.login
    approved = replace(newest, approved_by=who)
    run = replace(run, revisions=(*run.revisions[:-1], approved), approved_sha256=approved.sha256, said="")
    run = logged(run, f"revision {approved.number} (`{approved.sha256[:7]}`) approved", now=now, who=f"@{who}")
    return start_work(run, now)


def _answer(run: Run, intent: AnswerQuestion, now: str) -> Decision:
    if not isinstance(run.state, AwaitingAnswer) or intent.id.upper() not in run.state.ids:
        return _say(run, answers.nothing_to_answer(run, intent.id))
    key, who = intent.id.upper(), f"@{intent.to.actor.login}"
    run = logged(run, f"{key} answered", now=now, who=who)
    if key.startswith("Q"):
        run = replace(run, answers=(*run.answers, intent.text), resumes=run.resumes + 1, said="")
        line = next(it for it in run.lines if it.state == "working")
        task = next(it for it in line.tasks if it.state != "done")
        return enter(run, Working(), "work", line=line.number, task=task.id)
    newest = run.revisions[-1]
    settled = tuple(replace(it, answer=intent.text) if it.id == key else it for it in newest.spec.assumptions)
    newest = replace(newest, spec=replace(newest.spec, assumptions=settled))
    run = replace(run, revisions=(*run.revisions[:-1], newest))
    if waiting := open_assumptions(run):
        return Transition(replace(run, state=AwaitingAnswer(waiting)))
    given = "\n".join(f"{it.id}: {it.text}\nAnswer: {it.answer}" for it in settled if it.answer)
    run = replace(run, refine=f"Answers to open assumptions:\n{given}", attempt=run.attempt + 1, said="")
    return enter(run, Drafting(), "draft")


def _waive(run: Run, intent: WaiveFinding, now: str) -> Decision:
    key, who = intent.id.upper(), intent.to.actor.login
    if key == "H1":
        return _release(run, intent, now)
    newest = run.revision
    review = newest.review if newest else None
    if newest is None or review is None or not any(it.id == key and it.status == "open" for it in review.findings):
        return _say(run, answers.nothing_to_waive(key))
    decision = f"waived by @{who}: {intent.reason}"
    findings = tuple(replace(it, status="waived", decision=decision) if it.id == key else it for it in review.findings)
    newest = replace(newest, review=replace(review, findings=findings))
    run = logged(
        replace(run, revisions=(*run.revisions[:-1], newest), said=""), f"{key} waived", now=now, who=f"@{who}"
    )
    if not isinstance(run.state, AwaitingApproval):
        return Transition(run)
    if left := _open_blocking(newest):
        some = "1 open finding" if len(left) == 1 else f"{len(left)} open findings"
        return Transition(
            replace(run, state=AwaitingApproval(f"the review still has {some}: {', '.join(it.id for it in left)}"))
        )
    if run.mode == "full" and run.state.why.startswith("the review"):
        return start_work(replace(run, approved_sha256=newest.sha256), now)
    return Transition(replace(run, state=AwaitingApproval("every finding is settled")))


def _release(run: Run, intent: WaiveFinding, now: str) -> Decision:
    """Lift the hold on protected files: by name and with a reason, shown in the pull request."""
    if not isinstance(run.state, Paused) or run.state.verb != RELEASE:
        return _say(run, answers.nothing_held())
    who = f"@{intent.to.actor.login}"
    run = logged(run, "H1 released", now=now, who=who)
    flag = f"protected files released by {who}: {intent.reason}"
    lines = tuple(
        replace(it, flags=(*it.flags, flag)) if it.state in ("working", "verifying") else it for it in run.lines
    )
    return _again(replace(run, lines=lines, resumes=run.resumes + 1), run.phase or "verify")


def _stop(run: Run, intent: StopRun, now: str) -> Decision:
    if isinstance(run.state, TERMINAL):
        return _say(run, answers.over(run)) if intent.to.comment_id is not None else Unchanged()
    if isinstance(run.state, InReview) and intent.closed:
        return _closed_in_review(run, intent, now)
    run = logged(run, f"stopped: {intent.why}", now=now, who=f"@{intent.to.actor.login}")
    run = replace(run, state=Stopped(intent.why), epoch=run.epoch + 1, said="")
    return Transition(run, cancel=True)


def _closed_in_review(run: Run, intent: StopRun, now: str) -> Transition:
    """Merging a pull request that fixes the issue closes it too, and either news may come first: the work is done, not stopped."""
    run = logged(run, f"ended: {intent.why}", now=now, who=f"@{intent.to.actor.login}")
    return Transition(replace(run, state=Done(intent.why), epoch=run.epoch + 1, phase=None, said=""))


def _pause(run: Run, intent: PauseRun, now: str) -> Decision:
    if not isinstance(run.state, Drafting | Working):
        return _say(run, answers.nothing_to_pause(run))
    was = "Drafting" if isinstance(run.state, Drafting) else "Working"
    who = intent.to.actor.login
    run = logged(run, "paused", now=now, who=f"@{who}")
    run = replace(run, state=Paused(f"Paused by @{who}.", was=was), epoch=run.epoch + 1, said="")
    return Transition(run, cancel=True)


def _again(run: Run, phase: Phase) -> Transition:
    """Start `phase` once more; line and task are those that the run stands at."""
    run = replace(run, said="")
    spec_phase = phase in ("draft", "challenge")
    line = next((it for it in run.lines if it.state not in ("merged", "closed", "in review")), None)
    if spec_phase or phase == "plan" or line is None:
        return enter(run, Drafting() if spec_phase else Working(), phase)
    task = next((it.id for it in line.tasks if it.state != "done"), line.tasks[-1].id)
    return enter(run, Working(), phase, line=line.number, task=task if phase == "work" else "")


def _resume(run: Run, intent: ResumeRun, now: str) -> Decision:
    if not isinstance(run.state, Paused):
        return _say(run, answers.nothing_to_resume(run)) if intent.to.actor.login else Unchanged()
    if run.state.verb == RELEASE:
        return _say(run, answers.still_held())
    drafting = run.state.was == "Drafting"
    who = f"@{intent.to.actor.login}" if intent.to.actor.login else ""
    run = logged(run, "resumed", now=now, who=who)
    return _again(replace(run, resumes=run.resumes + 1), run.phase or ("draft" if drafting else "plan"))


RETRY_FROM: dict[str, Phase] = {
    "draft": "draft",
    "spec": "draft",
    "challenge": "challenge",
    "plan": "plan",
    "work": "work",
    "verify": "verify",
}


def _retry(run: Run, intent: RetryRun, now: str) -> Decision:
    red = isinstance(run.state, InReview) and run.state.red
    if not isinstance(run.state, Failed | Stopped) and not red:
        return _say(run, answers.nothing_to_retry(run))
    wanted = intent.from_phase.lower()
    if wanted and wanted not in RETRY_FROM:
        return _say(run, answers.unknown_phase(wanted, tuple(RETRY_FROM)))
    fallback: Phase = "work" if run.lines else "draft"
    phase: Phase = RETRY_FROM[wanted] if wanted else (run.phase or fallback)
    if phase == "challenge" and not run.revisions:
        phase = "draft"
    if phase in ("plan", "work", "verify", "deliver") and not _has_start(run, phase):
        return _say(run, answers.retry_too_far(phase))
    run = logged(run, f"retried from {phase}", now=now, who=f"@{intent.to.actor.login}")
    if phase == "work":
        lines = tuple(
            replace(it, state="working", flags=(), tasks=tuple(replace(t, state="waiting") for t in it.tasks))
            if it.state not in ("merged", "closed")
            else it
            for it in run.lines
        )
        run = replace(run, lines=lines)
    elif phase == "verify":
        lines = tuple(
            replace(it, state="verifying") if it.state not in ("merged", "closed") else it for it in run.lines
        )
        run = replace(run, lines=lines)
    return _again(replace(run, attempt=run.attempt + 1), phase)


def _has_start(run: Run, phase: Phase) -> bool:
    """Work needs an approved spec and a plan, verifying needs a commit."""
    if phase == "plan":
        return bool(run.approved_sha256)
    if phase == "work":
        return bool(run.lines and run.approved_sha256)
    return any(it.head_sha for it in run.lines)


def _pull_request(run: Run, intent: NotePullRequest, now: str) -> Decision:
    line = next((it for it in run.lines if it.branch == intent.head_ref and it.pull_number), None)
    if line is None:
        return Unchanged()
    who = f"@{intent.to.actor.login}"
    match intent.what:
        case "merged" | "closed" if line.state == "in review":
            run = with_line(run, replace(line, state=intent.what))
            run = logged(run, f"pull request #{line.pull_number} {intent.what}", now=now, who=who)
            if all(it.state in ("merged", "closed") for it in run.lines) and isinstance(run.state, InReview | Done):
                how = "merged" if any(it.state == "merged" for it in run.lines) else "closed without merging"
                why = f"the pull request was {how}" if len(run.lines) == 1 else f"the pull requests were {how}"
                return Transition(replace(run, state=Done(why), epoch=run.epoch + 1, phase=None))
            return Transition(run)
        case "labeled" if intent.label == "agent:skip":
            return _stop(run, StopRun(intent.to, "the label `agent:skip` was put on its pull request"), now)
        case _:
            return Unchanged()
