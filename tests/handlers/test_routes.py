"""What each event asks for, told as: given this delivery, these intents."""

import json
from typing import Any, get_args

import pytest
from inline_snapshot import snapshot

from bot.core import intents as i
from bot.core.deliveries import parse
from bot.core.events import Actor, Event, Ignored, Malformed, Me, RepoRef
from bot.core.intents import Intent, Target
from bot.core.repo_config import RepoConfig, Trigger, TriggerLabels
from bot.core.text.intake import AVAILABLE
from handlers import ROUTES, route
from tests import payloads as p

pytestmark = pytest.mark.fast

ME = Me(p.ME_APP, p.ME_USER, "journeyman-acme[bot]")
SHOP = RepoRef(9001, "acme/shop", "main", True)
MARIA = Actor(501, "maria")
ISSUE = Target("d1", 31, SHOP, 42, MARIA, issue_title="Keep a consent log", issue_author="ola")
PULL = Target("d1", 31, SHOP, 43, MARIA, is_pull_request=True)
SAID = Target("d1", 31, SHOP, 42, MARIA, False, 7001, "2026-11-24T09:14:02Z", "Keep a consent log", "ola")
BRANCH, SHA = "agent/42-consent-log", "a" * 40


def intents(name: str, payload: dict[str, Any], config: RepoConfig | None = None) -> list[Intent]:
    event = parse(name, "d1", json.dumps(payload).encode())
    assert not isinstance(event, Ignored | Malformed), event
    return route(event, config or RepoConfig(), ME)


def by_us(payload: dict[str, Any]) -> dict[str, Any]:
    return payload | {"sender": p.bot()}


def by_a_bot(payload: dict[str, Any]) -> dict[str, Any]:
    return payload | {"sender": p.user("renovate[bot]", 900, "Bot")}


def test_every_event_has_a_handler():
    assert set(ROUTES) == set(get_args(Event))


# ---- labels ---------------------------------------------------------------------------------------------------------


def test_the_label_agent_starts_a_whole_run():
    assert intents("issues", p.issues("labeled", "agent")) == [i.StartRun(ISSUE, "full", "agent")]


def test_the_label_agent_spec_starts_a_spec():
    assert intents("issues", p.issues("labeled", "agent:spec")) == [i.StartRun(ISSUE, "spec", "agent:spec")]


def test_a_label_counts_in_any_case():
    assert intents("issues", p.issues("labeled", "Agent")) == [i.StartRun(ISSUE, "full", "Agent")]


def test_a_repository_may_name_its_own_labels():
    robot = RepoConfig(trigger=Trigger(labels=TriggerLabels(run="robot")))
    assert intents("issues", p.issues("labeled", "robot"), robot) == [i.StartRun(ISSUE, "full", "robot")]
    assert intents("issues", p.issues("labeled", "agent"), robot) == []


@pytest.mark.parametrize("who", [p.user(), p.user("renovate[bot]", 900, "Bot")])
def test_the_label_agent_skip_stops_whoever_puts_it_on(who: dict[str, Any]):
    [stop] = intents("issues", p.issues("labeled", "agent:skip", sender=who))
    assert isinstance(stop, i.StopRun)
    assert stop.why == "the label `agent:skip` was put on"


@pytest.mark.parametrize("label", ["agent", "agent:spec"])
def test_no_bot_can_start_a_run_by_a_label(label: str):
    assert intents("issues", by_a_bot(p.issues("labeled", label))) == []
    assert intents("issues", by_us(p.issues("labeled", label))) == []


@pytest.mark.parametrize("label", ["bug", "agents", "agent:other"])
def test_other_labels_mean_nothing(label: str):
    assert intents("issues", p.issues("labeled", label)) == []


@pytest.mark.parametrize("action", ["labeled", "unlabeled"])
def test_a_state_label_moved_by_hand_is_put_right(action: str):
    assert intents("issues", p.issues(action, "agent/done")) == [i.Republish(ISSUE)]


@pytest.mark.parametrize("action", ["labeled", "unlabeled"])
def test_our_own_state_labels_cause_nothing(action: str):
    assert intents("issues", by_us(p.issues(action, "agent/done"))) == []


def test_a_command_label_taken_off_means_nothing():
    assert intents("issues", p.issues("unlabeled", "agent")) == []


def test_closing_the_issue_stops_the_run():
    assert intents("issues", p.issues("closed")) == [i.StopRun(ISSUE, "the issue was closed", closed=True)]


@pytest.mark.parametrize("action", ["deleted", "transferred"])
def test_an_issue_that_is_gone_stops_its_run(action: str):
    gone = "the issue was deleted or moved to another repository"
    assert intents("issues", p.issues(action)) == [i.StopRun(ISSUE, gone)]


# ---- commands -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "intent"),
    [
        ("/agent", i.StartRun(SAID, "spec")),
        ("/agent spec", i.StartRun(SAID, "spec")),
        ("/agent refine Use the queue", i.RefineSpec(SAID, "Use the queue")),
        ("/agent approve", i.ApproveSpec(SAID)),
        ("/agent approve 2", i.ApproveSpec(SAID, "2")),
        ("/agent answer A1 yes", i.AnswerQuestion(SAID, "A1", "yes")),
        ("/agent waive F1 fine", i.WaiveFinding(SAID, "F1", "fine")),
        ("/agent stop", i.StopRun(SAID, "@maria said `/agent stop`")),
        ("/agent pause", i.PauseRun(SAID)),
        ("/agent resume", i.ResumeRun(SAID)),
        ("/agent retry from=plan", i.RetryRun(SAID, "plan")),
        ("/agent status", i.ShowAnswer(SAID, "status")),
        ("/agent help", i.ShowAnswer(SAID, "help")),
    ],
)
def test_a_command_becomes_its_intent(body: str, intent: Intent):
    assert intents("issue_comment", p.issue_comment(body)) == [intent]


@pytest.mark.parametrize(
    "body",
    [
        "/agent review", "/agent cost", "/agent log", "/agent config", "/agent steer x", "/agent fix x", "/agent address",
        "/agent ci", "/agent rebase", "/agent verify", "/agent undo", "/agent allow-ci", "/agent takeover", "/agent handback",
        "/agent budget 9", "/agent ask x",
    ],
)  # fmt: skip
def test_a_verb_of_a_later_version_is_answered_plainly(body: str):
    [answer] = intents("issue_comment", p.issue_comment(body))
    assert isinstance(answer, i.SayPlainly)
    assert answer.sentence.startswith(f"`/agent {body.split()[1]}` is not available in this version; available are ")
    assert all(f"`{verb}`" in answer.sentence for verb in AVAILABLE)


def test_the_plain_answer_names_the_verbs_that_work():
    [answer] = intents("issue_comment", p.issue_comment("/agent undo 2"))
    assert isinstance(answer, i.SayPlainly)
    assert answer.sentence == snapshot(
        "`/agent undo` is not available in this version; available are `spec`, `refine`, `approve`, `answer`, `waive`, "
        "`stop`, `pause`, `resume`, `retry`, `status` and `help`."
    )


def test_a_mistyped_verb_is_answered_with_a_guess():
    [answer] = intents("issue_comment", p.issue_comment("/agent aprove"))
    assert answer == i.SayPlainly(SAID, "`/agent aprove` is not a command; did you mean `/agent approve`?")


def test_a_comment_without_a_command_is_nothing():
    assert intents("issue_comment", p.issue_comment("Looks good to me.")) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"sender": p.bot()},
        {"sender": p.user("renamed", p.ME_USER, "User")},
        {"sender": p.user("renovate[bot]", 900, "Bot")},
        {"comment": p.comment("/agent stop", performed_via_github_app={"id": p.ME_APP})},
        {"sender": None},
    ],
    ids=["our account", "our account under another name and type", "another bot", "through our App", "nobody"],
)
def test_only_a_persons_comment_is_a_command(changed: dict[str, Any]):
    assert intents("issue_comment", p.issue_comment("/agent stop", **changed)) == []


def test_a_person_whose_name_looks_like_a_bots_is_still_a_person():
    [stop] = intents("issue_comment", p.issue_comment("/agent stop", sender=p.user("maria[bot]", 502)))
    assert isinstance(stop, i.StopRun)


def on_pull(body: str) -> dict[str, Any]:
    return p.issue_comment(body, issue=p.issue(number=43, pull_request={"url": "https://api.github.com/x"}))


@pytest.mark.parametrize("body", ["/agent", "/agent refine x", "/agent approve", "/agent answer A1 x"])
def test_a_command_about_the_spec_belongs_on_the_issue(body: str):
    [answer] = intents("issue_comment", on_pull(body))
    assert isinstance(answer, i.SayPlainly)
    assert "works on issues, not on pull requests" in answer.sentence


@pytest.mark.parametrize("body", ["/agent stop", "/agent waive F1 fine", "/agent retry", "/agent status"])
def test_other_commands_work_on_a_pull_request_too(body: str):
    [intent] = intents("issue_comment", on_pull(body))
    assert not isinstance(intent, i.SayPlainly | i.EnsureLabels | i.DropInstallation | i.RefreshRepository)
    assert (intent.to.number, intent.to.is_pull_request) == (43, True)


@pytest.mark.parametrize("action", ["edited", "deleted"])
def test_an_edited_comment_never_executes(action: str):
    assert intents("issue_comment", p.issue_comment("/agent stop", action)) == []


@pytest.mark.parametrize("action", ["edited", "deleted"])
def test_our_comment_changed_by_somebody_is_put_back(action: str):
    ours = p.comment("status", user=p.bot(), performed_via_github_app={"id": p.ME_APP})
    assert intents("issue_comment", p.issue_comment(action=action, comment=ours)) == [i.Republish(ISSUE)]


def test_our_own_edit_of_our_comment_causes_nothing():
    ours = p.comment("status", user=p.bot())
    assert intents("issue_comment", by_us(p.issue_comment(action="edited", comment=ours))) == []


# ---- pull requests --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "payload", "note"),
    [
        ("pull_request", p.pull_request("closed"), i.NotePullRequest(PULL, BRANCH, "closed", SHA)),
        ("pull_request", p.pull_request("closed", pull_request=p.pull(merged=True)), i.NotePullRequest(PULL, BRANCH, "merged", SHA)),
        ("pull_request", p.pull_request("reopened"), i.NotePullRequest(PULL, BRANCH, "reopened")),
        ("pull_request", p.pull_request("synchronize"), i.NotePullRequest(PULL, BRANCH, "pushed", SHA)),
        ("pull_request", p.pull_request("labeled", label=p.label("bug")), i.NotePullRequest(PULL, BRANCH, "labeled", label="bug")),
        ("pull_request_review", p.review(), i.NotePullRequest(PULL, BRANCH, "reviewed")),
        ("pull_request_review_comment", p.review_comment(), i.NotePullRequest(PULL, BRANCH, "reviewed")),
        ("pull_request_review_thread", p.review_thread(), i.NotePullRequest(PULL, BRANCH, "reviewed")),
    ],
)  # fmt: skip
def test_what_happens_to_our_pull_request_is_noted(name: str, payload: dict[str, Any], note: Intent):
    assert intents(name, payload) == [note]


@pytest.mark.parametrize("action", ["closed", "reopened", "synchronize"])
def test_other_branches_are_nobodys_business(action: str):
    assert intents("pull_request", p.pull_request(action, pull_request=p.pull("feature/x"))) == []


def test_a_fork_can_not_pass_for_our_branch():
    fork = p.pull("agent/42-consent-log", repo=p.repository(id=6, full_name="mallory/shop"), merged=True)
    assert intents("pull_request", p.pull_request("closed", pull_request=fork)) == []


@pytest.mark.parametrize("payload", [p.pull_request("synchronize"), p.pull_request("labeled", label=p.label("bug"))])
def test_our_own_pushes_and_labels_cause_nothing(payload: dict[str, Any]):
    assert intents("pull_request", by_us(payload)) == []


@pytest.mark.parametrize(
    ("name", "payload"),
    [("pull_request_review", p.review()), ("pull_request_review_comment", p.review_comment())],
)
def test_our_own_reviews_cause_nothing(name: str, payload: dict[str, Any]):
    assert intents(name, by_us(payload)) == []


def test_a_command_label_on_a_pull_request_is_answered_plainly():
    [answer] = intents("pull_request", p.pull_request("labeled", pull_request=p.pull("feature/x")))
    assert isinstance(answer, i.SayPlainly)
    assert answer.to == PULL
    assert answer.sentence == snapshot(
        "The label `agent` starts work from an issue and does nothing on a pull request; put it on the issue instead."
    )


def test_a_bot_that_labels_a_pull_request_is_not_answered():
    assert intents("pull_request", by_a_bot(p.pull_request("labeled"))) == []


# ---- the rest -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "payload"),
    [("check_run", p.check()), ("check_suite", p.check("check_suite")), ("status", p.status())],
)
def test_ci_starts_no_work(name: str, payload: dict[str, Any]):
    assert intents(name, payload) == []


def test_a_push_to_the_default_branch_refreshes_the_repository():
    assert intents("push", p.push()) == [i.RefreshRepository(31, SHOP)]
    assert intents("push", p.push("refs/heads/feature")) == []
    assert intents("push", p.push("refs/tags/main")) == []


def test_a_changed_repository_is_read_again():
    assert intents("repository", p.repository_event("privatized")) == [i.RefreshRepository(31, SHOP)]


def test_a_deleted_repository_is_dropped():
    dropped = i.DropInstallation(31, (SHOP,), "the repository was deleted")
    assert intents("repository", p.repository_event("deleted")) == [dropped]


@pytest.mark.parametrize("name", ["agent", "agent:spec", "agent:skip", "agent/done"])
def test_our_labels_are_made_again(name: str):
    assert intents("label", p.label_event("deleted", name)) == [i.EnsureLabels(31, (SHOP,))]
    assert intents("label", by_us(p.label_event("edited", name))) == []


def test_other_labels_may_change():
    assert intents("label", p.label_event("deleted", "bug")) == []


BARE = RepoRef(9001, "acme/shop", "", True)


@pytest.mark.parametrize(
    ("name", "payload", "expected"),
    [
        ("installation", p.installation("created"), [i.EnsureLabels(31, (BARE,))]),
        ("installation", p.installation("deleted"), [i.DropInstallation(31, (), "Journeyman was uninstalled")]),
        ("installation", p.installation("suspend"), [i.DropInstallation(31, (), "Journeyman was suspended")]),
        ("installation", p.installation("unsuspend", repositories=None), []),
        ("installation_repositories", p.installation_repositories("added"), [i.EnsureLabels(31, (BARE,))]),
        (
            "installation_repositories",
            p.installation_repositories("removed"),
            [i.DropInstallation(31, (BARE,), "the repository was taken out of the installation")],
        ),
    ],
)
def test_an_installation_brings_labels_or_an_end(name: str, payload: dict[str, Any], expected: list[Intent]):
    assert intents(name, payload) == expected
