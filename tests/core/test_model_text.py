"""What a model reads of a spec is complete, stable, and the text that quotes are checked against."""

import pytest
from inline_snapshot import snapshot

from bot.core import model_text
from bot.core.challenge import verify_quote
from bot.core.review import Finding
from tests.core.samples import COMMANDS, spec

pytestmark = pytest.mark.fast


def finding(**changed: object) -> Finding:
    fields: dict[str, object] = {
        "id": "F1", "severity": "major", "dimension": "caching", "claim": "Stale text", "scenario": "publish, reload: old text",
        "path": "", "line": 0, "quote": "The page is static", "verified": True, "fingerprint": "f",
    }  # fmt: skip
    return Finding(**(fields | changed))  # type: ignore[arg-type]  # fields of one known dataclass


def test_a_spec_reads_whole():
    assert model_text.spec_text(spec(data_model="`consents(id)`", caching="static")) == snapshot("""\
# Log consent
TL;DR: Consent is stored before a lead is.
Problem: Nobody can prove consent.
## Non-goals
- Double opt-in
## Requirements
R1: WHEN a visitor consents, the system SHALL store it. [from: issue]
  AC1.1: one row with the text version
  AC1.2: a second submit adds none
R2: IF consent is missing, THEN the system SHALL answer 422. [from: convention AGENTS.md:2]
  AC2.1: no row in any table
## Modules
`shop/leads.py` calls `shop/consent.py` first.
## Data model
`consents(id)`
## Routes
none, because nothing of the kind is touched
## Events
none, because nothing of the kind is touched
## RBAC
none, because nothing of the kind is touched
## Caching
static
## Edge cases and failure modes
Double click: the second is ignored.
## Consent and privacy
none, because nothing of the kind is touched
## Migration and compatibility
none, because nothing of the kind is touched
## Rollback
none, because nothing of the kind is touched
## Changes
- create shop/consent.py: the log
- modify shop/leads.py: checks consent first
- create tests/test_consent.py: R1, R2
## Risks
- Slow table (low); mitigation: an index
## Verification
- python -m pytest
## Assumptions
- A1: Consent is kept for 24 months (reversible; needs a person)
## Conventions followed
- Never log e-mail [AGENTS.md:2]: met by R1
""")


def test_every_line_that_a_reviewer_may_quote_is_found():
    text = model_text.spec_text(spec())
    long = [line for line in text.splitlines() if len(line.replace(" ", "")) >= 8]
    assert all(verify_quote(finding(quote=line), lambda path: None, text) for line in long)


def test_findings_read_with_their_evidence_and_decision():
    two = (
        finding(),
        finding(id="F2", path="a.py", line=3, verified=False, decision="fixed it", status="fixed", scenario=""),
    )
    assert model_text.findings_text(two) == snapshot("""\
F1 · major · caching · open · round 1
  claim: Stale text
  scenario: publish, reload: old text
  evidence: the spec: The page is static
F2 · major · caching · fixed · round 1
  claim: Stale text
  scenario: none given
  evidence: a.py:3: The page is static (unverified)
  decision: fixed it\
""")


def test_commands_say_whether_they_were_declared():
    assert model_text.commands_text(COMMANDS) == snapshot("""\
- `python -m pytest` (found: unit)
- `npm run typecheck` (declared: types)\
""")


def test_nothing_reads_as_nothing():
    assert model_text.findings_text(()) == model_text.sentences(()) == "none"
    assert model_text.commands_text(()) == "none: the repository declares no command and none was found"


def test_files_are_numbered_so_that_lines_can_be_cited():
    assert (
        model_text.files_text({"a.py": "x = 1\n\ny = 2\n", "b.py": ""}) == "--- a.py\n1| x = 1\n2| \n3| y = 2\n--- b.py"
    )


def test_files_that_do_not_fit_are_named():
    text = model_text.files_text({"a.py": "x\n" * 100, "b.py": "y\n" * 100}, limit=400)
    assert len(text) < 600
    assert text.endswith("Cut for length: a.py (50 of 100 lines shown); b.py (12 of 100 lines shown).")
