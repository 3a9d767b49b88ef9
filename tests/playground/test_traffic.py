"""Pages, ETags, limits, faults and the control endpoint."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from inline_snapshot import snapshot

from bot.playground.control import counts
from tests.playground.scene import REPO, Scene


def test_a_list_comes_in_pages_with_links(scene: Scene) -> None:
    for number in range(5):
        scene.hub.open_issue(REPO, "alice", f"T{number}")
    answer = scene.ask("bot", "GET", "/issues?per_page=2&page=2")
    assert [one["number"] for one in answer.json()] == [3, 2]
    assert {name: httpx.URL(link["url"]).params["page"] for name, link in answer.links.items()} == snapshot(
        {"prev": "1", "next": "3", "last": "3", "first": "1"}
    )


def test_a_page_holds_a_hundred_at_most(scene: Scene) -> None:
    scene.hub.state.limits.content_per_minute = 1000
    for number in range(101):
        scene.hub.open_issue(REPO, "alice", f"T{number}")
    assert len(scene.get("bot", "/issues?per_page=500")) == 100


def test_what_has_not_changed_is_304_and_free(scene: Scene) -> None:
    scene.hub.open_issue(REPO, "alice", "T")
    first = scene.ask("bot", "GET", "/issues/1")
    second = scene.ask("bot", "GET", "/issues/1", **{"if-none-match": first.headers["etag"]})
    assert (second.status_code, second.content) == (304, b"")
    assert second.headers["x-ratelimit-used"] == first.headers["x-ratelimit-used"]


def test_a_change_makes_another_etag(scene: Scene) -> None:
    scene.hub.open_issue(REPO, "alice", "T")
    tag = scene.ask("bot", "GET", "/issues/1").headers["etag"]
    scene.hub.edit_issue(REPO, 1, by="alice", title="U")
    assert scene.ask("bot", "GET", "/issues/1", **{"if-none-match": tag}).status_code == 200


def test_the_hourly_limit_ends_in_403_until_its_reset(scene: Scene) -> None:
    scene.hub.state.limits.core = 3
    answers = [scene.ask("bot", "GET", "") for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 200, 403]
    assert answers[3].headers["x-ratelimit-remaining"] == "0"
    assert answers[3].json()["message"].startswith("API rate limit exceeded for installation ID ")
    scene.hub.state.clock.advance(3601)
    scene.tokens["bot"] = scene.mint()
    assert scene.ask("bot", "GET", "").status_code == 200


def test_content_made_too_fast_meets_the_secondary_limit(scene: Scene) -> None:
    scene.hub.state.limits.content_per_minute = 2
    scene.hub.open_issue(REPO, "alice", "T")
    answers = [scene.ask("bot", "POST", "/issues/1/comments", {"body": "x"}) for _ in range(3)]
    assert [one.status_code for one in answers] == [201, 201, 403]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 61
    assert answers[2].json()["message"].startswith("You have exceeded a secondary rate limit.")


def test_an_answer_lost_after_the_act_leaves_the_act(scene: Scene) -> None:
    scene.hub.open_issue(REPO, "alice", "T")
    scene.hub.state.faults.add("lose_answer", method="POST", path="/api/repos/*/issues/*/comments")
    with pytest.raises(httpx.TransportError):  # no answer, or a reset: the same hang-up, as the kernel saw it
        scene.ask("bot", "POST", "/issues/1/comments", {"body": "once"})
    assert [one["body"] for one in scene.get("bot", "/issues/1/comments")] == ["once"]


def test_a_request_dropped_before_the_act_does_nothing(scene: Scene) -> None:
    scene.hub.open_issue(REPO, "alice", "T")
    scene.hub.state.faults.add("drop", method="POST", path="/api/repos/*/issues/*/comments")
    with pytest.raises(httpx.TransportError):  # no answer, or a reset: the same hang-up, as the kernel saw it
        scene.ask("bot", "POST", "/issues/1/comments", {"body": "never"})
    assert scene.get("bot", "/issues/1/comments") == []


@pytest.mark.parametrize(("kind", "made"), [("error_before", 0), ("error_after", 1)])
def test_a_server_error_comes_before_or_after_the_act(scene: Scene, kind: str, made: int) -> None:
    scene.hub.open_issue(REPO, "alice", "T")
    scene.hub.state.faults.add(kind, method="POST", status=503)
    assert scene.ask("bot", "POST", "/issues/1/comments", {"body": "x"}).status_code == 503
    assert len(scene.get("bot", "/issues/1/comments")) == made


def test_a_slow_answer_takes_its_time(scene: Scene) -> None:
    scene.hub.state.faults.add("slow", seconds=0.2)
    started = time.monotonic()
    scene.get("bot", "")
    assert time.monotonic() - started >= 0.2


def test_a_stale_list_lags_behind_and_the_thing_itself_does_not(scene: Scene) -> None:
    scene.hub.open_issue(REPO, "alice", "T")
    made = scene.post("bot", "/issues/1/comments", {"body": "x"})
    scene.hub.state.faults.add("stale", path="/api/repos/*/comments", seconds=60, count=None)
    assert scene.get("bot", "/issues/1/comments") == []
    assert scene.get("bot", f"/issues/comments/{made['id']}")["body"] == "x"
    scene.hub.state.clock.advance(61)
    assert len(scene.get("bot", "/issues/1/comments")) == 1


def test_a_secondary_limit_on_demand(scene: Scene) -> None:
    scene.hub.state.faults.add("secondary_limit", status=429, seconds=7)
    answer = scene.ask("bot", "GET", "")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


def test_a_fault_by_probability_is_repeatable(scene: Scene) -> None:
    scene.hub.state.faults.seed(4)
    scene.hub.state.faults.add("error_before", probability=0.5, count=None)
    first = [scene.ask("bot", "GET", "").status_code for _ in range(12)]
    scene.hub.state.faults.seed(4)
    assert [scene.ask("bot", "GET", "").status_code for _ in range(12)] == first
    assert set(first) == {200, 502}


def test_other_processes_set_faults_and_read_counts(scene: Scene) -> None:
    control = f"{scene.hub.url}/_control"
    scene.hub.open_issue(REPO, "alice", "T")
    scene.client.post(f"{control}/faults", json={"kind": "error_after", "method": "POST"}).raise_for_status()
    scene.ask("bot", "POST", "/issues/1/comments", {"body": "x"})
    scene.pull()
    found = scene.client.get(f"{control}/counts", params={"actor": "journeyman[bot]"}).json()
    assert found == snapshot({"octo-org/demo": {"1": {"comment": 1}, "-": {"push": 1}, "2": {"pull": 1}}})


def test_a_wrong_fault_is_refused(scene: Scene) -> None:
    answer = scene.client.post(f"{scene.hub.url}/_control/faults", json={"kind": "earthquake"})
    assert answer.status_code == 422


def test_what_many_do_at_once_is_done_once_each(scene: Scene) -> None:
    scene.hub.open_issue(REPO, "alice", "T")
    with ThreadPoolExecutor(16) as pool:
        asked = [pool.submit(scene.ask, "bot", "POST", "/issues/1/comments", {"body": str(n)}) for n in range(48)]
        numbers = [one.result().json()["id"] for one in asked]
    bodies = {one["body"] for one in scene.get("bot", "/issues/1/comments?per_page=100")}
    assert len(set(numbers)) == 48
    assert bodies == {str(number) for number in range(48)}


def test_counts_are_by_issue_and_kind(scene: Scene) -> None:
    scene.hub.open_issue(REPO, "alice", "T")
    scene.hub.comment(REPO, 1, "x", by="alice")
    scene.hub.comment(REPO, 1, "y", by="alice")
    assert counts(scene.hub.state) == {REPO: {"1": {"issue": 1, "comment": 2}}}
