"""The `/agent` commands, and comments that were changed."""

from bot.core import commands, intents
from bot.core.commands import Command, CommandError
from bot.core.events import IssueCommented, Me, OwnCommentChanged
from bot.core.intents import Intent, Target
from bot.core.repo_config import RepoConfig
from bot.core.senders import is_person, is_us
from bot.core.snapshot import reduce
from bot.core.text import intake
from handlers.issues import target

ISSUES_ONLY = ("spec", "refine", "approve", "answer")


def commented(event: IssueCommented, config: RepoConfig, me: Me) -> list[Intent]:
    """The command of a person's new comment as an intent; our own and other bots' comments are never read."""
    if not is_person(event.at.sender, me, event.app_id):
        return []
    found = commands.parse_command(event.body)
    if found is None:
        return []
    to = target(event.at, event.issue, comment_id=event.comment_id, created_at=event.created_at)
    if isinstance(found, CommandError):
        return [intents.SayPlainly(to, found.sentence)]
    verb, command = found
    if to.is_pull_request and verb in ISSUES_ONLY:
        return [intents.SayPlainly(to, intake.issues_only(verb))]
    return [_intent(verb, command, to)]


def _intent(verb: str, command: Command, to: Target) -> Intent:
    """Of a text only what a reader of the comment sees goes on: it may become part of a prompt."""
    match command:
        case commands.DraftSpec():
            return intents.StartRun(to, mode="spec")
        case commands.Refine(text):
            return intents.RefineSpec(to, reduce(text).text)
        case commands.Approve(ref):
            return intents.ApproveSpec(to, ref)
        case commands.Answer(name, text):
            return intents.AnswerQuestion(to, name, reduce(text).text)
        case commands.Waive(name, reason):
            return intents.WaiveFinding(to, name, reduce(reason).text)
        case commands.Stop():
            return intents.StopRun(to, why=f"@{to.actor.login} said `/agent stop`")
        case commands.Pause():
            return intents.PauseRun(to)
        case commands.Resume():
            return intents.ResumeRun(to)
        case commands.Retry(from_phase):
            return intents.RetryRun(to, from_phase)
        case commands.Show("status" | "help" as topic):
            return intents.ShowAnswer(to, topic)
        case _:
            return intents.SayPlainly(to, intake.not_available(verb))


def changed(event: OwnCommentChanged, config: RepoConfig, me: Me) -> list[Intent]:
    """A comment of ours that somebody else edited or deleted is put back; an edit of any other executes nothing."""
    ours = event.author is not None and is_us(event.author, me, event.app_id)
    if not ours or is_us(event.at.sender, me):
        return []
    return [intents.Republish(target(event.at, event.issue))]
