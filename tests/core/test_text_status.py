"""The status comment and the mention line, word for word."""

import pytest
from inline_snapshot import snapshot

from bot.core.run import Run
from bot.core.text.attention import attention
from bot.core.text.status import status
from tests import samples

pytestmark = pytest.mark.fast


def said(run: Run, *progress: samples.Progress) -> str:
    """The comment up to its folded log."""
    return status(samples.snapshot(run, *progress)).split("\n\n<details>")[0]


def test_run_just_started():
    assert status(samples.snapshot(samples.started(), spend=samples.Spend())) == snapshot("""\
**Journeyman** writes the spec · $0.00 of $5.00 · 21 min

|  | phase | result |
|---|---|---|
| now | Spec |  |
| next | Plan |  |
| next | Work |  |
| next | Verify, deliver |  |

Say `/agent refine <text>` to change the spec, `/agent pause` to hold, `/agent stop` to stop.

<details><summary>Log, cost and what was read</summary>

| time (UTC) | what | who | cost |
|---|---|---|---|
| 09:14:02 | labelled `agent` (write permission checked) | maria |  |

Models: spec `anthropic/claude-opus-5-5`, review `openai/gpt-6.2-sol`.

Sandbox: L2 bubblewrap.
</details>\
""")


def test_spec_clean():
    assert said(samples.reviewed()) == snapshot("""\
**Journeyman** is working on this · $2.31 of $5.00 · 21 min

|  | phase | result |
|---|---|---|
| done | Spec | revision 2 (`7fdfe0e`), reviewed by OpenAI in 2 rounds: 1 fixed, 1 rejected, 0 open |
| now | Plan |  |
| next | Work |  |
| next | Verify, deliver |  |

Say `/agent refine <text>` to change the spec, `/agent pause` to hold, `/agent stop` to stop.\
""")


def test_open_findings_await_approval():
    assert said(samples.awaiting_approval()) == snapshot("""\
**Journeyman** needs an approval · $2.31 of $5.00 · 2 min

The spec waits for a person: the review still has 1 open finding.

|  | phase | result |
|---|---|---|
| waits | Spec | revision 1 (`7fdfe0e`), reviewed by OpenAI in 3 rounds: 1 fixed, 0 rejected, 1 open |
| next | Plan |  |
| next | Work |  |
| next | Verify, deliver |  |

Say `/agent waive F3 <reason>` or `/agent refine <text>` for each open finding, then `/agent approve`.\
""")
    assert attention(samples.awaiting_approval()) == snapshot(
        "@maria the run on this issue needs your approval of the spec: the review still has 1 open finding. Say `/agent waive F3 <reason>` or `/agent refine <text>` for each open finding, then `/agent approve`."
    )


def test_awaiting_answer():
    assert said(samples.awaiting_answer()) == snapshot("""\
**Journeyman** needs an answer · $2.31 of $5.00 · 2 min

- **A1** consent is kept for 24 months

|  | phase | result |
|---|---|---|
| waits | Spec | revision 1 (`fbf94a0`), reviewed by OpenAI in 2 rounds: 1 fixed, 1 rejected, 0 open |
| next | Plan |  |
| next | Work |  |
| next | Verify, deliver |  |

Say `/agent answer A1 <text>` to go on, `/agent refine <text>` to change the spec, `/agent stop` to stop.\
""")
    assert attention(samples.awaiting_answer()) == snapshot(
        "@maria the run on this issue needs your answer to `A1`. Say `/agent answer A1 <text>` to go on, `/agent refine <text>` to change the spec, `/agent stop` to stop."
    )


def test_working_with_progress():
    assert said(samples.working(), samples.Progress(1, "t2", 31, "running `pytest -q`")) == snapshot("""\
**Journeyman** is working on this · 1 of 2 tasks done · $2.31 of $5.00 · 21 min

|  | phase | result |
|---|---|---|
| done | Spec | revision 2 (`7fdfe0e`), reviewed by OpenAI in 2 rounds: 1 fixed, 1 rejected, 0 open |
| done | Plan | 2 tasks in 1 line of work |
| now | Work | t1 consent record: **done** · t2 refuse without consent: turn 31, running `pytest -q` |
| next | Verify, deliver | 1 pull request |

Say `/agent refine <text>` to change the spec, `/agent pause` to hold, `/agent stop` to stop.\
""")


def test_in_review_green():
    assert status(samples.snapshot(samples.in_review())) == snapshot("""\
**Journeyman** opened pull request #57 for review · $2.31 of $5.00 · 20 min

|  | phase | result |
|---|---|---|
| done | Spec | revision 2 (`7fdfe0e`), reviewed by OpenAI in 2 rounds: 1 fixed, 1 rejected, 0 open |
| done | Plan | 2 tasks in 1 line of work |
| done | Work | t1 consent record: **done** · t2 refuse without consent: **done** |
| done | Verify, deliver | #57 (ready): PASS: 2 of 3 commands passed |

Review and merge as usual; Journeyman never merges.

<details><summary>Log, cost and what was read</summary>

| time (UTC) | what | who | cost |
|---|---|---|---|
| 09:14:02 | labelled `agent` (write permission checked) | maria |  |
| 09:15:31 | spec revision 1 drafted | claude-opus-5-5 | $0.31 |
| 09:16:44 | review round 1: 1 blocker, 1 minor | gpt-6.2-sol | $0.12 |
| 09:35:00 | pull request #57 opened |  |  |

Read at the base commit: `AGENTS.md`, `shop/leads.py` (8,214 bytes). Nothing was cut.

Left out: 1 comment by a person without write permission.

Models: spec `anthropic/claude-opus-5-5`, review `openai/gpt-6.2-sol`.

Sandbox: L2 bubblewrap.
</details>\
""")


def test_in_review_red():
    assert said(samples.in_review(red=True)) == snapshot("""\
**Journeyman** opened pull request #57 as a draft: verification **FAIL** · $2.31 of $5.00 · 20 min

|  | phase | result |
|---|---|---|
| done | Spec | revision 2 (`7fdfe0e`), reviewed by OpenAI in 2 rounds: 1 fixed, 1 rejected, 0 open |
| done | Plan | 2 tasks in 1 line of work |
| done | Work | t1 consent record: **done** · t2 refuse without consent: **done** |
| done | Verify, deliver | #57 (draft): FAIL: unit |

Review and merge as usual; Journeyman never merges. `/agent retry` does the failed step again.\
""")


def test_failed_as_nothing_changed():
    assert said(samples.failed()) == snapshot("""\
**Journeyman** has **failed** · $2.31 of $5.00 · 15 min

The work ended without a change to any file, so there is nothing to review. Say `/agent refine` and name what should be different, or `/agent retry`.

|  | phase | result |
|---|---|---|
| done | Spec | revision 2 (`7fdfe0e`), reviewed by OpenAI in 2 rounds: 1 fixed, 1 rejected, 0 open |
| done | Plan | 2 tasks in 1 line of work |
| failed | Work | t1 consent record: **done** · t2 refuse without consent: working |
|  | Verify, deliver | 1 pull request |

Say `/agent retry`, or put the label `agent` on again for a new run.\
""")
    assert attention(samples.failed()) == snapshot(
        "@maria the run on this issue failed. The work ended without a change to any file, so there is nothing to review. Say `/agent refine` and name what should be different, or `/agent retry`."
    )


def test_paused_as_a_vendor_refuses_the_key():
    assert said(samples.paused()) == snapshot("""\
**Journeyman** is **paused** · $2.31 of $5.00 · 2 min

Anthropic refuses the key. Put a working key where Journeyman runs, restart it and say `/agent resume`.

|  | phase | result |
|---|---|---|
| done | Spec | revision 2 (`7fdfe0e`), reviewed by OpenAI in 2 rounds: 1 fixed, 1 rejected, 0 open |
| done | Plan | 2 tasks in 1 line of work |
| paused | Work | t1 consent record: **done** · t2 refuse without consent: working |
| next | Verify, deliver | 1 pull request |

Say `/agent resume` to go on, `/agent stop` to stop.\
""")
    assert attention(samples.paused()) == snapshot(
        "@maria the run on this issue is paused. Anthropic refuses the key. Put a working key where Journeyman runs, restart it and say `/agent resume`."
    )


def test_stopped():
    assert said(samples.stopped()) == snapshot("""\
**Journeyman** was **stopped** · $2.31 of $5.00 · 2 min

maria stopped it.

|  | phase | result |
|---|---|---|
| done | Spec | revision 2 (`7fdfe0e`), reviewed by OpenAI in 2 rounds: 1 fixed, 1 rejected, 0 open |
| done | Plan | 2 tasks in 1 line of work |
| stopped | Work | t1 consent record: **done** · t2 refuse without consent: working |
|  | Verify, deliver | 1 pull request |

Put the label `agent` on again for a new run.\
""")
    assert attention(samples.stopped()) is None


def test_done():
    assert said(samples.done()) == snapshot("""\
**Journeyman** is **done** · $2.31 of $5.00 · 20 min

The pull request was merged.

|  | phase | result |
|---|---|---|
| done | Spec | revision 2 (`7fdfe0e`), reviewed by OpenAI in 2 rounds: 1 fixed, 1 rejected, 0 open |
| done | Plan | 2 tasks in 1 line of work |
| done | Work | t1 consent record: **done** · t2 refuse without consent: **done** |
| done | Verify, deliver | #57 (merged): PASS: 2 of 3 commands passed |

Put the label `agent` on again for a new run.\
""")
