"""Plain sentences for what a person should know or do. Each says what happened, then what helps."""

from bot.core.text import defang
from bot.core.text.figures import listed, plural, vendor
from bot.core.text.markdown import code


def no_write_permission(login: str, role: str) -> str:
    """The sender may not start or steer a run."""
    return f"{defang.line(login, 60)} has the role {code(role)} here; this needs write permission. Nothing was started."


def pull_request_labelled() -> str:
    """A command label was put on a pull request."""
    return "The label works on issues, not on pull requests. Put it on the issue that describes the work."


def empty_repository() -> str:
    return "The repository has no commit yet, so there is nothing to work on. Push a first commit, then put the label on again."


def archived_repository() -> str:
    return "The repository is archived and can't be written to. Unarchive it, then put the label on again."


def no_key() -> str:
    """No vendor is configured at all."""
    return "No model key is set. Set `ANTHROPIC_API_KEY` or `OPENAI_API_KEY` where Journeyman runs and restart it."


def key_refused(vendor_name: str) -> str:
    """A vendor refuses our key."""
    name = vendor(vendor_name)
    return f"{name} refuses the key. Put a working key where Journeyman runs, restart it and say `/agent resume`."


def quota_exhausted(vendor_name: str) -> str:
    name = vendor(vendor_name)
    return f"The {name} account has no credit left. Top it up and say `/agent resume`."


def vendor_unreachable(vendor_name: str) -> str:
    return f"{vendor(vendor_name)} can't be reached. Journeyman tries again by itself; `/agent resume` tries at once."


def budget_reached(axis: str) -> str:
    """A cap was reached: `axis` is dollars, turns, wall clock or context."""
    return f"The limit of {axis} for this run is reached. What is done so far is kept."


def nothing_changed() -> str:
    """The worker ended without a difference."""
    return (
        "The work ended without a change to any file, so there is nothing to review. "
        "Say `/agent refine` and name what should be different, or `/agent retry`."
    )


def diff_refused(reasons: tuple[str, ...]) -> str:
    """Diff policy refused what a worker left."""
    first = "; ".join(defang.line(reason, 200) for reason in reasons[:3])
    return f"What the worker changed may not leave its sandbox: {first}. Nothing was pushed."


def tests_red(names: tuple[str, ...]) -> str:
    """Verification failed; names are those of the commands."""
    said = listed([defang.span(name) for name in names]) or "a command"
    return f"Verification failed: {said} did not pass. The pull request stays a draft; `/agent retry` tries again."


def branch_moved(branch: str) -> str:
    return f"Somebody else pushed to {defang.span(branch)}, so nothing was pushed over it. `/agent retry` starts from what is there now."


def push_refused(branch: str) -> str:
    return f"GitHub refused the push to {defang.span(branch)}: a ruleset forbids it. Allow `agent/` branches, then say `/agent retry`."


def unknown_verb(word: str, suggestion: str = "") -> str:
    said = f"{defang.span(word, 40)} is no command of mine."
    return f"{said} Did you mean `/agent {suggestion}`?" if suggestion else f"{said} `/agent help` lists them."


def later_verb(verb: str) -> str:
    """A verb that exists on paper only."""
    return f"`/agent {verb}` does not work yet. `/agent help` lists what does."


def missing_argument(verb: str, shape: str) -> str:
    return f"`/agent {verb}` needs more: {code(shape)}."


def not_now(verb: str, state: str) -> str:
    """A verb that fits no present state; `state` is a finished clause: `the run is stopped`."""
    return f"`/agent {verb}` changes nothing now: {state}."


def already_running() -> str:
    return (
        "A run is active on this issue already; the label starts another one once it has ended. `/agent stop` ends it."
    )


def stale_approval(asked: str, newest: int, newest_hash: str) -> str:
    return (
        f"{defang.span(asked, 40)} is not the newest revision. It is revision {newest} ({code(newest_hash[:7])}); "
        f"read it and say `/agent approve {newest_hash[:7]}`."
    )


def blocking_open(ids: tuple[str, ...]) -> str:
    """Approval is refused while these findings are open."""
    said = listed([defang.span(each) for each in ids])
    verb = f"`/agent waive {defang.ident(ids[0])} <reason>`" if ids else "`/agent waive`"
    count = f"{plural(len(ids), 'blocking finding')} {'is' if len(ids) == 1 else 'are'} open"
    return f"{count}: {said}. Say {verb} or `/agent refine <text>` first."


def unknown_id(given: str, kind: str) -> str:
    """`kind` is finding, assumption or question."""
    return f"There is no open {kind} {defang.span(given, 40)} in this run."


def self_approval() -> str:
    return "The issue's author can't approve this spec here; somebody else with write permission has to."


def comment_edited() -> str:
    """Somebody edited what we published."""
    return "This comment was edited by hand and has been put back. Use `/agent refine <text>` to change the spec."


def issue_closed() -> str:
    return "the issue was closed"


def skip_label() -> str:
    return "the label `agent:skip` was put on"


def installation_gone() -> str:
    return "the app was removed from this repository"


def held(ids: tuple[str, ...], paths: tuple[str, ...]) -> str:
    """Protected paths wait for a person."""
    said = listed([defang.span(path) for path in paths[:5]])
    more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
    first = defang.ident(ids[0]) if ids else "H1"
    return f"The work touches protected files: {said}{more}. `/agent waive {first} <reason>` lets them through."


def not_understood(vendor_name: str) -> str:
    """A vendor's answer was unusable three times in a row."""
    return f"{vendor(vendor_name)} answered in a shape that can't be used, three times in a row. `/agent retry` asks again."


def bug(run_id: str) -> str:
    """Anything unexpected: the detail is in the log under the run id."""
    return (
        f"Something broke inside Journeyman; the log has the detail under {code(run_id)}. `/agent retry` tries again."
    )


def publication_blocked(what: str, rules: tuple[str, ...]) -> str:
    """The publish gate found a secret; `what` names the text."""
    return f"The {what} is not shown: it holds something that looks like a secret ({', '.join(rules)}). Nothing of it was published."


def permission_lost(login: str) -> str:
    """The permission was checked again right before a push, and is gone."""
    return f"{defang.line(login, 60)} no longer has write permission here, so nothing was pushed. Somebody who has may say `/agent retry`."


def no_spec_yet() -> str:
    return "There is no spec yet that could be approved. It is published here as soon as it is written."


def turns_used_up(task: str, turns: int) -> str:
    """A worker came to its limit."""
    return f"The task {defang.span(task, 80)} was not done within {plural(turns, 'turn')}. `/agent retry` starts it afresh."


def worker_blocked(task: str, question: str) -> str:
    """A worker can't go on without an answer."""
    return f"The task {defang.span(task, 80)} can't go on: {defang.line(question, 400)}"


def merge_conflict(paths: tuple[str, ...]) -> str:
    """Two tasks of a line changed the same lines."""
    said = listed([defang.span(path) for path in paths[:5]])
    return f"Two tasks changed the same lines of {said}. `/agent retry` does the later one again on top of the first."


def no_verify_command() -> str:
    """Nothing to verify with was declared or found."""
    return (
        "No verify command is declared in `.github/agent.yml` or was found in the repository, so nothing was verified."
    )


def vendor_refuses(vendor_name: str) -> str:
    """A refusal by the model."""
    return f"{vendor(vendor_name)} refuses this request. Say `/agent refine <text>` to put it differently."
