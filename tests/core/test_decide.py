"""What becomes of a run when somebody asks for something: every state, every intent."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import challenge as rules
from bot.core.advance import advance
from bot.core.decide import decide
from bot.core.events import Actor, RepoRef
from bot.core.intents import (
    AnswerQuestion,
    ApproveSpec,
    NotePullRequest,
    PauseRun,
    RefineSpec,
    ResumeRun,
    RetryRun,
    SayPlainly,
    ShowAnswer,
    StartRun,
    StopRun,
    Target,
    WaiveFinding,
)
from bot.core.planning import small_plan
from bot.core.results import (
    Delivered,
    PhaseHeld,
    Planned,
    SpecChallenged,
    SpecDrafted,
    TaskBlocked,
    TaskFinished,
    Verified,
)
from bot.core.review import Finding
from bot.core.run import (
    TERMINAL,
    AwaitingAnswer,
    AwaitingApproval,
    Done,
    Drafting,
    Failed,
    Foundation,
    InReview,
    Paused,
    Run,
    Stopped,
    Working,
)
from bot.core.spec import Assumption
from bot.core.transition import Transition, Unchanged, paid_key
from tests import samples

pytestmark = pytest.mark.fast
NOW = "2026-11-24T10:00:00Z"
REPO = RepoRef(7, "acme/shop", "main", private=False)


def to(*, comment: int | None = None, login: str = "maria") -> Target:
    return Target(
        "guid",
        1,
        REPO,
        42,
        Actor(3, login),
        comment_id=comment,
        created_at=NOW,
        issue_title="Consent",
        issue_author="maria",
    )


def moved(run: Run | None, intent, **more) -> Run:
    decision = decide(run, intent, now=NOW, **more)
    assert isinstance(decision, Transition)
    return decision.run


def finding(**changes) -> Finding:
    base = Finding(
        "F1", "major", "caching", "stale", "a request", "a.py", 3, "quote", verified=True, fingerprint="f" * 16
    )
    return replace(base, **changes)


def with_finding(**changes) -> Run:
    newest = samples.revision(1, by=samples.review(finding(**changes)))
    why = "the review still has 1 open finding: F1"
    return replace(samples.started(), revisions=(newest,), state=AwaitingApproval(why), phase=None)


def test_a_label_starts_a_run_at_its_draft():
    decision = decide(None, StartRun(to(), "full", "agent"), now=NOW)
    assert isinstance(decision, Transition)
    assert (decision.run.id, decision.run.state, decision.run.requester) == ("acme/shop-42-r1", Drafting(), "maria")
    assert [(it.phase, it.workflow_id, it.epoch) for it in decision.calls] == [("draft", "acme/shop-42-r1/draft/1", 1)]


def test_a_second_label_while_a_run_is_active_is_answered_and_starts_nothing():
    decision = decide(samples.working(), StartRun(to(), "full", "agent"), now=NOW)
    assert isinstance(decision, Transition)
    assert decision.calls == ()
    assert decision.run.said == "Run 1 is already active: the work is going on. Say `/agent stop` first to start over."


@pytest.mark.parametrize(
    "over", [samples.failed(), samples.stopped(), samples.done()], ids=["failed", "stopped", "done"]
)
def test_a_label_after_the_end_starts_the_next_run(over: Run):
    assert moved(over, StartRun(to(), "full", "agent")).id.endswith("-r2")


def test_the_same_comment_acts_once():
    first = moved(samples.working(), PauseRun(to(comment=9)))
    assert decide(first, ResumeRun(to(comment=9)), now=NOW) == Unchanged()


def test_a_bare_approval_means_the_newest_revision_published_before_the_comment():
    run = samples.awaiting_approval()
    run = replace(
        run, revisions=tuple(replace(it, published_at="2026-11-24T09:00:00Z", review=None) for it in run.revisions)
    )
    run = moved(run, ApproveSpec(to(comment=1)))
    assert run.state == Working()
    assert run.approved_sha256 == run.revisions[-1].sha256


def test_an_approval_from_before_the_publication_approves_nothing():
    run = samples.awaiting_approval()
    run = replace(run, revisions=tuple(replace(it, published_at="2026-11-24T10:00:01Z") for it in run.revisions))
    after = moved(run, ApproveSpec(to(comment=1)))
    assert after.state == run.state
    assert "No revision was published before that comment" in after.said


def test_an_approval_by_a_stale_hash_is_refused_with_the_newest_one():
    run = samples.awaiting_approval()
    after = moved(run, ApproveSpec(to(comment=1), "0000000"))
    assert after.state == run.state
    assert run.revisions[-1].sha256[:7] in after.said


def test_an_approval_over_an_open_blocking_finding_is_refused():
    run = with_finding()
    after = moved(run, ApproveSpec(to(comment=1), run.revisions[-1].sha256[:7]))
    assert isinstance(after.state, AwaitingApproval)
    assert "F1" in after.said


def test_waiving_the_last_blocking_finding_starts_the_work_under_a_name():
    after = moved(with_finding(), WaiveFinding(to(comment=1), "F1", "we accept it"))
    assert after.state == Working()
    review = after.revisions[-1].review
    assert review is not None
    assert review.findings[0].decision == "waived by @maria: we accept it"


def test_a_run_that_only_wants_a_spec_still_waits_after_the_last_waiver():
    after = moved(replace(with_finding(), mode="spec"), WaiveFinding(to(comment=1), "F1", "fine"))
    assert after.state == AwaitingApproval("every finding is settled")


def test_a_refine_stops_the_work_and_drafts_again():
    decision = decide(samples.working(), RefineSpec(to(comment=1), "smaller"), now=NOW)
    assert isinstance(decision, Transition)
    assert (decision.run.state, decision.cancel, decision.run.refine) == (Drafting(), True, "smaller")
    assert [it.phase for it in decision.calls] == ["draft"]
    assert decision.run.approved_sha256 == ""


def test_a_stop_cancels_and_keeps_the_branch_by_its_name():
    run = samples.working()
    decision = decide(run, StopRun(to(comment=1), "asked"), now=NOW)
    assert isinstance(decision, Transition)
    assert (decision.run.state, decision.cancel, decision.calls) == (Stopped("asked"), True, ())
    assert decision.run.lines == run.lines


def test_pause_and_resume_go_on_with_what_was_paid_for():
    run = samples.working()
    paused = moved(run, PauseRun(to(comment=1)))
    decision = decide(paused, ResumeRun(to(comment=2)), now=NOW)
    assert isinstance(decision, Transition)
    (again,) = decision.calls
    assert again.workflow_id.endswith("+1")
    assert paid_key(again) == again.workflow_id.removeprefix(f"{run.id}/").removesuffix("+1")


def test_a_retry_is_done_afresh():
    run = replace(samples.failed(), phase="draft")
    decision = decide(run, RetryRun(to(comment=2)), now=NOW)
    assert isinstance(decision, Transition)
    assert decision.calls[0].workflow_id.endswith(f"~{run.attempt + 1}")


def test_a_resume_does_not_lift_a_hold():
    held = replace(samples.working(), state=Paused("H1: protected", "/agent waive H1 <reason>"), phase="verify")
    assert moved(held, ResumeRun(to(comment=1))).state == held.state


def test_a_hold_is_released_by_name_and_with_a_reason():
    run = samples.in_review()
    line = replace(run.lines[0], state="verifying", flags=())
    held = replace(
        run, state=Paused("H1: protected", "/agent waive H1 <reason>"), phase="verify", lines=(line, *run.lines[1:])
    )
    after = moved(held, WaiveFinding(to(comment=1), "H1", "I asked for it"))
    assert after.state == Working()
    assert after.lines[0].flags == ("protected files released by @maria: I asked for it",)


def test_an_answer_to_the_last_open_assumption_drafts_again_with_it():
    run = samples.awaiting_answer()
    assert isinstance(run.state, AwaitingAnswer)
    for nth, key in enumerate(run.state.ids):
        run = moved(run, AnswerQuestion(to(comment=nth), key, "yes"))
    assert run.state == Drafting()
    assert "Answer: yes" in run.refine


def test_merging_the_last_pull_request_ends_the_run():
    run = samples.in_review()
    for line in run.lines:
        run = moved(run, NotePullRequest(to(), line.branch, "merged"))
    assert run.state == Done("the pull request was merged")


def test_an_issue_closed_by_its_merged_pull_request_is_done_whichever_news_comes_first():
    run = moved(samples.in_review(), StopRun(to(), "the issue was closed", closed=True))
    assert run.state == Done("the issue was closed")
    for line in run.lines:
        run = moved(run, NotePullRequest(to(), line.branch, "merged"))
    assert run.state == Done("the pull request was merged")


def test_the_skip_label_stops_a_run_in_review():
    assert moved(samples.in_review(), StopRun(to(), "skip")).state == Stopped("skip")


# ---- no way around the gate -----------------------------------------------------------------------------------------

SPEC = samples.spec()
SEVERITIES = ("blocker", "major", "minor")


def revisions(draw, run: Run) -> tuple:
    review = samples.review(
        *(
            finding(
                id=f"F{n}",
                severity=draw(st.sampled_from(SEVERITIES)),
                verified=draw(st.booleans()),
                status=draw(st.sampled_from(("open", "fixed"))),
                fingerprint=f"{n:016x}",
            )
            for n in range(1, draw(st.integers(1, 3)))
        )
    )
    return (*run.revisions[:-1], replace(run.revisions[-1], review=review))


@st.composite
def inputs(draw):
    """One thing that may happen next, whatever the state is."""
    comment = draw(st.integers(1, 10_000))
    at = to(comment=comment)
    return draw(
        st.sampled_from(
            (
                StartRun(at, "full"),
                StartRun(to(), "spec", "agent:spec"),
                RefineSpec(at, "text"),
                ApproveSpec(at),
                ApproveSpec(at, "1"),
                ApproveSpec(at, "2"),
                AnswerQuestion(at, "A1", "yes"),
                WaiveFinding(at, "F1", "r"),
                WaiveFinding(at, "F2", "r"),
                StopRun(at, "asked"),
                PauseRun(at),
                ResumeRun(at),
                RetryRun(at),
                RetryRun(at, "plan"),
                RetryRun(at, "work"),
                RetryRun(at, "verify"),
                ShowAnswer(at, "status"),
                SayPlainly(at, "sentence"),
                "phase ends",
                "phase is held",
            )
        )
    )


def result_of(draw, run: Run):
    """An honest result of the phase that the run stands at."""
    line = run.lines[0] if run.lines else None
    match run.phase:
        case "draft":
            number = len(run.revisions) + 1
            asks = (Assumption("A1", "which", reversible=False, needs_person=True),) if draw(st.booleans()) else ()
            made = samples.revision(number, of=replace(SPEC, assumptions=asks))
            return SpecDrafted(replace(made, sha256=f"{number:064x}", published_at=NOW), Foundation())
        case "challenge":
            reviewed = revisions(draw, run)
            blocking = rules.blocking(reviewed[-1].review, ("blocker", "major"))
            ids = tuple(it.id for it in blocking)
            return SpecChallenged(reviewed, not ids, ids, draw(st.booleans()), "openai/x", 1)
        case "plan":
            return Planned(small_plan(run.revisions[-1].spec), ("agent/42-consent",))
        case "work" if line:
            blocked = TaskBlocked(line.number, line.tasks[0].id, "which?", 1)
            done = TaskFinished(
                line.number, line.tasks[0].id, "a" * 40, 3, (), held=draw(st.sampled_from(((), (".github/x",))))
            )
            return draw(st.sampled_from((blocked, done)))
        case "verify" if line:
            return Verified(line.number, replace(samples.evidence(), sha=line.head_sha))
        case "deliver" if line:
            return Delivered(line.number, line.head_sha, 9, "url", ready=True)
        case _:
            return None


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_sequence_starts_work_on_a_spec_that_was_neither_clean_nor_approved(data: st.DataObject):
    run: Run | None = None
    for step in data.draw(st.lists(inputs(), min_size=1, max_size=25)):
        if step == "phase is held":
            if run is None or run.phase is None or not isinstance(run.state, Drafting | Working):
                continue
            into = data.draw(st.sampled_from(("Paused", "Failed")))
            transition = advance(run, PhaseHeld(into, "Something."), now=NOW)
        elif step == "phase ends":
            if run is None or not isinstance(run.state, Drafting | Working):
                continue
            result = result_of(data.draw, run)
            if result is None:
                continue
            transition = advance(run, result, now=NOW)
        else:
            decision = decide(run, step, now=NOW)
            if isinstance(decision, Unchanged):
                continue
            transition = decision
        before, run = run, transition.run
        # epochs only grow, and a terminal run starts no phase
        assert before is None or before.id != run.id or run.epoch >= before.epoch
        assert not (isinstance(run.state, TERMINAL) and transition.calls)
        for call in transition.calls:
            assert call.epoch == run.epoch
            if call.phase in ("plan", "work", "verify", "deliver"):
                newest = run.revisions[-1]
                assert run.approved_sha256 == newest.sha256
                assert rules.blocking(newest.review, ("blocker", "major")) == ()


@pytest.mark.parametrize(
    "state",
    [
        Drafting(),
        AwaitingAnswer(("A1",)),
        AwaitingApproval("x"),
        Working(),
        InReview(),
        Paused("x"),
        Done(),
        Stopped(),
        Failed("x"),
    ],
    ids=lambda it: it.kind,
)
@pytest.mark.parametrize(
    "intent",
    [
        StartRun(to(), "full", "agent"),
        RefineSpec(to(comment=1), "t"),
        ApproveSpec(to(comment=1)),
        AnswerQuestion(to(comment=1), "A9", "t"),
        WaiveFinding(to(comment=1), "F9", "t"),
        StopRun(to(), "closed"),
        PauseRun(to(comment=1)),
        ResumeRun(to(comment=1)),
        RetryRun(to(comment=1), "nonsense"),
        ShowAnswer(to(comment=1), "help"),
        NotePullRequest(to(), "agent/none", "merged"),
    ],
    ids=lambda it: type(it).__name__,
)
def test_every_intent_has_an_answer_in_every_state(state, intent):
    for run in (samples.started(), samples.reviewed(), samples.in_review()):
        decision = decide(replace(run, state=state), intent, now=NOW)
        assert isinstance(decision, Transition | Unchanged)
