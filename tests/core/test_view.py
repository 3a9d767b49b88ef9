"""What GitHub shows in every state: labels, receipts, which comments there are, and no live command line in any of them."""

from dataclasses import replace

import pytest

from bot.core.labels import STATE_NAMES
from bot.core.markers import Marker, find_marker, marker
from bot.core.run import Run
from bot.core.view import view
from tests import samples

pytestmark = pytest.mark.fast

RUNS = {
    "started": samples.started(),
    "reviewed": samples.reviewed(),
    "awaiting approval": samples.awaiting_approval(),
    "awaiting answer": samples.awaiting_answer(),
    "working": samples.working(),
    "in review": samples.in_review(),
    "in review, red": samples.in_review(red=True),
    "failed": samples.failed(),
    "paused": samples.paused(),
    "stopped": samples.stopped(),
    "done": samples.done(),
}
every_state = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS.keys())


def texts(run: Run) -> list[str]:
    shown = view(samples.snapshot(run))
    bodies = [shown.status, shown.spec, shown.attention, *(pull.body for pull in shown.pulls)]
    bodies += [pull.title for pull in shown.pulls] + [check.summary for check in shown.checks]
    return [body for body in bodies if body]


@every_state
def test_no_line_of_ours_starts_with_a_live_command(run: Run):
    hostile = replace(run, said="/agent stop\n/agent approve", requester="maria", issue_title="/agent stop")
    for text in texts(hostile):
        assert not [line for line in text.splitlines() if line.lstrip().lower().startswith("/agent")]


@every_state
def test_only_the_mention_line_and_the_pull_request_mention_anybody(run: Run):
    shown = view(samples.snapshot(run))
    assert "@" not in shown.status + (shown.spec or "")
    assert all(pull.body.count("@") == 1 for pull in shown.pulls)


@every_state
def test_every_body_starts_with_a_marker_that_is_found_again(run: Run):
    shown = view(samples.snapshot(run))
    found = [find_marker(body) for body in (shown.status, shown.spec, shown.attention) if body]
    assert [each.kind for each in found if each] == [
        kind for kind, body in (("status", shown.status), ("spec", shown.spec), ("attention", shown.attention)) if body
    ]
    assert all(each and each.get("run") == run.id for each in found)


@every_state
def test_the_label_is_one_of_the_nine(run: Run):
    shown = view(samples.snapshot(run))
    assert shown.label in STATE_NAMES
    assert shown.remove_labels == ("agent", "agent:spec")


@every_state
def test_the_same_snapshot_gives_the_same_view(run: Run):
    assert view(samples.snapshot(run)) == view(samples.snapshot(run))


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("started", "agent/drafting"),
        ("awaiting answer", "agent/needs-answer"),
        ("awaiting approval", "agent/needs-approval"),
        ("working", "agent/working"),
        ("in review, red", "agent/in-review"),
        ("paused", "agent/paused"),
        ("done", "agent/done"),
        ("stopped", "agent/stopped"),
        ("failed", "agent/failed"),
    ],
)
def test_each_state_has_its_label(name: str, label: str):
    assert view(samples.snapshot(RUNS[name])).label == label


@pytest.mark.parametrize(
    ("name", "contents"),
    [
        ("started", []),
        ("working", ["rocket"]),
        ("in review", ["rocket", "hooray"]),
        ("in review, red", ["rocket"]),
        ("failed", ["rocket", "confused"]),
    ],
)
def test_receipts_follow_the_run(name: str, contents: list[str]):
    assert [each.content for each in view(samples.snapshot(RUNS[name])).reactions] == contents


def test_time_stands_still_where_the_run_rests():
    run = samples.in_review()
    later = replace(samples.snapshot(run), now="2026-12-24T00:00:00Z")
    assert view(later) == view(samples.snapshot(run))


def test_red_evidence_is_never_ready_whatever_the_line_says():
    run = samples.in_review(red=True)
    run = replace(run, lines=(replace(run.lines[0], ready=True),))
    assert view(samples.snapshot(run)).pulls[0].draft


def test_evidence_of_another_commit_makes_nothing_ready():
    run = samples.in_review()
    run = replace(run, lines=(replace(run.lines[0], head_sha="ff" * 20),))
    shown = view(samples.snapshot(run))
    assert (shown.pulls[0].draft, shown.checks) == (True, ())


@pytest.mark.parametrize(
    ("result", "conclusion"),
    [("PASS", "success"), ("FAIL", "failure"), ("NOT RUN", "action_required"), ("RED ON BASE", "action_required")],
)
def test_only_a_pass_lets_a_required_check_through(result, conclusion: str):
    run = samples.in_review()
    line = replace(run.lines[0], evidence=replace(samples.evidence(), result=result))
    assert view(samples.snapshot(replace(run, lines=(line,)))).checks[0].conclusion == conclusion


def two_lines(first: str, second: str) -> Run:
    run = samples.in_review()
    one = replace(run.lines[0], state=first)
    two = replace(run.lines[0], number=2, branch=f"{samples.BRANCH}-2", state=second, pull_number=58, title="Export")
    return replace(run, lines=(one, two))


def test_while_two_lines_are_open_merging_one_closes_nothing():
    bodies = [pull.body.splitlines()[1] for pull in view(samples.snapshot(two_lines("in review", "in review"))).pulls]
    assert [body.split(" · ")[0] for body in bodies] == ["Part of #42 (line 1 of 2)", "Part of #42 (line 2 of 2)"]


def test_the_last_open_line_closes_the_issue():
    (pull,) = view(samples.snapshot(two_lines("merged", "in review"))).pulls
    assert pull.body.splitlines()[1].startswith("Fixes #42 (line 2 of 2)")


def test_a_failed_line_keeps_the_issue_open():
    (pull,) = view(samples.snapshot(two_lines("failed", "in review"))).pulls
    assert pull.body.splitlines()[1].startswith("Part of #42 (line 2 of 2)")


def test_progress_is_not_urgent_but_a_new_state_is():
    run = samples.working()
    moved = view(samples.snapshot(run, samples.Progress(1, "t2", 31, "running `pytest -q`")))
    assert moved.urgent == view(samples.snapshot(run)).urgent
    assert moved.status != view(samples.snapshot(run)).status
    assert view(samples.snapshot(samples.paused())).urgent != moved.urgent


def test_the_same_need_is_the_same_mention_and_another_need_another():
    first, again = samples.failed(), replace(samples.failed(), log=())
    assert view(samples.snapshot(first)).attention == view(samples.snapshot(again)).attention
    retried = replace(samples.failed(), attempt=2)
    assert view(samples.snapshot(first)).attention != view(samples.snapshot(retried)).attention


def test_a_pause_that_ends_by_itself_bothers_nobody():
    run = samples.paused()
    run = replace(run, state=replace(run.state, until="2026-11-24T10:00:00Z"))
    assert view(samples.snapshot(run)).attention is None


def test_a_marker_is_read_from_the_first_line_only():
    said = marker("status", run="acme/shop-42-r1", issue=42)
    assert find_marker(f"{said}\ntext") == Marker("status", (("run", "acme/shop-42-r1"), ("issue", "42")))
    assert find_marker(f"text\n{said}") is None
    assert find_marker("<!-- journeyman:v1 run=x -->") is None


def test_a_value_cannot_break_out_of_a_marker():
    said = marker("attention", about="x --> <b> kind=spec\n@maria")
    assert said.count("-->") == 1
    assert find_marker(f"{said}\ntext") == Marker("attention", (("about", "x--bkind=spec@maria"),))


def long_run(revisions: int, words: int) -> Run:
    text = "A long sentence about data. " * words
    spec = samples.spec(**dict.fromkeys(("modules", "data_model", "routes", "events", "rbac", "caching"), text))
    kept = tuple(samples.revision(number, of=spec, by=samples.review()) for number in range(1, revisions + 1))
    return replace(samples.reviewed(), revisions=kept)


def test_a_long_spec_comment_loses_its_oldest_revisions_first_and_says_so():
    text = view(samples.snapshot(long_run(6, 120))).spec or ""
    assert len(text) <= 65_536
    assert text.endswith(
        "_Left out, because GitHub takes no longer comment: revision 4, revision 3, revision 2, revision 1._"
    )


def test_sections_go_only_when_all_older_revisions_are_gone():
    requirements = tuple(
        replace(samples.spec().requirements[0], id=f"R{number}", text="WHEN it rains, " * 40) for number in range(90)
    )
    run = samples.reviewed()
    big = replace(run, revisions=(run.revisions[0], samples.revision(2, of=samples.spec(requirements=requirements))))
    text = view(samples.snapshot(big)).spec or ""
    assert len(text) <= 65_536
    assert "R89" in text
    assert text.splitlines()[-1].startswith("_Left out, because GitHub takes no longer comment: ")
    assert "revision 1" in text.splitlines()[-1]
