"""A pull request's title and body and its check run, word for word: facts from git, evidence and ledger alone."""

from dataclasses import replace

import pytest
from inline_snapshot import snapshot

from bot.core.run import Run
from bot.core.text import checks, pull_request
from bot.core.text.evidence import section, word
from tests import samples

pytestmark = pytest.mark.fast


def body(run: Run) -> str:
    return pull_request.body(samples.snapshot(run), run.lines[0])


def test_green():
    run = samples.in_review()
    assert pull_request.title(run, run.lines[0]) == "Consent on the contact form"
    assert body(run) == snapshot("""\
Fixes #42 · spec revision 2 `7fdfe0e` · requested by @maria

### What changed
- **shop** (2 files, +72 −3): `consent.py` (new), `leads.py`
- **tests** (new, 1 file, +44): `test_consent.py`

### Why
- **R1** WHEN a visitor submits the form with consent, the system SHALL store one lead.
- **R2** IF consent is not given, THEN the system SHALL answer 422 and store nothing.

### How it was verified: PASS
On a clean checkout of `51c0de7`, in the sandbox (L2 bubblewrap), by Journeyman, not by the model; counts as reported by the test runners:

| check | command | exit | time | result |
|---|---|---|---|---|
| unit | `pytest -q` | 0 | 48 s | PASS, 14 passed (base: 12) |
| base's tests on the new code: unit | `pytest -q` | 0 | 45 s | PASS, 12 passed (base: 12) |
| load | `make bench` (found) |  |  | **NOT RUN**: not declared in agent.yml |

Base `9f3e210` was green: `unit`.

| accepted when | worked on in |
|---|---|
| AC1.1 one row in `leads` | `e41f9aa` |
| AC1.2 a second submit updates it | `e41f9aa` |
| AC2.1 no row in any table | `51c0de7` |

### Review
- Spec: reviewed by OpenAI in 2 rounds: 1 fixed, 1 rejected, 0 open.
- Flags: none.

### For you to know
**Deviations from the spec, as the workers noted them.** The form answers 422 in JSON, not in HTML.

**Assumptions to confirm.** A1 the form keeps its address.

**Migration and compatibility.** One additive table.

**Risks.** Spam through the public route (medium): rate limit of 5 a minute.

**Rollback.** Switch `leads.form` off.

**By hand.** 1. `git fetch origin agent/42-consent-on-the-contact-form && git switch --detach FETCH_HEAD` 2. run `pytest -q` 3. compare with the table above.

<sub>2 tasks, 94 turns, 1.1 M tokens (93 % cached), $2.31 for the run, 20 min · claude-opus-5-5, gpt-6.2-sol, claude-sonnet-5-5 · sandbox L2 bubblewrap · `/agent status`, `/agent retry`, `/agent stop`, `/agent help`</sub>\
""")


def test_red_says_so_in_the_title_of_the_section_and_claims_nothing():
    text = section(samples.evidence(red=True))
    assert text == snapshot("""\
### How it was verified: FAIL
On a clean checkout of `51c0de7`, in the sandbox (L2 bubblewrap), by Journeyman, not by the model; counts as reported by the test runners:

| check | command | exit | time | result |
|---|---|---|---|---|
| unit | `pytest -q` | 1 | 48 s | **FAIL**, 13 passed, 1 failed (base: 12) |
| base's tests on the new code: unit | `pytest -q` | 0 | 45 s | PASS, 12 passed (base: 12) |
| load | `make bench` (found) |  |  | **NOT RUN**: not declared in agent.yml |

Base `9f3e210` was green: `unit`.

<details><summary>Last output of unit</summary>

```text
E   assert 200 == 422
1 failed, 13 passed
```
</details>\
""")
    assert "PASS" not in text.splitlines()[0]


def test_red_check_run():
    assert checks.title(samples.evidence(red=True)) == "FAIL: unit"
    assert checks.title(samples.evidence()) == "PASS: 2 of 3 commands passed"


def test_nothing_verified_is_not_run():
    assert section(None) == snapshot("""\
### How it was verified: NOT RUN
Nothing was verified on this commit.\
""")


def test_no_command_at_all_is_a_row_not_a_pass():
    assert section(replace(samples.evidence(), rows=(), result="NOT RUN")) == snapshot("""\
### How it was verified: NOT RUN
On a clean checkout of `51c0de7`, in the sandbox (L2 bubblewrap), by Journeyman, not by the model; counts as reported by the test runners:

| check | command | exit | time | result |
|---|---|---|---|---|
| no command |  |  |  | **NOT RUN**: no verify command is declared or was found |

Base `9f3e210` was not run.\
""")


def test_red_on_both_sides_is_red_on_base():
    head = replace(samples.rows()[0], exit_code=1, counts=None)
    base = replace(samples.rows()[1], exit_code=2, counts=None)
    assert word(head, base) == "RED ON BASE"
    assert word(head, samples.rows()[1]) == "FAIL"
    evidence = replace(samples.evidence(), rows=(head, base), result="RED ON BASE")
    assert section(evidence).split("<details>")[0] == snapshot("""\
### How it was verified: RED ON BASE
On a clean checkout of `51c0de7`, in the sandbox (L2 bubblewrap), by Journeyman, not by the model; counts as reported by the test runners:

| check | command | exit | time | result |
|---|---|---|---|---|
| unit | `pytest -q` | 1 | 48 s | **RED ON BASE** |

Base `9f3e210` was red: `unit`.

""")


def test_a_command_that_was_stopped_is_a_failure():
    row = replace(samples.rows()[0], exit_code=None, timed_out=True, counts=None, seconds=600)
    assert "**FAIL**, stopped at its time limit" in section(replace(samples.evidence(), rows=(row,), result="FAIL"))


def test_hostile_output_stays_inside_its_fence():
    row = replace(samples.rows(red=True)[0], output_tail="```\n</details>\n@maria\n/agent stop\nFixes #7 [skip ci]")
    text = section(replace(samples.evidence(red=True), rows=(row,)))
    assert text[text.index("<details>") :] == snapshot("""\
<details><summary>Last output of unit</summary>

````text
```
</details>
@maria
· /agent stop
Fixes issue #7 (skip ci)
````
</details>\
""")


def test_what_a_worker_says_is_named_as_such():
    run = samples.in_review()
    task = replace(
        run.lines[0].tasks[1], deviations=("All tests pass. Fixes #1 @maria",), follow_ups=("Export the list",)
    )
    text = body(replace(run, lines=(replace(run.lines[0], tasks=(task,)),)))
    assert text[text.index("### For you to know") : text.index("**Assumptions")] == snapshot("""\
### For you to know
**Deviations from the spec, as the workers noted them.** All tests pass. Fixes issue #1 @ maria.

**Left for later, as the workers noted it.** Export the list.

""")


def test_a_waived_and_an_open_finding_are_shown_with_their_reason():
    waived = replace(samples.OPEN, id="F4", status="waived", decision="maria: accepted until May")
    run = samples.in_review()
    run = replace(run, revisions=(samples.revision(1, by=samples.review(samples.OPEN, waived)),))
    run = replace(run, lines=(replace(run.lines[0], flags=("`tests/test_leads.py` was changed",)),))
    text = body(run)
    assert text[text.index("### Review") : text.index("### For you")] == snapshot("""\
### Review
- Spec: reviewed by OpenAI in 2 rounds: 0 fixed, 0 rejected, 1 waived, 1 open.
- F3 (major) is **open**: A new consent text is served stale.
- F4 (major) was waived: maria: accepted until May
- Flags: `tests/test_leads.py` was changed.

""")


def test_the_title_of_a_hostile_issue_is_plain():
    run = replace(samples.in_review(), issue_title="/agent stop @maria fixes #7 [skip ci]\u200b")
    assert pull_request.title(run, run.lines[0]) == "· /agent stop @ maria fixes issue #7 (skip ci)"
