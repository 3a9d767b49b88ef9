"""GitHub becomes equal to the view, once, with few calls, whatever is lost on the way."""

import asyncio
from dataclasses import replace

import pytest

from bot.core.run import Drafting, Working
from bot.core.view import view
from bot.ports import Cancelled, Transient
from tests import samples
from tests.publish.conftest import HELD, Bench

pytestmark = pytest.mark.fast


def seen(run, *progress):
    return view(samples.snapshot(run, *progress))


async def publish(bench: Bench, run, **how) -> float | None:
    return await bench.publisher().publish(run, seen(run), **how)


async def test_the_first_publication_is_made_at_once(bench: Bench):
    run = samples.started()

    assert await publish(bench, run) is None

    assert [each.body for each in bench.github.ours("status")] == [seen(run).status]
    assert bench.github.labels == ["bug", "agent/drafting"]


async def test_publishing_the_same_again_asks_github_nothing(bench: Bench):
    await publish(bench, samples.started())
    before = bench.github.calls.copy()

    assert await publish(bench, samples.started()) is None

    assert bench.github.calls == before


async def test_a_new_state_waits_for_the_interval_and_then_edits_in_place(bench: Bench):
    await publish(bench, samples.started())
    run = samples.reviewed()

    assert await publish(bench, run) == bench.clock.at + 10
    bench.clock.at += 10
    assert await publish(bench, run) is None

    assert [each.body for each in bench.github.ours("status")] == [seen(run).status]
    assert [each.body for each in bench.github.ours("spec")] == [seen(run).spec]
    assert bench.github.labels == ["bug", "agent/working"]


async def test_progress_alone_waits_longer_and_ever_longer(bench: Bench):
    run = samples.working()
    await publish(bench, run)
    waits = []
    for turn in range(4):
        progress = seen(run, samples.Progress(1, "t2", turn, "thinking"))
        due = await bench.publisher().publish(run, progress)
        assert due is not None
        waits.append(due - bench.clock.at)
        bench.clock.at = due
        assert await bench.publisher().publish(run, progress) is None
    assert waits == [300, 600, 1200, 1800]


async def test_a_lost_answer_makes_no_second_comment(bench: Bench):
    bench.github.lose = ["create_comment"]
    bench.github.lag = 1

    await publish(bench, samples.started())

    assert len(bench.github.ours("status")) == 1
    assert bench.slept == [1.0, 3.0]


async def test_a_crash_after_the_act_makes_no_second_comment(bench: Bench):
    bench.github.lose = ["create_comment"]
    bench.github.refuse = ["comments"]
    with pytest.raises(Transient):
        await publish(bench, samples.started())

    await publish(bench, samples.working())

    assert [each.body for each in bench.github.ours("status")] == [seen(samples.working()).status]


async def test_two_publishers_at_once_make_one_comment(bench: Bench):
    one = bench.publisher()
    run = samples.awaiting_approval()

    await asyncio.gather(*(one.publish(run, seen(run)) for _ in range(5)))

    assert (len(bench.github.ours("status")), len(bench.github.ours("attention"))) == (1, 1)


async def test_a_zombie_writes_nothing(bench: Bench):
    async def lost() -> bool:
        return False

    with pytest.raises(Cancelled):
        await publish(bench, samples.started(), still_mine=lost)

    assert bench.github.ours("status") == []


async def test_a_deleted_comment_is_made_again(bench: Bench):
    await publish(bench, samples.started())
    bench.github.issue_comments.clear()
    bench.clock.at += 60

    await publish(bench, samples.working())

    assert [each.body for each in bench.github.ours("status")] == [seen(samples.working()).status]


async def test_a_stranger_who_copies_our_marker_is_not_taken_for_us(bench: Bench):
    bench.github.write_comment(seen(samples.started()).status, author="mallory", app_id=None)
    bench.github.refuse = ["create_comment"]

    await publish(bench, samples.started())

    assert len(bench.github.ours("status")) == 1


async def test_what_somebody_edited_is_put_back(bench: Bench):
    run = samples.started()
    await publish(bench, run)
    ours = bench.github.ours("status")[0]
    bench.github.issue_comments[ours.id] = replace(ours, body=ours.body + "\nApproved!")
    bench.github.labels = ["agent/done", "agent"]
    bench.clock.at += 60

    await publish(bench, run, look=True)

    assert bench.github.ours("status")[0].body == seen(run).status
    assert bench.github.labels == ["agent/drafting"]


async def test_a_mention_is_made_at_once_and_replaces_the_last(bench: Bench):
    await publish(bench, samples.awaiting_answer())
    run = samples.failed()

    assert await publish(bench, run) is None

    assert [each.body for each in bench.github.ours("attention")] == [seen(run).attention]


async def test_a_mention_goes_when_nobody_has_to_act(bench: Bench):
    await publish(bench, samples.awaiting_answer())
    bench.clock.at += 60

    await publish(bench, samples.working())

    assert bench.github.ours("attention") == []


async def test_the_same_need_later_is_a_new_mention(bench: Bench):
    for run in (samples.awaiting_answer(), samples.working(), samples.awaiting_answer()):
        bench.clock.at += 60
        await publish(bench, run)

    assert bench.github.calls["create_comment"] == 4  # status, spec, two mentions
    assert len(bench.github.ours("attention")) == 1


async def test_a_draft_becomes_ready_and_the_requester_is_asked(bench: Bench):
    run = samples.in_review()
    pull = seen(run).pulls[0]
    bench.github.open_pull(57, pull.branch, body=pull.body, draft=True)

    await publish(bench, run)

    assert not bench.github.pulls[57].draft
    assert bench.github.reviewers == ["maria"]
    assert bench.github.calls["update_pull"] == 0


async def test_red_evidence_makes_a_ready_pull_request_a_draft_again(bench: Bench):
    run = samples.in_review(red=True)
    bench.github.open_pull(57, seen(run).pulls[0].branch, body="", draft=False)

    await publish(bench, run)

    assert bench.github.pulls[57].draft
    assert bench.github.pulls[57].body == seen(run).pulls[0].body


async def test_a_check_run_is_made_once_though_its_answer_is_lost(bench: Bench):
    run = samples.in_review()
    bench.github.lose = ["put_check"]

    await publish(bench, run)

    assert [each["conclusion"] for each in bench.github.checks.values()] == ["success"]


async def test_a_secret_is_replaced_by_a_sentence_and_recorded(bench: Bench):
    run = replace(samples.started(), said=f"The key is {HELD[6:]}")

    await publish(bench, run)

    body = bench.github.ours("status")[0].body
    assert HELD[6:] not in body
    assert body.splitlines() == [
        "<!-- journeyman:v1 kind=status run=acme/shop-42-r1 issue=42 -->",
        "The status comment is held back: it holds something that looks like a secret (held secret). Nothing of it was published.",
    ]
    assert [(block.what, block.rules) for block in bench.blocks] == [("status comment", ("held secret",))]


async def test_a_second_run_takes_over_the_comments(bench: Bench):
    await publish(bench, samples.stopped())
    bench.github.labels.append("agent")
    bench.clock.at += 3600
    second = replace(samples.started(), id="acme/shop-42-r2", number=2)

    await publish(bench, second)

    assert [each.body for each in bench.github.ours("status")] == [seen(second).status]
    assert bench.github.labels == ["bug", "agent/drafting"]


async def test_a_run_of_half_an_hour_stays_within_its_budget(bench: Bench):
    story = [
        (0, samples.started()),
        (120, replace(samples.started(), phase="challenge", revisions=samples.reviewed().revisions[:1])),
        (300, samples.reviewed()),
        (360, samples.working()),
        (1500, replace(samples.in_review(), state=Working(), phase="verify", lines=samples.working().lines)),
        (1790, samples.in_review()),
    ]
    start = bench.clock.at
    for second in range(0, 1830, 10):
        bench.clock.at = start + second
        run = [run for at, run in story if at <= second][-1]
        moving = isinstance(run.state, (Drafting, Working))
        progress = [samples.Progress(1, "t2", second // 20, "running `pytest -q`")] if moving else []
        if run.lines and run.lines[0].pull_number and not bench.github.pulls:
            pull = seen(run).pulls[0]
            await bench.github.create_pull(
                0, "", head=pull.branch, base="main", title=pull.title, body=pull.body, draft=False
            )
        await bench.publisher().publish(run, seen(run, *progress))

    assert bench.github.writes <= 8
    assert sum(bench.github.calls.values()) <= 40
    assert bench.github.ours("status")[0].body == seen(samples.in_review()).status
