"""Problems, help and commit messages, word for word."""

import pytest
from inline_snapshot import snapshot

from bot.core.text import commit, problems
from bot.core.text.help import VERBS, help_text

pytestmark = pytest.mark.fast


def test_problems_say_what_happened_and_what_helps():
    assert [
        problems.diff_refused(("`.github/workflows/ci.yml` may not be changed.",)),
        problems.nothing_changed(),
        problems.bug("acme/shop-42-r1"),
    ] == snapshot(
        [
            "What the worker changed may not leave its sandbox: `.github/workflows/ci.yml` may not be changed. Nothing was pushed.",
            "The work ended without a change to any file, so there is nothing to review. Say `/agent refine` and name what should be different, or `/agent retry`.",
            "Something broke inside Journeyman; the log has the detail under `acme/shop-42-r1`. `/agent retry` tries again.",
        ]
    )


def test_help_lists_the_verbs_that_work():
    assert help_text() == snapshot("""\
Say one of these as the first line of a new comment:

| command | does |
|---|---|
| `/agent spec` | start, or write the spec again |
| `/agent refine <text>` | the next revision of the spec answers the text |
| `/agent approve [revision or hash]` | start the work for exactly that revision; bare: the newest |
| `/agent answer <A1> <text>` | settle an open assumption or question |
| `/agent waive <F1> <reason>` | overrule a finding; kept with name and reason |
| `/agent stop` | end the run and keep the branches |
| `/agent pause` | hold the run |
| `/agent resume` | go on with a paused run |
| `/agent retry` | try the step that failed again |
| `/agent status` | where the run stands |
| `/agent help` | this list |\
""")
    assert [verb for verb, _, _ in VERBS] == [
        "spec", "refine", "approve", "answer", "waive", "stop", "pause", "resume", "retry", "status", "help",
    ]  # fmt: skip


def test_a_commit_message_has_its_trailers_last():
    text = commit.message(
        "consent record\n@maria fixes #7",
        run_id="acme/shop-42-r1",
        spec_sha256="7fdfe0e5",
        task_id="t1",
        why="Keep the record.\n/agent stop\n[skip ci]",
        co_author="maria",
    )
    assert text == snapshot("""\
consent record @ maria fixes issue #7

Keep the record.
· /agent stop
(skip ci)

Agent-Run: acme/shop-42-r1
Agent-Spec: 7fdfe0e5
Agent-Task: t1
Co-authored-by: maria <maria@users.noreply.github.com>
""")


def test_a_co_author_is_the_private_address_of_the_account():
    assert commit.identity("maria", 7) == "maria <7+maria@users.noreply.github.com>"
    assert commit.identity("ma>ria\nX: y") == "mariaXy <mariaXy@users.noreply.github.com>"
