"""A review in words: its verdict, its counts and its table."""

from collections import Counter

from bot.core.review import Finding, Review, Verdict
from bot.core.text import defang
from bot.core.text.figures import plural, vendor
from bot.core.text.markdown import table


def blocking(review: Review) -> tuple[Finding, ...]:
    """Open, verified blockers and majors: what makes the verdict `request changes`."""
    return tuple(
        finding
        for finding in review.findings
        if finding.status == "open" and finding.verified and finding.severity in ("blocker", "major")
    )


def verdict(review: Review) -> Verdict:
    """Computed, never asked of a model."""
    return "request changes" if blocking(review) else "clean"


def reviewed_by(review: Review) -> str:
    """`reviewed by OpenAI`, or that it was the author's own vendor."""
    if review.same_vendor:
        return f"same-vendor review by {vendor(review.vendor)}"
    return f"reviewed by {vendor(review.vendor)}"


def counts(review: Review) -> str:
    """`5 fixed, 1 rejected, 0 open`; waived is named where there is one."""
    by = Counter(finding.status for finding in review.findings)
    said = [f"{by['fixed']} fixed", f"{by['rejected']} rejected"]
    if by["waived"]:
        said.append(f"{by['waived']} waived")
    return ", ".join([*said, f"{by['open']} open"])


def summary(review: Review) -> str:
    """`reviewed by OpenAI in 2 rounds: 5 fixed, 1 rejected, 0 open`."""
    rounds = plural(review.rounds, "round")
    if not review.findings:
        return f"{reviewed_by(review)} in {rounds}: no findings"
    return f"{reviewed_by(review)} in {rounds}: {counts(review)}"


def findings_table(review: Review) -> str:
    """Every finding with its evidence and what became of it."""
    header = ("id", "severity", "dimension", "finding", "evidence", "what happened")
    return table(header, (_row(finding) for finding in review.findings))


def _row(finding: Finding) -> tuple[str, ...]:
    claim = defang.line(finding.claim)
    if finding.scenario:
        claim = f"{claim} {defang.line(finding.scenario)}"
    happened = finding.status
    if finding.decision:
        happened = f"{finding.status}: {defang.line(finding.decision, 300)}"
    severity = finding.severity if finding.verified else f"{finding.severity} (unverified)"
    return (defang.ident(finding.id), severity, defang.line(finding.dimension, 60), claim, _evidence(finding), happened)


def _evidence(finding: Finding) -> str:
    place = f"{finding.path}:{finding.line}" if finding.path and finding.line else finding.path
    said = defang.span(place, 200)
    return f"{said} {defang.span(finding.quote, 160)}".strip()
