"""Who may ask for what: the matrix of the documentation, row by row."""

from typing import get_args

import pytest

from bot.core import intents as i
from bot.core.events import Actor, Me, RepoRef
from bot.core.intents import Intent, Role, Target
from bot.core.permission import Required, allows, required_role
from bot.core.senders import is_person, is_us

pytestmark = pytest.mark.fast

PRIVATE = RepoRef(1, "acme/shop", "main", True)
PUBLIC = RepoRef(1, "acme/shop", "main", False)


def to(repo: RepoRef = PRIVATE, comment: int | None = 7) -> Target:
    return Target("d1", 31, repo, 42, Actor(5, "maria"), comment_id=comment)


@pytest.mark.parametrize(
    ("intent", "required"),
    [
        (i.StartRun(to(), "full"), "write"),
        (i.StartRun(to(comment=None), "spec", "agent:spec"), "write"),
        (i.RefineSpec(to(), "x"), "write"),
        (i.ApproveSpec(to()), "write"),
        (i.AnswerQuestion(to(), "A1", "x"), "write"),
        (i.WaiveFinding(to(), "F1", "x"), "write"),
        (i.StopRun(to(), "x"), "requester or write"),
        (i.StopRun(to(comment=None), "the issue was closed"), None),
        (i.PauseRun(to()), "requester or write"),
        (i.ResumeRun(to()), "requester or write"),
        (i.RetryRun(to()), "requester or write"),
        (i.ShowAnswer(to(), "status"), "read"),
        (i.ShowAnswer(to(PUBLIC), "help"), "write"),
        (i.SayPlainly(to(), "x"), "read"),
        (i.SayPlainly(to(PUBLIC), "x"), "write"),
        (i.NotePullRequest(to(), "agent/1-x", "merged"), None),
        (i.Republish(to()), None),
        (i.EnsureLabels(31, ()), None),
        (i.DropInstallation(31, (), "x"), None),
        (i.RefreshRepository(31, PRIVATE), None),
    ],
)
def test_what_each_intent_asks_of_its_actor(intent: Intent, required: Required):
    assert required_role(intent) == required


@pytest.mark.parametrize(
    ("minimum", "required"), [("admin", "admin"), ("maintain", "maintain"), ("triage", "write"), ("read", "write")]
)
def test_a_repository_can_raise_the_minimum_and_never_lower_it(minimum: Role, required: Role):
    assert required_role(i.StartRun(to(), "full"), minimum) == required


ROLES: tuple[Role, ...] = get_args(Role)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("required", ROLES)
def test_roles_are_an_order(required: Role, role: Role):
    allowed = allows(required, role, actor="maria", requester="ola")
    assert allowed == (ROLES.index(role) >= ROLES.index(required))


@pytest.mark.parametrize(
    ("role", "actor", "requester", "allowed"),
    [
        ("write", "maria", "ola", True),
        ("triage", "maria", "ola", False),
        ("read", "ola", "ola", True),
        ("read", "OLA", "ola", True),
        ("read", "", "", False),
        (None, "ola", "ola", False),
    ],
)
def test_the_requester_may_stop_what_they_asked_for(role: Role | None, actor: str, requester: str, allowed: bool):
    assert allows("requester or write", role, actor=actor, requester=requester) == allowed


@pytest.mark.parametrize("required", ROLES)
def test_a_role_that_could_not_be_learned_allows_nothing(required: Role):
    assert not allows(required, None, actor="maria", requester="maria")


def test_a_fact_asks_nobody():
    assert allows(None, None, actor="ghost", requester="")


ME = Me(app_id=77, bot_user_id=4100, bot_login="journeyman-acme[bot]")


@pytest.mark.parametrize(
    ("actor", "app_id", "person"),
    [
        (Actor(5, "maria"), None, True),
        (Actor(5, "maria"), 12, True),  # through another App, but the person's own doing
        (Actor(5, "maria"), 77, False),  # through us
        (Actor(5, "fake[bot]"), None, True),  # a suffix says nothing
        (Actor(4100, "renamed"), None, False),  # our account under another name
        (Actor(6, "dependabot", "Bot"), None, False),
        (Actor(70, "acme", "Organization"), None, False),
        (Actor(0, "", ""), None, False),
        (Actor(9, "ghost", "Mannequin"), None, False),
    ],
)
def test_a_person_is_told_by_ids_and_type_never_by_the_spelling_of_a_login(
    actor: Actor, app_id: int | None, person: bool
):
    assert is_person(actor, ME, app_id) == person


def test_we_know_ourselves_by_account_or_app():
    assert is_us(Actor(4100, "renamed", "Bot"), ME)
    assert is_us(Actor(5, "maria"), ME, 77)
    assert not is_us(Actor(5, "journeyman-acme[bot]", "Bot"), ME)
