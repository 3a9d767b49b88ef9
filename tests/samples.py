"""A run as it moves from label to merge, for any test that needs a realistic one."""

from dataclasses import replace

from bot.core.budget import Spend, Usage
from bot.core.events import RepoRef
from bot.core.evidence import Counts, Evidence, Row
from bot.core.ids import run_id
from bot.core.plan import LineOfWork, Plan, Task
from bot.core.review import Finding, Review
from bot.core.run import (
    AwaitingAnswer,
    AwaitingApproval,
    DiffStat,
    Done,
    Drafting,
    Failed,
    Foundation,
    InReview,
    Line,
    LogLine,
    Paused,
    Revision,
    Run,
    Stopped,
    TaskState,
    Working,
)
from bot.core.spec import Assumption, Change, Convention, Criterion, Requirement, Risk, Spec
from bot.core.text.problems import nothing_changed
from bot.core.text.spec_comment import digest
from bot.core.view import Progress, Snapshot

BASE_SHA = "9f3e2101c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f7"
HEAD_SHA = "51c0de7a2b3c4d5e6f708192a3b4c5d6e7f80912"
TREE = "77aa01b2c3d4e5f60718293a4b5c6d7e8f901a2b"
REPO = RepoRef(id=7001, full_name="acme/shop", default_branch="main", private=True)
NOW = "2026-11-24T09:35:02Z"
CAP = 5_000_000


def spec(**changes: object) -> Spec:
    """The consent form's spec, every section filled."""
    whole = Spec(
        title="Consent on the contact form",
        tldr="The contact form asks for consent and keeps a record of it; no lead is stored without it.",
        problem="Leads are stored without consent, so sales may not call them.",
        non_goals=("Double opt-in e-mails", "Importing old leads"),
        requirements=(
            Requirement(
                "R1",
                "WHEN a visitor submits the form with consent, the system SHALL store one lead.",
                (Criterion("AC1.1", "one row in `leads`"), Criterion("AC1.2", "a second submit updates it")),
                "issue",
            ),
            Requirement(
                "R2",
                "IF consent is not given, THEN the system SHALL answer 422 and store nothing.",
                (Criterion("AC2.1", "no row in any table"),),
                "convention",
                "AGENTS.md:41",
            ),
        ),
        modules="`shop/leads` (route and command), `shop/consent` (new).",
        data_model="`consents(id, lead_id, text_version, given_at)`, unique on (`lead_id`, `text_version`).",
        routes="`POST /leads` (202, 422).",
        events="`lead.created`, once, after commit.",
        rbac="none, because the route is public and grants nothing.",
        caching="none, because the page is not cached.",
        edge_cases="Double click: the second submit updates the first.",
        consent_privacy="Opt-in unchecked by default; the text version is stored.",
        migration="One additive table.",
        rollback="Switch `leads.form` off.",
        changes=(
            Change("shop/consent.py", "create", "the record"),
            Change("shop/leads.py", "modify", "refuse without consent"),
        ),
        risks=(Risk("Spam through the public route", "medium", "rate limit of 5 a minute"),),
        verification=("pytest -q",),
        assumptions=(Assumption("A1", "the form keeps its address", reversible=True, needs_person=False),),
        conventions=(Convention("routes answer JSON", "AGENTS.md:12", "met by R2"),),
    )
    return replace(whole, **changes)


FIXED = Finding(
    id="F1",
    severity="blocker",
    dimension="consent flow",
    claim="The lead is written before consent is checked.",
    scenario="Untick the box and submit: a row is stored.",
    path="shop/leads.py",
    line=27,
    quote="leads.add(form)",
    verified=True,
    fingerprint="f-1",
    status="fixed",
    decision="R2 added",
)
REJECTED = replace(
    FIXED,
    id="F2",
    severity="minor",
    dimension="simplicity",
    claim="`contacts` could be reused.",
    scenario="",
    path="shop/contacts.py",
    line=12,
    quote="",
    fingerprint="f-2",
    status="rejected",
    decision="contacts have no purpose field",
)
OPEN = replace(
    FIXED,
    id="F3",
    severity="major",
    dimension="caching",
    claim="A new consent text is served stale.",
    scenario="",
    line=0,
    path="",
    quote="the page is not cached",
    fingerprint="f-3",
    status="open",
    decision="",
)


def review(*findings: Finding, rounds: int = 2) -> Review:
    return Review(findings or (FIXED, REJECTED), rounds=rounds, vendor="openai", same_vendor=False)


def revision(number: int = 1, *, of: Spec | None = None, by: Review | None = None) -> Revision:
    text = of or spec()
    return Revision(
        number=number,
        spec=text,
        sha256=digest(text),
        base_sha=BASE_SHA,
        author_model="anthropic/claude-opus-5-5",
        drafted_at="2026-11-24T09:15:31Z",
        review=by,
    )


LOG = (
    LogLine("2026-11-24T09:14:02Z", "labelled `agent` (write permission checked)", "maria"),
    LogLine("2026-11-24T09:15:31Z", "spec revision 1 drafted", "anthropic/claude-opus-5-5", 310_000),
    LogLine("2026-11-24T09:16:44Z", "review round 1: 1 blocker, 1 minor", "openai/gpt-6.2-sol", 120_000),
)
SPEND = Spend(
    micros=2_310_000,
    calls=99,
    turns=94,
    usage=Usage(input=30_000, cache_read=1_000_000, cache_write=40_000, output=30_000),
    by_role=(
        ("spec", "anthropic/claude-opus-5-5", 590_000),
        ("review", "openai/gpt-6.2-sol", 120_000),
        ("work", "anthropic/claude-sonnet-5-5", 1_600_000),
    ),
)


def started() -> Run:
    """The label was just put on."""
    return Run(
        id=run_id("acme/shop", 42, 1),
        repo=REPO,
        installation_id=99,
        issue=42,
        issue_title="Consent on the contact form",
        issue_author="maria",
        number=1,
        mode="full",
        requester="maria",
        state=Drafting(),
        created_at="2026-11-24T09:14:02Z",
        base_ref="main",
        base_sha=BASE_SHA,
        log=LOG[:1],
        sandbox="L2 bubblewrap",
        models=(("spec", "anthropic/claude-opus-5-5"), ("review", "openai/gpt-6.2-sol")),
    )


def reviewed() -> Run:
    """Revision 2 came out clean; planning is next."""
    first = revision(1, of=spec(requirements=spec().requirements[:1], events="none, because nobody listens."))
    return replace(
        started(),
        state=Working(),
        phase="plan",
        revisions=(
            replace(first, review=review(replace(FIXED, status="open", decision=""), rounds=1)),
            revision(2, by=review()),
        ),
        foundation=Foundation(
            ("AGENTS.md", "shop/leads.py"), 8_214, (), ("1 comment by a person without write permission",)
        ),
        log=LOG,
    )


def awaiting_approval() -> Run:
    """A major finding is still open after three rounds."""
    return replace(
        reviewed(),
        state=AwaitingApproval("the review still has 1 open finding"),
        phase=None,
        revisions=(revision(1, by=review(FIXED, OPEN, rounds=3)),),
    )


def awaiting_answer() -> Run:
    """The spec can't go on without a person's word on A1."""
    asked = spec(assumptions=(Assumption("A1", "consent is kept for 24 months", reversible=False, needs_person=True),))
    return replace(
        reviewed(), state=AwaitingAnswer(("A1",)), phase=None, revisions=(revision(1, of=asked, by=review()),)
    )


PLAN = Plan(
    (
        LineOfWork(
            1,
            "Consent on the contact form",
            (
                Task("t1", "consent record", "Keep the record.", ("R1",), ("shop/consent.py",)),
                Task("t2", "refuse without consent", "Answer 422.", ("R2",), ("shop/leads.py",), depends_on=("t1",)),
            ),
        ),
    )
)
BRANCH = "agent/42-consent-on-the-contact-form"


def working() -> Run:
    """One of two tasks is done, the other under way."""
    tasks = (
        TaskState("t1", "consent record", "done", "e41f9aa0b1c2d3e4f5061728394a5b6c7d8e9f00", 33),
        TaskState("t2", "refuse without consent", "working"),
    )
    return replace(
        reviewed(),
        phase="work",
        approved_sha256=digest(spec()),
        plan=PLAN,
        lines=(Line(1, "Consent on the contact form", BRANCH, "working", tasks=tasks),),
    )


def rows(*, red: bool = False) -> tuple[Row, ...]:
    """Unit tests on base and head, the base's tests on the new code, and a command that could not be run."""
    unit = Row("unit", "pytest -q", "head", 0, 48.2, "aa" * 32, "14 passed", Counts(14, 0), declared=True)
    if red:
        unit = replace(
            unit, exit_code=1, output_tail="E   assert 200 == 422\n1 failed, 13 passed", counts=Counts(13, 1)
        )
    return (
        unit,
        Row("unit", "pytest -q", "base", 0, 44.0, "bb" * 32, "12 passed", Counts(12, 0), declared=True),
        Row("unit", "pytest -q", "base tests on head", 0, 45.0, "cc" * 32, "12 passed", Counts(12, 0), declared=True),
        Row("load", "make bench", "head", None, 0.0, "", "", not_run="not declared in agent.yml", declared=False),
    )


def evidence(*, red: bool = False) -> Evidence:
    return Evidence(HEAD_SHA, TREE, BASE_SHA, rows(red=red), "L2 bubblewrap", "FAIL" if red else "PASS")


DIFF = (
    DiffStat("shop/consent.py", "added", 60, 0),
    DiffStat("shop/leads.py", "modified", 12, 3),
    DiffStat("tests/test_consent.py", "added", 44, 0),
)


def in_review(*, red: bool = False) -> Run:
    """The pull request is open: green and ready, or red and a draft."""
    run = working()
    tasks = (
        run.lines[0].tasks[0],
        replace(
            run.lines[0].tasks[1],
            state="done",
            sha=HEAD_SHA,
            turns=61,
            deviations=("The form answers 422 in JSON, not in HTML.",),
        ),
    )
    line = replace(
        run.lines[0],
        state="in review",
        head_sha=HEAD_SHA,
        tasks=tasks,
        diff=DIFF,
        evidence=evidence(red=red),
        pull_number=57,
        pull_url="https://github.com/acme/shop/pull/57",
        ready=not red,
    )
    log = (*LOG, LogLine("2026-11-24T09:35:00Z", "pull request #57 opened"))
    return replace(run, state=InReview(red=red), phase=None, lines=(line,), log=log)


def failed() -> Run:
    """The worker changed nothing."""
    log = (*LOG, LogLine("2026-11-24T09:30:00Z", "the work ended without a change"))
    return replace(working(), state=Failed(nothing_changed()), log=log)


def paused() -> Run:
    """A vendor refuses our key."""
    return replace(
        working(),
        state=Paused(
            "Anthropic refuses the key. Put a working key where Journeyman runs, restart it and say `/agent resume`."
        ),
    )


def stopped() -> Run:
    return replace(working(), state=Stopped("maria stopped it"), phase=None)


def done() -> Run:
    """The pull request was merged."""
    run = in_review()
    return replace(run, state=Done("the pull request was merged"), lines=(replace(run.lines[0], state="merged"),))


def snapshot(run: Run, *progress: Progress, spend: Spend = SPEND) -> Snapshot:
    return Snapshot(run=run, spend=spend, progress=progress, cap_micros=CAP, now=NOW, me="journeyman")
