"""A repository as small as can be, and the models' scripts for it: every story changes only what it is about."""

from bot.core.conversation import Json
from bot.playground.samples.sample import report, review, spec
from bot.playground.vendor_replies import Answer, Policy, Reply, Script, tools

CHECK = "sh tests/check.sh"
CONFIG = f"version: 1\nverify:\n  commands:\n    - {{name: check, run: {CHECK}, timeout: 60}}\n"
FILES: dict[str, bytes | str] = {
    "AGENTS.md": "# Rules\n\n- Greetings are one line.\n",
    ".github/agent.yml": CONFIG,
    "greet.txt": "hello\n",
    "tests/check.sh": 'test "$(cat greet.txt)" = "hello, world"\n',
}
TITLE = "Greet the world"
BODY = "The greeting should name the world: `hello, world`."
BRANCH = "agent/1-greet-the-world"
CRITERION = "`greet.txt` holds `hello, world`."
QUOTE = "Greetings are one line."


def config(more: str) -> dict[str, bytes | str]:
    """The files with something added to agent.yml."""
    return {**FILES, ".github/agent.yml": CONFIG + more}


def requirement(number: int, text: str = "The system SHALL greet the world.", criterion: str = CRITERION) -> Json:
    return {"id": f"R{number}", "text": text, "criteria": [criterion], "source": "issue", "source_ref": ""}


def draft(
    *extra: Json,
    path: str = "greet.txt",
    kind: str = "modify",
    assumptions: list[Json] | None = None,
    verification: list[str] | None = None,
    conventions: list[Json] | None = None,
) -> Json:
    """The spec of the one change."""
    rules = [{"rule": "greetings are one line", "where": "AGENTS.md:3", "status": "met"}]
    return spec(
        title="Greet the world",
        tldr="The greeting names the world.",
        problem="The greeting names nobody.",
        requirements=[requirement(1), *extra],
        changes=[{"path": path, "kind": kind, "why": "the greeting"}],
        verification=[CHECK] if verification is None else verification,
        edge_cases="none, because there is one greeting",
        conventions=rules if conventions is None else conventions,
        assumptions=assumptions,
    )


def revised(*extra: Json, decisions: list[Json] | None = None) -> Json:
    """The next revision with its decisions."""
    return {**draft(*extra), "decisions": decisions or []}


def decision(finding: str, outcome: str, reason: str) -> Json:
    return {"finding": finding, "decision": outcome, "reason": reason}


def finding(claim: str, *, severity: str = "blocker", dimension: str = "edge cases", quote: str = QUOTE) -> Json:
    """A finding that our code can verify: the quote stands in AGENTS.md."""
    return {
        "severity": severity,
        "dimension": dimension,
        "claim": claim,
        "scenario": "A greeting of two lines is printed on a one-line display and loses its end.",
        "path": "AGENTS.md",
        "line": 3,
        "quote": quote,
    }


def earlier(name: str, outcome: str, because: str) -> Json:
    return {"finding": name, "outcome": outcome, "because": because}


def edit(path: str = "greet.txt", old: str = "hello\n", new: str = "hello, world\n") -> tuple[str, Json]:
    return ("edit", {"path": path, "old": old, "new": new})


def run(command: str, timeout: int = 60) -> tuple[str, Json]:
    return ("bash", {"command": command, "timeout": timeout})


def done(**said: list[str]) -> Answer:
    return tools(("report", report(**said)))


def play(
    *work: Reply | Policy, spec: Json | None = None, challenge: Reply | Policy | None = None, revise: Json | None = None
) -> Script:
    """A clean run unless a part of it is given: a draft, a review without findings, one edit and a report."""
    script = Script()
    script.on("spec/draft", spec or draft())
    script.on("spec/revise", revise or revised())
    script.on("review/challenge", challenge or review())
    script.on("work/task", *(work or (tools(edit()), done())))
    return script
