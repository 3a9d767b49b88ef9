"""Text of others is harmless after defanging, whatever it was: judged by a Markdown parser of GitHub's flavour, not by our own rules."""

import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.core.text import defang
from bot.core.text.markdown import cell, code, labelled, table

pytestmark = pytest.mark.fast
patient = settings(deadline=None, max_examples=100)

PIECES = st.sampled_from(
    [
        "@maria", "@acme/team", "@bors r+", "\\@maria", "&#64;maria", "`", "``", "```", "~~~", "\\`", "\\", "\n",
        "\n\n", " ", "    ", "/agent stop", "/lgtm", "!deploy", "Fixes #7", "closes: #7", "resolves acme/other#7",
        "fixes https://github.com/a/b/issues/7", "Fixes\n#7", "fixes GH-7", "[skip ci]", "[ci skip]",
        "skip-checks: true", "***NO_CI***", "![x](http://e/x.png)", "!", "[x](y)", "![", "![x][r]", "<b>",
        "<!-- x -->", "<img src=x>", "<", "&lt;", "<https://e.org>", "\u200b", "\u202e", "\ufe0f", "\U000e0041", "|",
        "\n| a | b |\n|---|---|\n", "\\\\|", "- ", "> ", "1. ", "#", "# ", "\t", "\r\n", "\u2028", "\u00a0", "*",
        "_", "word", "é", "```py\n", "x = `1`", "$ ",
    ]
)  # fmt: skip
HOSTILE = st.lists(PIECES, max_size=14).map("".join)
RENDER = MarkdownIt("commonmark").enable("table")
MENTION = re.compile(r"(?<![A-Za-z0-9_])@[A-Za-z0-9]")
CLOSES = re.compile(
    r"\b(close[sd]?|fix(es|ed)?|resolve[sd]?)\s*:?\s+(#|GH-|[\w.-]+/[\w.-]+#|https?://\S+/issues/)\d", re.IGNORECASE
)


def leaves(text: str) -> list[Token]:
    flat: list[Token] = []
    for token in RENDER.parse(text):
        flat += token.children or [token]
    return flat


def shown(text: str) -> str:
    """What a reader sees outside code, a text node a line."""
    return "\n".join(token.content for token in leaves(text) if token.type in ("text", "text_special"))


@patient
@given(HOSTILE)
@example("a ` b\nx `@maria` y")
@example("- a\n  ```\n@maria")
@example("\\`@maria`")
@example("_@maria_")
@example("| a | b |\n|---|---|\n| `x | @maria` |")
@example("```\n@maria")
@example("~~~ `x`\n@maria\n~~~\n@maria")
def test_nobody_is_mentioned(text: str):
    # Escapes are joined again, as GitHub looks at what was rendered.
    for token in RENDER.parse(defang.block(text)):
        run = ""
        for leaf in token.children or []:
            run = run + leaf.content if leaf.type in ("text", "text_special") else run + " "
        assert not MENTION.search(run)


@patient
@given(HOSTILE)
def test_no_image_and_no_html_survives(text: str):
    kinds = {token.type for token in leaves(defang.block(text))}
    assert not kinds & {"image", "html_inline", "html_block"}


@patient
@given(HOSTILE)
@example("_Fixes #7_")
def test_nothing_is_closed_in_code_or_out_of_it(text: str):
    assert not CLOSES.search(defang.block(text))
    assert not CLOSES.search(shown(defang.block(text)).replace("\n", ""))


@patient
@given(HOSTILE)
def test_no_line_starts_with_a_command(text: str):
    for line in defang.block(text).split("\n"):
        assert not re.match(r"\s*(/[A-Za-z]+(?![\w.-]*/)|![A-Za-z]|bors )", line)


@patient
@given(HOSTILE)
def test_no_ci_is_skipped(text: str):
    for form in (
        defang.block(text),
        defang.line(text),
        defang.plain(text),
        defang.paragraph(text),
        defang.fenced(text),
        defang.span(text),
    ):
        assert not re.search(r"\[(skip ci|ci skip)\]|skip-checks:|\*\*\*NO_CI", form)


@patient
@given(HOSTILE)
def test_only_visible_characters_are_left(text: str):
    for char in defang.block(text):
        assert char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
        assert not 0xFE00 <= ord(char) <= 0xFE0F


@patient
@given(HOSTILE)
@example("``` x")
@example("- ```")
@example("> ~~~")
@example("  ~~~")
def test_fences_are_balanced_so_that_what_follows_is_text(text: str):
    tokens = leaves(defang.block(text) + "\n\nafter the text")
    assert [token.type for token in tokens if "after the text" in token.content] == ["text"]


@patient
@given(HOSTILE)
def test_on_one_line_it_stays_in_its_cell(text: str):
    tokens = RENDER.parse(table(("a", "b"), [(defang.line(text), "right")]))
    assert [token.type for token in tokens].count("td_open") == 2
    assert not MENTION.search(shown(table(("a", "b"), [(defang.line(text), "right")])))


@patient
@given(HOSTILE)
def test_after_a_label_it_is_as_harmless(text: str):
    said = labelled("Modules", defang.block(text).strip())
    assert not MENTION.search(shown(said))
    assert "after" in shown(said + "\n\nafter")


@patient
@given(HOSTILE)
def test_output_stays_inside_its_fence(text: str):
    tokens = RENDER.parse(defang.fenced(text) + "\n\nafter")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]


@patient
@given(HOSTILE)
def test_a_span_is_one_code_span(text: str):
    tokens = leaves(f"x {defang.span(text)} y")
    assert sum(token.type == "code_inline" for token in tokens) == bool(defang.span(text))


@patient
@given(st.text(max_size=4_000), st.integers(10, 500))
def test_length_is_capped(text: str, limit: int):
    # Escapes can lengthen what is kept, by at most five characters each.
    assert len(defang.block(text, limit)) <= 6 * limit + 60


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("Ask @maria", "Ask @ maria"),
        ("mail a@b.org", "mail a@b.org"),
        ("`@app.get` stays", "`@app.get` stays"),
        ("Fixes #7 and closes acme/x#8", "Fixes issue #7 and closes issue acme/x#8"),
        ("Fixes:#7, fixes : #8", "Fixes issue #7, fixes issue #8"),
        ("Fix the form", "Fix the form"),
        ("/agent approve", "· /agent approve"),
        ("say /agent approve", "say /agent approve"),
        ("/usr/bin/env", "/usr/bin/env"),
        ("[skip ci]", "(skip ci)"),
        ("![x](http://e/x.png)", "[x](http://e/x.png)"),
        ("a <b> & &copy;", "a &lt;b> & &amp;copy;"),
        ("a &lt;b> stays as it reads", "a &lt;b> stays as it reads"),
        ("zero\u200bwidth", "zerowidth"),
        ("```py\n@app.get\n```", "```py\n@app.get\n```"),
        ("```py\n@app.get", "```py\n@app.get\n```"),
    ],
)
def test_what_it_looks_like(text: str, harmless: str):
    assert defang.block(text) == harmless


def test_a_long_text_says_how_much_was_left_out():
    assert defang.block("word " * 100, 20) == "word word word word … (481 characters left out)"


def test_a_cell_keeps_its_pipes():
    assert cell("a | b\nc \\| d") == "a \\| b c \\| d"


def test_a_cell_cannot_be_split_by_an_escaped_backslash():
    assert cell("a \\\\| @maria") == "a \\| @maria"


def test_code_takes_backticks():
    assert code("a `b` c") == "`` a `b` c ``"
