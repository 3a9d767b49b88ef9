"""The adversarial pass as data, and the verdict, which is computed and never asked of a model."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["blocker", "major", "minor", "nit"]
FindingStatus = Literal["open", "fixed", "rejected", "waived"]
Verdict = Literal["clean", "request changes"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A reviewer's finding, `F1`. `verified` means that our code found the quote at that path and near those lines, or in the spec.

    `fingerprint` names the same finding over rounds: convergence is decided by the set of open fingerprints.
    """

    id: str
    severity: Severity
    dimension: str
    claim: str
    scenario: str
    path: str
    line: int
    quote: str
    verified: bool
    fingerprint: str
    status: FindingStatus = "open"
    decision: str = ""
    round: int = 1


@dataclass(frozen=True, slots=True)
class Review:
    """All rounds over one revision chain: the findings as they stand now, who reviewed, how often, and what it was worth."""

    findings: tuple[Finding, ...]
    rounds: int
    vendor: str
    same_vendor: bool
    not_applicable: tuple[str, ...] = ()
