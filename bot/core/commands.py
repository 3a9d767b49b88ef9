"""The `/agent` grammar: the first line of a new comment that a person sees as plain text, into one typed command.

Code, quotes and HTML in front of that line are skipped, so quoting the bot's own help never runs it. A text argument goes on to
the end of the comment; it is raw Markdown, to be reduced to what a person sees before a model reads it.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from markdown_it import MarkdownIt

from bot.core.run import Phase

TEXT_LIMIT = 8_000
"""Characters that a command's text may have; longer wishes belong in the issue."""
BODY_LIMIT = 65_536
"""GitHub's own limit of a comment; what lies beyond is not looked at."""

Topic = Literal["status", "help", "cost", "log", "config"]
PlainVerb = Literal["review", "address", "ci", "rebase", "verify", "allow-ci", "takeover", "handback"]


@dataclass(frozen=True, slots=True)
class DraftSpec:
    """`/agent`, `/agent spec`."""


@dataclass(frozen=True, slots=True)
class Refine:
    text: str


@dataclass(frozen=True, slots=True)
class Approve:
    """`ref` is a revision number, a lowercase hash prefix, or empty."""

    ref: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """`id` is `A1` or `Q1`."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Waive:
    """`id` is `F1` or `H1`."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Show:
    topic: Topic


@dataclass(frozen=True, slots=True)
class Stop:
    pass


@dataclass(frozen=True, slots=True)
class Pause:
    pass


@dataclass(frozen=True, slots=True)
class Resume:
    pass


@dataclass(frozen=True, slots=True)
class Retry:
    """`from_phase` is empty or a phase."""

    from_phase: Phase | Literal[""] = ""


@dataclass(frozen=True, slots=True)
class Steer:
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    text: str


@dataclass(frozen=True, slots=True)
class Ask:
    question: str


@dataclass(frozen=True, slots=True)
class Undo:
    """The last `count` commits of the bot."""

    count: int = 1


@dataclass(frozen=True, slots=True)
class Budget:
    """A new cap, in millionths of a dollar."""

    micros: int


@dataclass(frozen=True, slots=True)
class Plain:
    """A verb without arguments that acts on a pull request, or `review`."""

    verb: PlainVerb


Command = (
    DraftSpec
    | Refine
    | Approve
    | Answer
    | Waive
    | Show
    | Stop
    | Pause
    | Resume
    | Retry
    | Steer
    | Fix
    | Ask
    | Undo
    | Budget
    | Plain
)


@dataclass(frozen=True, slots=True)
class CommandError:
    """The line was meant for us but can't be carried out as written; `sentence` says what to write instead."""

    verb: str
    sentence: str


def parse_command(body: str) -> tuple[str, Command] | CommandError | None:
    """The verb and its command, an error to show, or None where the comment holds no command; never raises."""
    body = body[:BODY_LIMIT].replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}")
    if "/agent" not in body.lower():
        return None
    found = _first_plain_line(body)
    if found is None:
        return None
    line, after = found
    said = re.match(r"/agent(?:\s+(\S+))?(?:\s+(.*))?$", line, re.IGNORECASE)
    if said is None:
        return None
    verb, rest = (said[1] or "spec").lower(), (said[2] or "").strip()
    parse = _VERBS.get(verb)
    if parse is None:
        return _unknown(verb)
    try:
        return verb, parse(verb, rest, f"{rest}\n{after}".strip())
    except _Refused as refused:
        return CommandError(verb, str(refused))


def _first_plain_line(body: str) -> tuple[str, str] | None:
    """The first visible line outside code, quote and HTML, and everything below it; None where that line is none of plain text."""
    reader = MarkdownIt("commonmark").enable("table")
    reader.core.ruler.enableOnly(["normalize", "block"])
    for token in reader.parse(body):
        if token.level == 0 and token.map is not None and token.nesting >= 0:
            if token.type in ("blockquote_open", "fence", "code_block", "html_block"):
                continue
            # A line of dashes below a command makes it a heading in Markdown, and the writer never meant one.
            underlined = token.type == "heading_open" and token.markup in ("-", "=")
            if token.type != "paragraph_open" and not underlined:
                return None
            lines = body.split("\n")
            start = token.map[0]
            return lines[start].strip(), "\n".join(lines[start + 1 :])
    return None


class _Refused(Exception):
    """Becomes a CommandError with this sentence."""


def _unknown(verb: str) -> CommandError:
    shown = f"`/agent {verb}`" if re.fullmatch(r"[a-z0-9-]{1,24}", verb) else "That"
    near = difflib.get_close_matches(verb[:40], _VERBS, n=1, cutoff=0.6)
    hint = f"did you mean `/agent {near[0]}`?" if near else "`/agent help` lists what I know."
    return CommandError(verb[:40], f"{shown} is not a command; {hint}")


# ---- one small parser a shape of arguments: (verb, rest of the line, rest of the comment) -> Command ----------------


def _bare(make: Callable[[], Command]) -> "_Parse":
    def parse(verb: str, rest: str, _text: str) -> Command:
        if rest:
            hint = "; to say what should change, use `/agent refine <text>`" if verb == "spec" else ""
            raise _Refused(f"`/agent {verb}` takes nothing after it{hint}.")
        return make()

    return parse


def _stop(_verb: str, _rest: str, _text: str) -> Command:
    # Whoever says stop means it: words after it must never be what keeps a run going.
    return Stop()


def _plain(verb: PlainVerb) -> "_Parse":
    return _bare(lambda: Plain(verb))


def _show(topic: Topic) -> "_Parse":
    return _bare(lambda: Show(topic))


def _text(make: Callable[[str], Command], what: str) -> "_Parse":
    def parse(verb: str, _rest: str, text: str) -> Command:
        return make(_capped(verb, text, what))

    return parse


def _capped(verb: str, text: str, what: str, before: str = "") -> str:
    if not text:
        raise _Refused(f"`/agent {verb}` needs {what} after it: `/agent {verb} {before}<{what.split(' ')[-1]}>`.")
    if len(text) > TEXT_LIMIT:
        raise _Refused(
            f"The text after `/agent {verb}` has {len(text):,} characters and {TEXT_LIMIT:,} are the most; "
            "put the long part into the issue."
        )
    return text


def _with_id(make: Callable[[str, str], Command], letters: str, what: str) -> "_Parse":
    def parse(verb: str, _rest: str, text: str) -> Command:
        first, _, after = text.partition(" ") if " " in text.split("\n", 1)[0] else text.partition("\n")
        given = re.fullmatch(rf"([{letters}])([1-9][0-9]{{0,3}})[:.,]?", first.upper(), re.ASCII)
        if given is None:
            either = " or ".join(f"`{letter}1`" for letter in letters)
            raise _Refused(
                f"`/agent {verb}` needs an id such as {either} first: `/agent {verb} {letters[0]}1 <{what.split(' ')[-1]}>`."
            )
        name = given[1] + given[2]
        return make(name, _capped(verb, after.strip(), what, f"{name} "))

    return parse


def _approve(_verb: str, rest: str, _text: str) -> Command:
    ref = re.fullmatch(
        r"(?:(?:r|rev\.?\s*|revision\s+|#)?0*([1-9][0-9]{0,3}))|`?([0-9a-f]{7,64})`?", rest.lower(), re.ASCII
    )
    if rest and ref is None:
        raise _Refused(
            "`/agent approve` takes a revision number or at least 7 characters of its hash: `/agent approve 2`."
        )
    return Approve((ref[1] or ref[2]) if ref else "")


def _retry(_verb: str, rest: str, _text: str) -> Command:
    phases: tuple[Phase, ...] = get_args(Phase)
    if not rest:
        return Retry()
    given = re.fullmatch(r"from\s*=\s*(\S+)", rest.lower())
    for phase in phases:
        if given and given[1] == phase:
            return Retry(phase)
    near = difflib.get_close_matches(given[1][:40], phases, n=1) if given else []
    if near:
        raise _Refused(f"`/agent retry` can't start there; did you mean `/agent retry from={near[0]}`?")
    raise _Refused(f"`/agent retry from=` takes {', '.join(phases[:-1])} or {phases[-1]}.")


def _undo(_verb: str, rest: str, _text: str) -> Command:
    if not rest:
        return Undo()
    if not re.fullmatch(r"[1-9][0-9]?", rest, re.ASCII):
        raise _Refused("`/agent undo` takes a number of commits from 1 to 99: `/agent undo 2`.")
    return Undo(int(rest))


def _budget(_verb: str, rest: str, _text: str) -> Command:
    given = re.fullmatch(r"\$?\s*([0-9]{1,5})(?:\.([0-9]{1,2}))?\s*(?:\$|usd)?", rest.lower(), re.ASCII)
    micros = int(given[1]) * 1_000_000 + int((given[2] or "0").ljust(2, "0")) * 10_000 if given else 0
    if micros <= 0:
        raise _Refused("`/agent budget` needs a sum in dollars above zero: `/agent budget $10`.")
    return Budget(micros)


_Parse = Callable[[str, str, str], Command]
_VERBS: Mapping[str, _Parse] = MappingProxyType(
    {
        "spec": _bare(DraftSpec),
        "refine": _text(Refine, "a text"),
        "review": _plain("review"),
        "approve": _approve,
        "answer": _with_id(Answer, "AQ", "a text"),
        "waive": _with_id(Waive, "FH", "a reason"),
        "status": _show("status"),
        "help": _show("help"),
        "cost": _show("cost"),
        "log": _show("log"),
        "config": _show("config"),
        "stop": _stop,
        "pause": _bare(Pause),
        "resume": _bare(Resume),
        "retry": _retry,
        "steer": _text(Steer, "a text"),
        "fix": _text(Fix, "a text"),
        "address": _plain("address"),
        "ci": _plain("ci"),
        "rebase": _plain("rebase"),
        "verify": _plain("verify"),
        "undo": _undo,
        "allow-ci": _plain("allow-ci"),
        "takeover": _plain("takeover"),
        "handback": _plain("handback"),
        "budget": _budget,
        "ask": _text(Ask, "a question"),
    }
)
VERBS: tuple[str, ...] = tuple(_VERBS)
"""Every verb of the grammar, in the order of the documentation."""
