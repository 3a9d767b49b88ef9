"""Who may ask for what. The role itself comes from GitHub; a role that could not be learned is None and allows nothing."""

from typing import Literal, assert_never

from bot.core import intents
from bot.core.intents import Intent, Role

Required = Role | Literal["requester or write"] | None
"""None: not a request but a fact that GitHub itself allowed (a closed issue, a moved pull request)."""

_RANK: dict[Role, int] = {"read": 0, "triage": 1, "write": 2, "maintain": 3, "admin": 4}


def required_role(intent: Intent, minimum: Role = "write") -> Required:
    """What the actor of `intent` must be; `minimum` is the repository's `trigger.roles`, which can only raise it."""
    match intent:
        case (
            intents.StartRun()
            | intents.RefineSpec()
            | intents.ApproveSpec()
            | intents.AnswerQuestion()
            | intents.WaiveFinding()
        ):
            return minimum if _RANK[minimum] > _RANK["write"] else "write"
        case intents.StopRun():
            # Without a comment it is a label or a closed issue, and GitHub let that person do it.
            return "requester or write" if intent.to.comment_id is not None else None
        case intents.PauseRun() | intents.ResumeRun() | intents.RetryRun():
            return "requester or write"
        case intents.ShowAnswer() | intents.SayPlainly():
            # On a public repository anybody can comment; making the bot talk is not for everybody.
            return "read" if intent.to.repo.private else "write"
        case (
            intents.NotePullRequest()
            | intents.Republish()
            | intents.EnsureLabels()
            | intents.DropInstallation()
            | intents.RefreshRepository()
        ):
            return None
        case _:
            assert_never(intent)


def allows(required: Required, role: Role | None, *, actor: str, requester: str) -> bool:
    """Whether a person with `role` may do what asks for `required`; logins compare without case, as GitHub's do."""
    if required is None:
        return True
    if role is None:
        return False
    if required == "requester or write":
        return _RANK[role] >= _RANK["write"] or (bool(requester) and actor.casefold() == requester.casefold())
    return _RANK[role] >= _RANK[required]
