"""Deliveries: what is sent for what was done, signed, recorded; held, repeated, shuffled, dropped and sent again by hand."""

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import githubkit_schemas.v2026_03_10.models as models
import pytest
from pydantic import TypeAdapter, ValidationError

from bot.playground.acts import installations
from bot.playground.webhooks import Delivery, NotLoopback
from bot.playground.world import Playground
from tests.playground.receiver import Receiver, receiving
from tests.playground.scene import REPO, Scene


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def hooked(tmp_path: Path, receiver: Receiver) -> Iterator[Scene]:
    built = Scene.build(tmp_path / "hub", webhook_url=receiver.url, webhook_secret="s3cret")
    built.hub.webhooks.drain()
    receiver.received.clear()
    yield built
    built.close()


def test_a_delivery_is_signed_over_its_raw_bytes(hooked: Scene, receiver: Receiver) -> None:
    hooked.hub.open_issue(REPO, "alice", "Größe", "ümlaut")
    assert hooked.hub.webhooks.drain()
    one = receiver.received[0]
    digest = hmac.new(b"s3cret", one.body, hashlib.sha256).hexdigest()
    assert one.headers["x-hub-signature-256"] == f"sha256={digest}"


def test_a_delivery_has_githubs_headers(hooked: Scene, receiver: Receiver) -> None:
    hooked.hub.open_issue(REPO, "alice", "T")
    hooked.hub.webhooks.drain()
    headers = receiver.received[0].headers
    assert UUID(headers["x-github-delivery"]).version == 4
    assert headers["x-github-hook-installation-target-type"] == "integration"
    assert headers["x-github-hook-installation-target-id"] == str(hooked.new_app.id)
    assert headers["user-agent"].startswith("GitHub-Hookshot/")
    assert headers["content-type"] == "application/json"


def test_a_labelling_names_label_sender_repository_and_installation(hooked: Scene, receiver: Receiver) -> None:
    hooked.hub.open_issue(REPO, "alice", "T")
    hooked.hub.label(REPO, 1, "agent", by="bob")
    hooked.hub.webhooks.drain()
    assert receiver.events() == ["issues.opened", "label.created", "issues.labeled"]
    payload = receiver.received[-1].payload
    assert payload["label"]["name"] == "agent"
    assert (payload["sender"]["login"], payload["sender"]["type"]) == ("bob", "User")
    assert payload["repository"]["default_branch"] == "main"
    assert payload["installation"]["id"] == hooked.installation.id


def test_own_comments_come_back_from_a_bot_through_its_app(hooked: Scene, receiver: Receiver) -> None:
    hooked.hub.open_issue(REPO, "alice", "T")
    hooked.post("bot", "/issues/1/comments", {"body": "mine"})
    hooked.hub.webhooks.drain()
    payload = receiver.received[-1].payload
    assert (payload["sender"]["login"], payload["sender"]["type"]) == ("journeyman[bot]", "Bot")
    assert payload["comment"]["performed_via_github_app"]["id"] == hooked.new_app.id


def test_an_unsubscribed_event_is_not_delivered(tmp_path: Path, receiver: Receiver) -> None:
    scene = Scene.build(tmp_path / "hub", webhook_url=receiver.url, events=("issue_comment",))
    scene.hub.webhooks.drain()
    receiver.received.clear()
    scene.hub.open_issue(REPO, "alice", "T")
    scene.hub.comment(REPO, 1, "hello", by="alice")
    scene.hub.webhooks.drain()
    scene.close()
    assert receiver.events() == ["issue_comment.created"]


def test_an_act_is_not_held_up_by_a_receiver_that_is_down(scene: Scene) -> None:
    scene.hub.open_issue(REPO, "alice", "T")
    assert scene.hub.webhooks.drain()
    last = scene.hub.state.deliveries[-1]
    assert (last.status, last.status_code) == ("failed to connect to host", 0)


def test_a_refused_delivery_is_recorded_and_not_tried_again(hooked: Scene, receiver: Receiver) -> None:
    receiver.status = 503
    hooked.hub.open_issue(REPO, "alice", "T")
    hooked.hub.webhooks.drain()
    assert len(receiver.received) == 1
    assert hooked.get("app", "//app/hook/deliveries")[0]["status_code"] == 503


def test_a_redelivery_repeats_guid_and_bytes(hooked: Scene, receiver: Receiver) -> None:
    hooked.hub.open_issue(REPO, "alice", "T")
    hooked.hub.webhooks.drain()
    hooked.hub.state.redeliver(hooked.hub.state.deliveries[-1].id)
    hooked.hub.webhooks.drain()
    first, second = receiver.received
    assert (first.body, first.headers["x-github-delivery"]) == (second.body, second.headers["x-github-delivery"])
    assert hooked.hub.state.deliveries[-1].redelivery


def test_held_deliveries_wait_for_the_pump(hooked: Scene, receiver: Receiver) -> None:
    hooked.hub.webhooks.hold()
    hooked.hub.open_issue(REPO, "alice", "T")
    hooked.hub.comment(REPO, 1, "one", by="alice")
    assert receiver.events() == []
    assert hooked.hub.webhooks.pump(1) == 1
    assert receiver.events() == ["issues.opened"]
    assert hooked.hub.webhooks.pump() == 1
    assert receiver.events() == ["issues.opened", "issue_comment.created"]


def test_a_repeated_delivery_has_one_guid(hooked: Scene, receiver: Receiver) -> None:
    hooked.hub.webhooks.repeat()
    hooked.hub.open_issue(REPO, "alice", "T")
    hooked.hub.webhooks.drain()
    assert len({one.headers["x-github-delivery"] for one in receiver.received}) == 1
    assert len(receiver.received) == 2


def test_a_dropped_delivery_never_arrives(hooked: Scene, receiver: Receiver) -> None:
    hooked.hub.webhooks.drop()
    hooked.hub.open_issue(REPO, "alice", "T")
    hooked.hub.comment(REPO, 1, "one", by="alice")
    hooked.hub.webhooks.drain()
    assert receiver.events() == ["issue_comment.created"]


def test_shuffled_deliveries_arrive_in_another_order(hooked: Scene, receiver: Receiver) -> None:
    hooked.hub.webhooks.hold()
    for number in range(8):
        hooked.hub.open_issue(REPO, "alice", f"T{number}")
    hooked.hub.webhooks.shuffle(1)
    hooked.hub.webhooks.pump()
    titles = [one.payload["issue"]["title"] for one in receiver.received]
    assert titles != sorted(titles)
    assert sorted(titles) == [f"T{number}" for number in range(8)]


def test_nothing_is_delivered_off_this_machine(tmp_path: Path) -> None:
    with pytest.raises(NotLoopback, match=r"loopback only, not to 'example\.com'"):
        Playground.start(tmp_path, webhook_url="https://example.com/hook")


def _everything(scene: Scene) -> None:
    """Each kind of change once."""
    hub, draft = scene.hub, {"path": "src/a.py", "line": 2, "body": "?"}
    hub.open_issue(REPO, "alice", "T", "b")
    hub.label(REPO, 1, "agent", by="bob")
    hub.unlabel(REPO, 1, "agent", by="bob")
    hub.edit_issue(REPO, 1, by="alice", title="TT")
    comment = hub.comment(REPO, 1, "/agent", by="alice")
    hub.edit_comment(comment.id, "x", by="alice")
    hub.delete_comment(comment.id, by="alice")
    pull = scene.pull(draft=True)
    query = "mutation($id:ID!){markPullRequestReadyForReview(input:{pullRequestId:$id}){clientMutationId}}"
    scene.post("bot", "//graphql", {"query": query, "variables": {"id": pull["node_id"]}})
    scene.post("alice", "/pulls/2/reviews", {"event": "REQUEST_CHANGES", "body": "no", "comments": [draft]})
    thread = hub.pull(REPO, 2).threads[0].id
    mutation = "mutation($id:ID!){resolveReviewThread(input:{threadId:$id}){clientMutationId}}"
    threads = scene.post("bot", "//graphql", {"query": THREADS.replace("NUMBER", "2")})
    node = threads["data"]["repository"]["pullRequest"]["reviewThreads"]["nodes"][0]["id"]
    scene.post("alice", "//graphql", {"query": mutation, "variables": {"id": node}})
    assert hub.state.threads[thread].resolved
    scene.commit({"src/a.py": "one = 1\ntwo = 23\n"}, branch="agent/1-change", base="agent/1-change")
    sha = hub.pull(REPO, 2).head_sha
    run = scene.post("bot", "/check-runs", {"name": "v", "head_sha": sha})
    scene.ask("bot", "PATCH", f"/check-runs/{run['id']}", {"conclusion": "success"})
    scene.post("alice", f"/statuses/{sha}", {"state": "success"})
    hub.merge(REPO, 2, by="alice")
    hub.close_issue(REPO, 1, by="alice")
    hub.reopen_issue(REPO, 1, by="alice")
    hub.delete_issue(REPO, 1, by="alice")


THREADS = (
    '{repository(owner:"octo-org",name:"demo"){pullRequest(number:NUMBER)'
    "{reviewThreads(first:10){nodes{id isResolved isOutdated line}}}}}"
)


def _befall(scene: Scene) -> None:
    """What happens to the repository and the installation as a whole."""
    state, repo = scene.hub.state, scene.hub.repo(REPO)
    owner, one = state.by("octo-org"), scene.installation
    installations.rename(state, repo, owner, "demo2")
    for flag in (True, False):
        installations.archive(state, repo, owner, archived=flag)
        installations.publicize(state, repo, owner, private=flag)
        installations.suspend(state, one, owner, suspended=flag)
    installations.select(state, one, owner, add=[repo])
    installations.select(state, one, owner, remove=[repo])
    installations.uninstall(state, one, owner)


def _problem(one: Delivery) -> str | None:
    words = [one.event, *([one.action] if one.action else [])]
    name = "Webhook" + "".join(part.title() for word in words for part in word.split("_"))
    model = getattr(models, name, None)
    if model is None:
        return None if name == "WebhookPullRequestReviewRequested" else f"no model {name}"
    try:
        TypeAdapter(model).validate_json(one.body)
    except ValidationError as error:
        return f"{name}: {[('.'.join(map(str, row['loc'])), row['msg']) for row in error.errors()[:4]]}"
    return None


def test_every_payload_has_the_described_shape(scene: Scene) -> None:
    scene.hub.webhooks.drain()
    scene.hub.webhooks.hold()
    _everything(scene)
    _befall(scene)
    queued = list(scene.hub.webhooks.queue)
    assert [problem for one in queued if (problem := _problem(one))] == []
    assert {one.event for one in queued} == {
        "check_run", "check_suite", "installation", "installation_repositories", "issue_comment", "issues", "label",
        "pull_request", "pull_request_review", "pull_request_review_comment", "pull_request_review_thread", "push",
        "repository", "status",
    }  # fmt: skip
