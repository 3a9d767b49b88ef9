"""The `/agent` grammar, one tiny case at a time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from bot.core import commands as c
from bot.core.commands import CommandError, parse_command

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ("/agent", c.DraftSpec()),
        ("/agent spec", c.DraftSpec()),
        ("/AGENT Spec", c.DraftSpec()),
        ("  /agent\tspec  ", c.DraftSpec()),
        ("/agent refine Use the queue.", c.Refine("Use the queue.")),
        ("/agent refine\nUse the queue.\n\n- and `this`", c.Refine("Use the queue.\n\n- and `this`")),
        ("/agent refine First\r\nsecond", c.Refine("First\nsecond")),
        ("/agent review", c.Plain("review")),
        ("/agent approve", c.Approve()),
        ("/agent approve 2", c.Approve("2")),
        ("/agent approve r2", c.Approve("2")),
        ("/agent approve rev 2", c.Approve("2")),
        ("/agent approve revision 02", c.Approve("2")),
        ("/agent approve #2", c.Approve("2")),
        ("/agent approve A1B2C3D", c.Approve("a1b2c3d")),
        ("/agent approve `a1b2c3d`", c.Approve("a1b2c3d")),
        ("/agent approve 1234567", c.Approve("1234567")),
        ("/agent approve " + "ab" * 32, c.Approve("ab" * 32)),
        ("/agent answer A1 yes", c.Answer("A1", "yes")),
        ("/agent answer q12: both, and\nalso that", c.Answer("Q12", "both, and\nalso that")),
        ("/agent answer A1\nyes, both", c.Answer("A1", "yes, both")),
        ("/agent waive F3 not reachable", c.Waive("F3", "not reachable")),
        ("/agent waive h1 I looked", c.Waive("H1", "I looked")),
        ("/agent status", c.Show("status")),
        ("/agent help", c.Show("help")),
        ("/agent cost", c.Show("cost")),
        ("/agent log", c.Show("log")),
        ("/agent config", c.Show("config")),
        ("/agent stop", c.Stop()),
        ("/agent stop now, please!", c.Stop()),
        ("/agent pause", c.Pause()),
        ("/agent resume", c.Resume()),
        ("/agent retry", c.Retry()),
        ("/agent retry from=verify", c.Retry("verify")),
        ("/agent retry From = Draft", c.Retry("draft")),
        ("/agent steer Leave the tests alone", c.Steer("Leave the tests alone")),
        ("/agent fix the typo", c.Fix("the typo")),
        ("/agent address", c.Plain("address")),
        ("/agent ci", c.Plain("ci")),
        ("/agent rebase", c.Plain("rebase")),
        ("/agent verify", c.Plain("verify")),
        ("/agent undo", c.Undo()),
        ("/agent undo 3", c.Undo(3)),
        ("/agent allow-ci", c.Plain("allow-ci")),
        ("/agent takeover", c.Plain("takeover")),
        ("/agent handback", c.Plain("handback")),
        ("/agent budget $10", c.Budget(10_000_000)),
        ("/agent budget 7.5", c.Budget(7_500_000)),
        ("/agent budget 0.05 USD", c.Budget(50_000)),
        ("/agent ask why a queue?", c.Ask("why a queue?")),
    ],
)
def test_a_command_is_understood(body: str, command: c.Command):
    found = parse_command(body)
    assert isinstance(found, tuple)
    assert found[1] == command


@pytest.mark.parametrize(
    "body",
    [
        "\n\n  \n/agent stop",
        "   /agent stop",
        "> the bot said `/agent approve`\n\n/agent stop",
        "> > twice\n\n> and again\n\n/agent stop",
        "```\n/agent approve\n```\n/agent stop",
        "~~~ sh\n/agent approve\n~~~\n\n/agent stop",
        "    /agent approve\n\n/agent stop",
        "<!-- /agent approve -->\n/agent stop",
        "<details>\n/agent approve\n</details>\n\n/agent stop",
        "/agent stop\n\n/agent approve",
        "/agent stop\nThanks!",
        "/agent stop\n---\nMaria",
        "/agent stop\n===",
        "[link]: https://example.org\n\n/agent stop",
        "/agent stop\r\n\r\nsent from my phone",
        "/agent stop\r",
        "/agent\N{NO-BREAK SPACE}stop",
    ],
)
def test_the_first_plain_line_is_the_command(body: str):
    assert parse_command(body) == ("stop", c.Stop())


@pytest.mark.parametrize(
    "body",
    [
        "",
        "   \n\n",
        "Looks good.",
        "Looks good.\n/agent stop",
        "Please /agent stop",
        "Looks good.\n\n/agent stop",
        "> /agent stop",
        "> quoted\n/agent stop",
        "```\n/agent stop\n```",
        "```\n/agent stop",
        "~~~\n/agent stop",
        "    /agent stop",
        "\t/agent stop",
        "`/agent stop`",
        "``/agent`` stop",
        "<!-- /agent stop -->",
        "<!--\n/agent stop\n",
        "<div>\n/agent stop\n</div>",
        "<details><summary>x</summary>\n/agent stop\n</details>",
        "<b>/agent stop</b>",
        "- /agent stop",
        "1. /agent stop",
        "* * *\n/agent stop",
        "# /agent stop",
        "Title\n===\n/agent stop",
        "| /agent stop |\n|---|\n| x |",
        "/agent stop | now\n--- | ---\na | b",
        "**/agent stop**",
        "[/agent stop](https://example.org)",
        "![/agent stop](https://example.org)",
        "\\/agent stop",
        "/agents stop",
        "/agentstop",
        "/agent-stop",
        "/agent: stop",
        "//agent stop",
        "agent stop",
        "@agent stop",
        "\N{ZERO WIDTH SPACE}/agent stop",
        "\N{RIGHT-TO-LEFT OVERRIDE}/agent stop",
        "&#47;agent stop",
        "/аgent stop",  # a Cyrillic letter
        "- item\n\n  /agent stop",
    ],
)
def test_anything_else_is_no_command(body: str):
    assert parse_command(body) is None


@pytest.mark.parametrize("verb", c.VERBS)
@pytest.mark.parametrize("wrap", ["> {}", "```\n{}\n```", "<!-- {} -->", "    {}", "`{}`", "- {}", "see {}"])
def test_no_verb_works_from_inside_quotes_code_html_or_prose(verb: str, wrap: str):
    assert parse_command(wrap.format(f"/agent {verb} A1 text")) is None


@pytest.mark.parametrize("verb", c.VERBS)
def test_every_verb_works_in_any_case(verb: str):
    said = {"answer": "A1 x", "waive": "F1 x", "budget": "1", "refine": "x", "steer": "x", "fix": "x", "ask": "x"}
    found = parse_command(f"/Agent {verb.upper()} {said.get(verb, '')}")
    assert isinstance(found, tuple)
    assert found[0] == verb


TYPOS = sorted(
    {
        typo
        for verb in c.VERBS
        if len(verb) > 3
        for typo in (verb[:-1], verb + "e", verb[1] + verb[0] + verb[2:])
        if typo not in c.VERBS
    }
)


@pytest.mark.parametrize("typo", TYPOS)
def test_a_typo_is_told_which_verb_was_meant(typo: str):
    error = parse_command(f"/agent {typo} something")
    assert isinstance(error, CommandError)
    assert "did you mean `/agent " in error.sentence


def sentence(body: str) -> str:
    error = parse_command(body)
    assert isinstance(error, CommandError), error
    return error.sentence


def test_an_unknown_verb():
    assert sentence("/agent refien it") == snapshot("`/agent refien` is not a command; did you mean `/agent refine`?")
    assert sentence("/agent merge") == snapshot("`/agent merge` is not a command; `/agent help` lists what I know.")
    assert sentence("/agent xyzzy") == snapshot("`/agent xyzzy` is not a command; `/agent help` lists what I know.")


def test_a_verb_that_could_carry_something_is_not_repeated():
    assert sentence("/agent @acme/everyone") == snapshot("That is not a command; `/agent help` lists what I know.")
    assert sentence("/agent ![x](https://example.org/pixel)") == snapshot(
        "That is not a command; `/agent help` lists what I know."
    )


def test_missing_arguments():
    assert sentence("/agent refine") == snapshot("`/agent refine` needs a text after it: `/agent refine <text>`.")
    assert sentence("/agent ask") == snapshot("`/agent ask` needs a question after it: `/agent ask <question>`.")
    assert sentence("/agent answer") == snapshot(
        "`/agent answer` needs an id such as `A1` or `Q1` first: `/agent answer A1 <text>`."
    )
    assert sentence("/agent answer yes") == snapshot(
        "`/agent answer` needs an id such as `A1` or `Q1` first: `/agent answer A1 <text>`."
    )
    assert sentence("/agent answer F1 yes") == snapshot(
        "`/agent answer` needs an id such as `A1` or `Q1` first: `/agent answer A1 <text>`."
    )
    assert sentence("/agent answer A1") == snapshot("`/agent answer` needs a text after it: `/agent answer A1 <text>`.")
    assert sentence("/agent waive F1") == snapshot(
        "`/agent waive` needs a reason after it: `/agent waive F1 <reason>`."
    )
    assert sentence("/agent waive") == snapshot(
        "`/agent waive` needs an id such as `F1` or `H1` first: `/agent waive F1 <reason>`."
    )
    assert sentence("/agent budget") == snapshot(
        "`/agent budget` needs a sum in dollars above zero: `/agent budget $10`."
    )


def test_arguments_that_do_not_belong():
    assert sentence("/agent spec with a queue") == snapshot(
        "`/agent spec` takes nothing after it; to say what should change, use `/agent refine <text>`."
    )
    assert sentence("/agent pause until Monday") == snapshot("`/agent pause` takes nothing after it.")
    assert sentence("/agent approve it") == snapshot(
        "`/agent approve` takes a revision number or at least 7 characters of its hash: `/agent approve 2`."
    )
    assert sentence("/agent approve abc") == snapshot(
        "`/agent approve` takes a revision number or at least 7 characters of its hash: `/agent approve 2`."
    )
    assert sentence("/agent retry verify") == snapshot(
        "`/agent retry from=` takes draft, challenge, plan, work, integrate, inspect, verify or deliver."
    )
    assert sentence("/agent retry from=verfy") == snapshot(
        "`/agent retry` can't start there; did you mean `/agent retry from=verify`?"
    )
    assert sentence("/agent undo all") == snapshot(
        "`/agent undo` takes a number of commits from 1 to 99: `/agent undo 2`."
    )
    assert sentence("/agent budget -5") == snapshot(
        "`/agent budget` needs a sum in dollars above zero: `/agent budget $10`."
    )


@pytest.mark.parametrize("sum_", ["0", "$0.00", "1e3", "nan", "inf", "123456", "1.234", "١", "$"])
def test_a_sum_that_is_none_is_refused(sum_: str):
    assert "needs a sum in dollars" in sentence(f"/agent budget {sum_}")


def test_a_text_that_is_too_long_is_refused_whole():
    assert sentence("/agent refine " + "x" * 8_001) == snapshot(
        "The text after `/agent refine` has 8,001 characters and 8,000 are the most; put the long part into the issue."
    )
    assert parse_command("/agent refine " + "x" * 8_000) == ("refine", c.Refine("x" * 8_000))


@given(st.text())
def test_no_comment_raises(body: str):
    parse_command(body)


@given(st.text(alphabet="/agent stop\n>`~-=#<!*[]() \t\r\0", max_size=60))
def test_no_markdown_raises(body: str):
    parse_command("/agent " + body)
    parse_command(body + "/agent")


@given(st.sampled_from(c.VERBS), st.text())
def test_no_argument_raises_and_every_refusal_is_one_line(verb: str, rest: str):
    found = parse_command(f"/agent {verb} {rest}")
    if isinstance(found, CommandError):
        assert "\n" not in found.sentence
        assert len(found.sentence) < 400


@pytest.mark.parametrize(
    "part", ["> ", "- ", "[", "`", "* ", "<", "![](", "1. ", "| ", "> - ", "\\", "/agent ", "a\n\n", "<!--"]
)
def test_a_hostile_comment_costs_little_time(part: str):
    started = time.process_time()
    parse_command((part * 65_536)[:65_000] + "\n/agent stop")
    assert time.process_time() - started < 5
