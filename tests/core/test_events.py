"""A delivery's bytes become one event of ours, or a reason why not, and never an exception."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import events
from bot.core.deliveries import ROUTED, parse, routed
from bot.core.events import Actor, Envelope, Ignored, IssueRef, Malformed, RepoRef
from tests import payloads

pytestmark = pytest.mark.fast

SHOP = RepoRef(9001, "acme/shop", "main", True)
MARIA, OLA = Actor(501, "maria"), Actor(502, "ola")
AT = Envelope("d1", 31, SHOP, MARIA)
ISSUE = IssueRef(42, "Keep a consent log", OLA, False, "open", ("agent",))
BRANCH, SHA = "agent/42-consent-log", "a" * 40


def read(name: str, payload: object) -> object:
    return parse(name, "d1", json.dumps(payload).encode())


CASES: list[tuple[str, dict[str, Any], object]] = [
    ("issues", payloads.issues("labeled"), events.IssueLabeled(AT, ISSUE, "agent")),
    ("issues", payloads.issues("unlabeled", "agent/done"), events.IssueUnlabeled(AT, ISSUE, "agent/done")),
    ("issues", payloads.issues("closed"), events.IssueClosed(AT, ISSUE)),
    ("issues", payloads.issues("deleted"), events.IssueGone(AT, ISSUE)),
    ("issues", payloads.issues("transferred"), events.IssueGone(AT, ISSUE)),
    (
        "issue_comment",
        payloads.issue_comment("/agent stop"),
        events.IssueCommented(AT, ISSUE, 7001, "/agent stop", "2026-11-24T09:14:02Z", None),
    ),
    (
        "issue_comment",
        payloads.issue_comment(action="edited"),
        events.OwnCommentChanged(AT, ISSUE, 7001, False, MARIA, None),
    ),
    (
        "issue_comment",
        payloads.issue_comment(action="deleted"),
        events.OwnCommentChanged(AT, ISSUE, 7001, True, MARIA, None),
    ),
    ("pull_request", payloads.pull_request("closed"), events.PullRequestClosed(AT, 43, BRANCH, SHA, False)),
    (
        "pull_request",
        payloads.pull_request("closed", pull_request=payloads.pull(merged=True)),
        events.PullRequestClosed(AT, 43, BRANCH, SHA, True),
    ),
    ("pull_request", payloads.pull_request("reopened"), events.PullRequestReopened(AT, 43, BRANCH)),
    ("pull_request", payloads.pull_request("labeled"), events.PullRequestLabeled(AT, 43, BRANCH, "agent")),
    ("pull_request", payloads.pull_request("synchronize"), events.PullRequestPushed(AT, 43, BRANCH, SHA)),
    ("pull_request_review", payloads.review(), events.ReviewSubmitted(AT, 43, BRANCH, "changes_requested")),
    ("pull_request_review_comment", payloads.review_comment(), events.ReviewThreadChanged(AT, 43, BRANCH)),
    ("pull_request_review_thread", payloads.review_thread(), events.ReviewThreadChanged(AT, 43, BRANCH)),
    ("pull_request_review_thread", payloads.review_thread("unresolved"), events.ReviewThreadChanged(AT, 43, BRANCH)),
    ("check_run", payloads.check("check_run"), events.ChecksCompleted(AT, SHA, "failure", 15368)),
    ("check_suite", payloads.check("check_suite"), events.ChecksCompleted(AT, SHA, "failure", 15368)),
    ("status", payloads.status("success"), events.ChecksCompleted(AT, SHA, "success", None)),
    ("push", payloads.push(), events.Pushed(AT, "refs/heads/main", "b" * 40, "c" * 40)),
    ("repository", payloads.repository_event(), events.RepositoryChanged(AT, "renamed")),
    ("label", payloads.label_event(), events.LabelChanged(AT, "agent", "deleted")),
    (
        "label",
        payloads.label_event("edited", "robot", changes={"name": {"from": "agent"}}),
        events.LabelChanged(AT, "agent", "edited"),
    ),
    (
        "label",
        payloads.label_event("edited", changes={"color": {"from": "fff"}}),
        events.LabelChanged(AT, "agent", "edited"),
    ),
]


@pytest.mark.parametrize(("name", "payload", "event"), CASES)
def test_what_github_sends_becomes_our_event(name: str, payload: dict[str, Any], event: object):
    assert read(name, payload) == event


BARE_SHOP = RepoRef(9001, "acme/shop", "", True)


@pytest.mark.parametrize(
    ("name", "payload", "added", "removed"),
    [
        ("installation", payloads.installation("created"), (BARE_SHOP,), ()),
        ("installation", payloads.installation("deleted"), (), (BARE_SHOP,)),
        ("installation", payloads.installation("unsuspend", repositories=None), (), ()),
        ("installation_repositories", payloads.installation_repositories("added"), (BARE_SHOP,), ()),
        ("installation_repositories", payloads.installation_repositories("removed"), (), (BARE_SHOP,)),
    ],
)
def test_an_installation_says_which_repositories_came_and_went(
    name: str, payload: dict[str, Any], added: tuple[RepoRef, ...], removed: tuple[RepoRef, ...]
):
    action = payload["action"]
    assert read(name, payload) == events.InstallationChanged("d1", 31, "acme", action, MARIA, added, removed)


def test_a_comment_on_a_pull_request_says_so():
    on_pull = payloads.issue_comment(issue=payloads.issue(pull_request={"url": "https://api.github.com/…/43"}))
    event = read("issue_comment", on_pull)
    assert isinstance(event, events.IssueCommented)
    assert event.issue.is_pull_request


def test_a_comment_made_through_an_app_carries_the_apps_id():
    written = payloads.comment("hi", performed_via_github_app={"id": 77, "slug": "journeyman"})
    event = read("issue_comment", payloads.issue_comment(comment=written))
    assert isinstance(event, events.IssueCommented)
    assert event.app_id == 77


@pytest.mark.parametrize(
    ("head_repo", "seen"),
    [({"id": 6, "full_name": "mallory/shop"}, "mallory:agent/42-x"), (None, "mallory:agent/42-x")],
)
def test_a_forks_branch_never_passes_for_ours(head_repo: dict[str, Any] | None, seen: str):
    pull = payloads.pull("agent/42-x")
    pull["head"] |= {"repo": head_repo, "user": payloads.user("mallory", 6)}
    event = read("pull_request", payloads.pull_request("closed", pull_request=pull))
    assert isinstance(event, events.PullRequestClosed)
    assert event.head_ref == seen


def test_a_deleted_account_is_nobody():
    event = read("issues", payloads.issues("closed", sender=None))
    assert isinstance(event, events.IssueClosed)
    assert event.at.sender == Actor(0, "", "")


def test_nulls_where_github_may_send_them_are_defaults():
    bare = payloads.issue(user=None, labels=None, state=None, title=None)
    assert read("issues", payloads.issues("closed", issue=bare)) == events.IssueClosed(
        AT, IssueRef(42, "", Actor(0, "", ""), False)
    )


@pytest.mark.parametrize(
    ("name", "payload", "reason"),
    [
        ("star", {"action": "created"}, "no handler routes star.created"),
        ("issues", payloads.issues("opened"), "no handler routes issues.opened"),
        ("ping", {"zen": "Half measures"}, "no handler routes ping"),
        ("status", payloads.status("pending"), "the status is still pending"),
    ],
)
def test_what_no_handler_routes_is_ignored(name: str, payload: dict[str, Any], reason: str):
    assert read(name, payload) == Ignored(reason)


@pytest.mark.parametrize(
    ("name", "payload", "reason"),
    [
        (
            "issues",
            payloads.issues("labeled", installation=None),
            "issues: no installation id; the webhook must be the App's own, not a repository's",
        ),
        ("issues", payloads.issues("labeled", repository=None), "issues: no repository"),
        ("issues", payloads.issues("labeled", issue=None), "issues: no issue number"),
        ("issues", payloads.issues("labeled", label=None), "issues: no label name"),
        ("issue_comment", payloads.issue_comment(comment=None), "issue_comment: no comment id"),
        ("pull_request", payloads.pull_request("closed", pull_request=None), "pull_request: no pull request number or head"),
        ("check_run", payloads.check("other"), "check_run: no head SHA"),
        ("status", payloads.status(sha=""), "status: no SHA"),
        ("push", payloads.push(""), "push: no ref"),
        ("installation", payloads.installation(installation=None), "installation: no installation id"),
        ("issues", [], "issues: Expected `object`, got `array`"),
        ("issues", None, "issues: Expected `object`, got `null`"),
        ("issues", payloads.issues("labeled", issue="42"), "issues: Expected `object | null`, got `str` - at `$.issue`"),
    ],
)  # fmt: skip
def test_a_payload_without_what_its_event_needs_is_malformed(name: str, payload: object, reason: str):
    assert read(name, payload) == Malformed(reason)


@pytest.mark.parametrize("raw", [b"[" * 100_000, b'{"a":' * 100_000, b'{"issue":' + b"[" * 100_000, b"\xff", b""])
def test_hostile_json_is_malformed(raw: bytes):
    assert isinstance(parse("issues", "d1", raw), Malformed)


@given(name=st.sampled_from(sorted(ROUTED)) | st.text(), raw=st.binary(max_size=200))
def test_no_bytes_raise(name: str, raw: bytes):
    assert isinstance(parse(name, "d1", raw), Ignored | Malformed)


def holes(payload: Any) -> list[tuple[Any, ...]]:
    """The paths of every value in a payload."""
    if not isinstance(payload, dict):
        return []
    return [path for key, value in payload.items() for path in [(key,), *((key, *below) for below in holes(value))]]


JUNK = st.sampled_from([None, 0, -1, "", "x", [], [None], [[]], {}, {"id": None}, 2**70, 1.5, True, "\ud800"])


@given(data=st.data())
def test_a_payload_with_anything_replaced_never_raises(data: st.DataObject):
    name = data.draw(st.sampled_from(sorted(payloads.SAMPLES)))
    payload = json.loads(json.dumps(payloads.SAMPLES[name]))
    for path in data.draw(st.lists(st.sampled_from(holes(payload)), max_size=3)):
        at = payload
        for key in path[:-1]:
            at = at.get(key) if isinstance(at, dict) else None
        if isinstance(at, dict):
            at[path[-1]] = copy.deepcopy(data.draw(JUNK))

    assert isinstance(read(name, payload), events.Event | Ignored | Malformed)


@pytest.mark.parametrize("name", sorted(ROUTED))
def test_the_web_process_and_the_parser_agree_on_what_is_routed(name: str):
    for action in ROUTED[name] or {""}:
        payload = payloads.SAMPLES[name] | ({"action": action} if action else {}) | {"label": payloads.label("agent")}
        assert routed(name, action)
        assert isinstance(read(name, payload), events.Event)
