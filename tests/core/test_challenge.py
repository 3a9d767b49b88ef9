"""What blocks is decided by code: a quote that is there, a scenario, and a state that nobody can talk away."""

from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import answers, challenge
from bot.core.review import Finding, FindingStatus, Review, Severity

pytestmark = pytest.mark.fast

FILE = "\n".join(["import x"] * 20 + ["const tenant =   req.headers.host;", "use(tenant)"] + ["// end"] * 30)
SPEC = "R1: WHEN a visitor submits, the system SHALL **store** the `lead`.\n## Caching\nThe page is static for 5 min.\n"
BLOCK = ("blocker", "major")
ALL: tuple[str, ...] = get_args(answers.Dimension)
REVIEWER = challenge.Reviewer("OpenAI")


def text_at(path: str) -> str | None:
    return {"shop/web.ts": FILE}.get(path)


def finding(**changed: Any) -> Finding:
    base = Finding(
        id="F1",
        severity="blocker",
        dimension="data model",
        claim="Tenant comes from a header",
        scenario="curl -H 'Host: other' writes elsewhere",
        path="shop/web.ts",
        line=21,
        quote="const tenant = req.headers.host;",
        verified=True,
        fingerprint="abc",
    )
    return replace(base, **changed)


def raised(**changed: Any) -> answers.FindingAnswer:
    fields = {
        "severity": "blocker",
        "dimension": "data model",
        "claim": "Tenant comes from a header",
        "scenario": "curl -H 'Host: other' writes elsewhere",
        "path": "shop/web.ts",
        "line": 21,
        "quote": "const tenant = req.headers.host;",
    }
    return answers.FindingAnswer.model_validate(fields | changed)


def answer(
    *findings: answers.FindingAnswer, earlier: tuple[tuple[str, str], ...] = (), dimensions: Any = None
) -> answers.ReviewAnswer:
    rows = [{"dimension": name, "outcome": "answered", "because": "R1"} for name in ALL]
    said = [{"finding": name, "outcome": outcome, "because": "I looked"} for name, outcome in earlier]
    return answers.ReviewAnswer.model_validate(
        {"findings": list(findings), "earlier": said, "dimensions": rows if dimensions is None else dimensions}
    )


def decision(name: str, what: str, reason: str = "because of that") -> answers.DecisionAnswer:
    return answers.DecisionAnswer.model_validate({"finding": name, "decision": what, "reason": reason})


def merge(previous: Review | None, said: answers.ReviewAnswer) -> Review:
    return challenge.merge_round(previous, said, reviewer=REVIEWER, text_at=text_at, spec_text=SPEC)


# ---- quotes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, True),
        ({"line": 11}, True),
        ({"line": 10}, False),
        ({"line": 31}, True),
        ({"line": 32}, False),
        ({"quote": "const tenant = req.headers.host;\n  use(tenant)"}, True),
        ({"quote": "const tenant = req.headers.origin;"}, False),
        ({"quote": "use(te"}, False),
        ({"quote": ""}, False),
        ({"path": "shop/other.ts"}, False),
        ({"line": 0}, False),
        ({"line": 9999}, False),
        ({"path": "", "line": 0, "quote": "the system SHALL store the lead"}, True),
        ({"path": "", "line": 0, "quote": "the system SHALL delete the lead"}, False),
    ],
)
def test_a_quote_counts_where_it_stands(changed: dict[str, Any], found: bool):
    assert challenge.verify_quote(finding(**changed), text_at, SPEC) is found


@pytest.mark.parametrize(
    ("changed", "verified"),
    [
        ({}, True),
        ({"scenario": " "}, False),
        ({"severity": "major", "scenario": ""}, False),
        ({"severity": "minor", "scenario": ""}, True),
        ({"quote": "invented by the reviewer"}, False),
        ({"path": "`./shop/web.ts`"}, True),
        ({"path": "The spec", "line": 3, "quote": "The page is static for 5 min."}, True),
    ],
)
def test_a_grave_finding_needs_a_scenario_and_a_quote(changed: dict[str, Any], verified: bool):
    assert merge(None, answer(raised(**changed))).findings[0].verified is verified


# ---- rounds --------------------------------------------------------------------------------------------------------


def test_a_first_round_numbers_its_findings():
    review = merge(None, answer(raised(), raised(dimension="caching", path="", line=0, quote="static for 5 min")))
    assert [item.id for item in review.findings] == ["F1", "F2"]
    assert (review.rounds, review.vendor, review.same_vendor) == (1, "OpenAI", False)


def test_what_is_not_applicable_is_kept_with_its_reason():
    review = merge(None, answer(dimensions=[{"dimension": "UI", "outcome": "n/a", "because": "no page  changes"}]))
    assert review.not_applicable == ("UI: no page changes",)


def test_the_same_finding_in_other_words_is_the_same_finding():
    first = merge(None, answer(raised()))
    again = merge(first, answer(raised(claim="Host header decides", line=23)))
    assert [item.id for item in again.findings] == ["F1"]


def test_two_claims_about_one_line_in_one_round_are_one_finding_and_both_are_kept():
    findings = merge(None, answer(raised(), raised(claim="No port is cut off"))).findings
    assert [item.claim for item in findings] == ["Tenant comes from a header Also: No port is cut off"]


def test_raising_a_rejected_finding_again_is_an_insistence():
    decided = challenge.decide(merge(None, answer(raised())), [decision("F1", "rejected", "checked")])
    again = merge(decided, answer(raised(claim="Still so"), earlier=(("F1", "settled"),)))
    assert again.findings[0].status == "open"
    assert challenge.decide(again, [decision("F1", "rejected")]).findings[0].status == "open"


def test_a_fix_that_the_reviewer_confirms_is_settled():
    decided = challenge.decide(merge(None, answer(raised())), [decision("F1", "fixed", "lookup in tenants.domains")])
    review = merge(decided, answer(earlier=(("F1", "settled"),)))
    assert review.findings[0].status == "fixed"
    assert review.findings[0].decision == "lookup in tenants.domains (confirmed by the reviewer)"
    assert challenge.verdict(review, BLOCK) == "clean"


def test_a_fix_that_does_not_hold_is_open_again():
    decided = challenge.decide(merge(None, answer(raised())), [decision("F1", "fixed")])
    review = merge(decided, answer(earlier=(("F1", "stands"),)))
    assert review.findings[0].status == "open"
    assert review.findings[0].decision == "the reviewer says it is not fixed: I looked"


def test_silence_about_a_grave_fix_is_not_consent():
    decided = challenge.decide(merge(None, answer(raised())), [decision("F1", "fixed")])
    assert challenge.verdict(merge(decided, answer()), BLOCK) == "request changes"


def test_silence_about_a_small_fix_is_consent():
    decided = challenge.decide(merge(None, answer(raised(severity="minor"))), [decision("F1", "fixed")])
    assert merge(decided, answer()).findings[0].status == "fixed"


def test_what_was_confirmed_once_needs_no_second_word():
    decided = challenge.decide(merge(None, answer(raised())), [decision("F1", "fixed")])
    confirmed = merge(decided, answer(earlier=(("F1", "settled"),)))
    assert merge(confirmed, answer()).findings[0].status == "fixed"
    assert challenge.answer_problems(confirmed, answer()) == []


def test_a_rejection_that_the_reviewer_accepts_closes_the_finding():
    decided = challenge.decide(merge(None, answer(raised())), [decision("F1", "rejected", "the host is checked at :9")])
    review = merge(decided, answer(earlier=(("F1", "settled"),)))
    assert review.findings[0].status == "rejected"
    assert challenge.verdict(review, BLOCK) == "clean"


def test_a_rejection_is_heard_once():
    first = challenge.decide(merge(None, answer(raised())), [decision("F1", "rejected", "checked")])
    second = merge(first, answer(earlier=(("F1", "stands"),)))
    assert second.findings[0].decision == "author rejected: checked; the reviewer insists: I looked"
    again = challenge.decide(second, [decision("F1", "rejected", "still")])
    assert again.findings[0].status == "open"


def test_after_an_insistence_the_author_may_still_fix():
    first = challenge.decide(merge(None, answer(raised())), [decision("F1", "rejected", "checked")])
    second = merge(first, answer(earlier=(("F1", "stands"),)))
    assert challenge.decide(second, [decision("F1", "fixed", "done")]).findings[0].status == "fixed"


def test_a_waiver_outlives_the_next_round():
    first = merge(None, answer(raised()))
    waived = replace(first, findings=(replace(first.findings[0], status="waived", decision="@maria: known"),))
    review = merge(waived, answer(raised(), earlier=(("F1", "stands"),)))
    assert (review.findings[0].status, review.findings[0].decision) == ("waived", "@maria: known")


def test_a_decision_without_a_reason_decides_nothing():
    review = challenge.decide(merge(None, answer(raised())), [decision("F1", "fixed", " ")])
    assert review.findings[0].status == "open"


def test_a_finding_raised_again_keeps_the_graver_severity():
    first = merge(None, answer(raised(severity="minor")))
    assert merge(first, answer(raised(severity="major"))).findings[0].severity == "major"


# ---- asking again --------------------------------------------------------------------------------------------------


def test_a_complete_answer_has_no_problems():
    assert challenge.answer_problems(None, answer(raised())) == []


def test_dimensions_left_out_are_named():
    rows = [{"dimension": name, "outcome": "answered", "because": "R1"} for name in ALL if name not in ("UI", "cost")]
    assert challenge.answer_problems(None, answer(dimensions=rows)) == [
        "These dimensions are neither answered nor `n/a, because …`: UI, cost."
    ]


def test_a_finding_answers_its_own_dimension():
    rows = [{"dimension": name, "outcome": "n/a", "because": "no"} for name in ALL if name != "data model"]
    assert challenge.answer_problems(None, answer(raised(), dimensions=rows)) == []


def test_silence_about_an_earlier_grave_finding_is_asked_about():
    decided = challenge.decide(merge(None, answer(raised())), [decision("F1", "fixed")])
    assert challenge.answer_problems(decided, answer()) == [
        "Say in `earlier` of each of these findings whether it is settled or stands: F1."
    ]


def test_every_finding_put_to_the_author_needs_a_reasoned_decision():
    asked = (finding(), finding(id="F2"), finding(id="F3"))
    assert challenge.decision_problems(asked, [decision("f-1", "fixed"), decision("F2", "rejected", "")]) == [
        "These findings have no decision: F3.",
        "These decisions have no reason: F2.",
    ]


def test_the_paths_to_read_before_judging_are_known():
    said = answer(raised(), raised(path="./a.py"), raised(path="spec", line=0))
    assert challenge.cited_paths(said) == ("a.py", "shop/web.ts")


# ---- verdict and end -----------------------------------------------------------------------------------------------

FINDINGS = st.builds(
    finding,
    severity=st.sampled_from(get_args(Severity)),
    status=st.sampled_from(get_args(FindingStatus)),
    verified=st.booleans(),
    fingerprint=st.sampled_from("abcdef"),
)


@given(st.lists(FINDINGS, max_size=6), st.sets(st.sampled_from(get_args(Severity))))
def test_an_open_verified_blocking_finding_never_gives_clean(findings: list[Finding], block_on: set[Severity]):
    review = Review(tuple(findings), 1, "OpenAI", False)
    blocks = any(item.status == "open" and item.verified and item.severity in block_on for item in findings)
    assert (challenge.verdict(review, block_on) == "clean") is not blocks


SAID = st.lists(
    st.tuples(st.sampled_from(["F2", "F3", "F11", "?"]), st.sampled_from(["settled", "stands"])), max_size=4
)


@given(SAID, st.lists(st.sampled_from(["fixed", "rejected"]), min_size=1, max_size=3))
def test_no_author_alone_makes_a_grave_finding_disappear(said: list[tuple[str, str]], decided: list[str]):
    review = merge(None, answer(raised()))
    for what in decided:
        review = merge(challenge.decide(review, [decision("F1", what)]), answer(earlier=tuple(said)))
    assert challenge.verdict(review, BLOCK) == "request changes"


@pytest.mark.parametrize(
    ("before", "now", "round_", "ends"),
    [
        (None, set(), 1, True),
        (None, {"a"}, 1, False),
        ({"a", "b"}, {"a"}, 2, False),
        ({"a", "b"}, {"a", "c"}, 2, True),
        ({"a"}, {"a"}, 2, True),
        ({"a", "b"}, {"a"}, 3, True),
        (None, {"a"}, 3, True),
    ],
)
def test_rounds_end_when_clean_when_stuck_or_at_the_limit(
    before: set[str] | None, now: set[str], round_: int, ends: bool
):
    assert challenge.converged(before, now, round_, 3) is ends
