"""The adversarial pass as rules: what counts as evidence, what blocks, when the rounds end. A model's word decides none of it."""

import re
from collections.abc import Callable, Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import get_args

from bot.core.answers import DecisionAnswer, Dimension, EarlierAnswer, FindingAnswer, ReviewAnswer
from bot.core.ids import sha256
from bot.core.review import Finding, Review, Severity, Verdict

NEAR = 10
"""Lines that a quote may lie away from the line that the finding names."""
SHORTEST_QUOTE = 8
"""Characters without white space below which a quote proves nothing: `}` is in every file."""
MAX_FINDINGS = 40
GRAVE: tuple[Severity, ...] = ("blocker", "major")
SPEC = ("", "spec", "the spec")
INSISTS = "; the reviewer insists: "
CONFIRMED = " (confirmed by the reviewer)"
TextAt = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who reviewed: the vendor's name as people read it, and whether it is the author's own."""

    vendor: str
    same_vendor: bool = False


def cited_paths(answer: ReviewAnswer) -> tuple[str, ...]:
    """Paths that must be read at the base SHA before the answer can be judged."""
    return tuple(sorted({_path(item) for item in answer.findings} - {""}))


def verify_quote(finding: Finding, text_at: TextAt, spec_text: str) -> bool:
    """Whether the quote stands at that path within ten lines of that line, or in the spec; white space is normalised."""
    quote = _flat(finding.quote)
    if len(quote.replace(" ", "")) < SHORTEST_QUOTE:
        return False
    if finding.path in SPEC:
        return _unmarked(quote) in _unmarked(_flat(spec_text))
    text = text_at(finding.path)
    if text is None or finding.line < 1:
        return False
    lines = text.splitlines()
    last = finding.line + NEAR + max(finding.quote.strip().count("\n"), 0)
    return quote in _flat("\n".join(lines[max(finding.line - NEAR - 1, 0) : last]))


def fingerprint(dimension: str, path: str, quote: str, claim: str) -> str:
    """Names a finding over rounds by what it points at, since claims are reworded and lines move; 16 hex digits."""
    return sha256("\0".join((dimension, path, _flat(quote) or _flat(claim).lower())))[:16]


def answer_problems(previous: Review | None, answer: ReviewAnswer) -> list[str]:
    """What the reviewer must be asked again about, one plain sentence each."""
    problems = []
    said = {item.dimension for item in answer.dimensions}
    raised = {item.dimension for item in answer.findings}
    missing = [name for name in get_args(Dimension) if name not in said | raised]
    if missing:
        problems.append(f"These dimensions are neither answered nor `n/a, because …`: {', '.join(missing)}.")
    bare = [item.dimension for item in answer.dimensions if not item.because.strip()]
    if bare:
        problems.append(f"These dimensions have no `because`: {', '.join(bare)}.")
    open_questions = {item.id for item in previous.findings if _to_be_judged(item)} if previous else set()
    silent = sorted(open_questions - {_id(item.finding) for item in answer.earlier})
    if silent:
        problems.append(
            f"Say in `earlier` of each of these findings whether it is settled or stands: {', '.join(silent)}."
        )
    if len(answer.findings) > MAX_FINDINGS:
        problems.append(f"There are {len(answer.findings)} findings; give the {MAX_FINDINGS} that matter most.")
    return problems


def decide(review: Review, decisions: Sequence[DecisionAnswer]) -> Review:
    """The author's decisions on open findings. A finding that the reviewer insisted on after a rejection can't be rejected again."""
    said = {_id(item.finding): item for item in decisions}
    return replace(review, findings=tuple(_decided(item, said.get(item.id)) for item in review.findings))


def _decided(finding: Finding, decision: DecisionAnswer | None) -> Finding:
    if finding.status != "open" or decision is None:
        return finding
    reason = " ".join(decision.reason.split())
    if not reason or (decision.decision == "rejected" and INSISTS in finding.decision):
        return finding
    return replace(finding, status=decision.decision, decision=reason)


def decision_problems(asked: Sequence[Finding], decisions: Sequence[DecisionAnswer]) -> list[str]:
    """What the author must be asked again about: every finding put to it needs one decision with a reason."""
    said = {_id(item.finding): item for item in decisions}
    missing = [item.id for item in asked if item.id not in said]
    bare = [item.id for item in asked if item.id in said and not said[item.id].reason.strip()]
    problems = []
    if missing:
        problems.append(f"These findings have no decision: {', '.join(missing)}.")
    if bare:
        problems.append(f"These decisions have no reason: {', '.join(bare)}.")
    return problems


def merge_round(
    previous: Review | None, answer: ReviewAnswer, *, reviewer: Reviewer, text_at: TextAt, spec_text: str
) -> Review:
    """The review after one more round: earlier findings judged, the same finding raised again opened again, new ones numbered on."""
    number = (previous.rounds if previous else 0) + 1
    said = {_id(item.finding): item for item in answer.earlier}
    findings = [_judged(item, said.get(item.id)) for item in previous.findings] if previous else []
    known = {item.fingerprint: at for at, item in enumerate(findings)}
    for raised in answer.findings[:MAX_FINDINGS]:
        new = _finding(raised, number=number, name=f"F{len(findings) + 1}", text_at=text_at, spec_text=spec_text)
        at = known.get(new.fingerprint)
        if at is None:
            known[new.fingerprint] = len(findings)
            findings.append(new)
        else:
            findings[at] = _raised_again(findings[at], new)
    return Review(
        findings=tuple(findings),
        rounds=number,
        vendor=reviewer.vendor,
        same_vendor=reviewer.same_vendor,
        not_applicable=tuple(
            f"{item.dimension}: {' '.join(item.because.split())}" for item in answer.dimensions if item.outcome == "n/a"
        ),
    )


def _finding(raised: FindingAnswer, *, number: int, name: str, text_at: TextAt, spec_text: str) -> Finding:
    finding = Finding(
        id=name,
        severity=raised.severity,
        dimension=raised.dimension,
        claim=" ".join(raised.claim.split())[:600],
        scenario=" ".join(raised.scenario.split())[:1_200],
        path=_path(raised),
        line=max(raised.line, 0),
        quote=raised.quote.strip()[:1_000],
        verified=False,
        fingerprint=fingerprint(raised.dimension, _path(raised), raised.quote, raised.claim),
        round=number,
    )
    proven = verify_quote(finding, text_at, spec_text) and (raised.severity not in GRAVE or bool(finding.scenario))
    return replace(finding, verified=proven)


def _raised_again(old: Finding, new: Finding) -> Finding:
    """A person's waiver outlives every round; else the finding is open again, at the graver of both severities."""
    if old.status == "waived":
        return old
    order: tuple[Severity, ...] = ("blocker", "major", "minor", "nit")
    severity = min(old.severity, new.severity, key=order.index)
    scenario = new.scenario or old.scenario
    twice = old.round == new.round and old.claim != new.claim
    insisted = old.status == "rejected" and INSISTS not in old.decision
    return replace(
        new,
        id=old.id,
        severity=severity,
        claim=f"{old.claim} Also: {new.claim}" if twice else new.claim,
        scenario=scenario,
        verified=(new.verified or old.verified) and (severity not in GRAVE or bool(scenario)),
        decision=f"author rejected: {old.decision}{INSISTS}{new.claim}" if insisted else old.decision,
        round=old.round,
    )


def _to_be_judged(finding: Finding) -> bool:
    """A grave, proven finding that the author closed and that no reviewer has confirmed yet."""
    closed = finding.status in ("fixed", "rejected") and not finding.decision.endswith(CONFIRMED)
    return closed and finding.verified and finding.severity in GRAVE


def _judged(finding: Finding, said: EarlierAnswer | None) -> Finding:
    if finding.status == "waived":
        return finding
    if said is None:
        # Silence about something grave isn't consent: a fix that nobody confirmed stays open.
        return replace(finding, status="open") if _to_be_judged(finding) else finding
    because = " ".join(said.because.split())
    if said.outcome == "settled":
        if finding.status != "open":
            return replace(finding, decision=_confirm(finding.decision))
        return replace(finding, status="fixed", decision=_confirm(because or "settled by the reviewer"))
    if finding.status == "rejected" and INSISTS not in finding.decision:
        return replace(finding, status="open", decision=f"author rejected: {finding.decision}{INSISTS}{because}")
    if finding.status == "fixed":
        return replace(finding, status="open", decision=f"the reviewer says it is not fixed: {because}")
    return replace(finding, status="open")


def _confirm(decision: str) -> str:
    return decision if decision.endswith(CONFIRMED) else decision + CONFIRMED


def blocking(review: Review | None, block_on: Collection[Severity]) -> tuple[Finding, ...]:
    """Open, verified findings of a severity that blocks."""
    if review is None:
        return ()
    return tuple(
        item for item in review.findings if item.status == "open" and item.verified and item.severity in block_on
    )


def verdict(review: Review, block_on: Collection[Severity]) -> Verdict:
    """`request changes` while anything verified and blocking is open."""
    return "request changes" if blocking(review, block_on) else "clean"


def open_fingerprints(review: Review | None, block_on: Collection[Severity]) -> frozenset[str]:
    """What convergence is decided by."""
    return frozenset(item.fingerprint for item in blocking(review, block_on))


def converged(previous_open: AbstractSet[str] | None, now_open: AbstractSet[str], round: int, max_rounds: int) -> bool:
    """Whether the rounds end: nothing blocking is open, the set stopped shrinking, or this was the last round.

    `previous_open` is None in the first round: there is nothing yet to shrink from.
    """
    if not now_open or round >= max_rounds:
        return True
    return previous_open is not None and len(now_open) >= len(previous_open)


def _path(raised: FindingAnswer) -> str:
    path = raised.path.strip().strip("`").removeprefix("./")
    return "" if path.lower() in SPEC else path


def _id(text: str) -> str:
    match = re.search(r"[Ff]\W?0*([1-9]\d*)", text)
    return f"F{match[1]}" if match else text.strip()


def _flat(text: str) -> str:
    return " ".join(text.split())


def _unmarked(text: str) -> str:
    """Without Markdown's emphasis and code marks, which reviewers drop or add when they quote a spec."""
    return re.sub(r"[*`_]", "", text)
