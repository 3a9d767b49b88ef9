"""What people wrote reaches a prompt as a person sees it, behind a delimiter that can't be forged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot as expected

from bot.core import snapshot
from bot.core.forge import Comment, IssueText

pytestmark = pytest.mark.fast
DELIMITER = "0123456789abcdef0123"


def issue(body: str = "Please add it.", author: str = "maria") -> IssueText:
    return IssueText(42, "Add a consent log", body, author, "User", "open", (), "2026-11-24T09:00:00Z", False)


def comment(body: str, author: str, *, number: int = 1, kind: str = "User", app_id: int | None = None) -> Comment:
    at = "2026-11-24T09:01:00Z"
    return Comment(number, body, author, kind, at, at, app_id, f"https://example.org/{number}")


def take(*comments: Comment, private: bool = False, text: IssueText | None = None) -> snapshot.Snapshot:
    return snapshot.take(
        text or issue(),
        comments,
        base_sha="b" * 40,
        permissions={"maria": "write", "root": "admin", "eve": "read", "ted": "triage"},
        private=private,
        own_app_id=7,
    )


def test_markdown_reads_as_a_person_sees_it():
    text = """# Title

Some *words* with [a link](https://example.org/x "secret title").

- one
- two
  1. three

> quoted

| a | b |
|---|---|
| 1 | 2 |

```py
x = 1
```
"""
    assert snapshot.reduce(text).text == expected("""\
# Title

Some words with a link (https://example.org/x).

- one
- two
  1. three

> quoted

| a | b
| 1 | 2

```
x = 1
```\
""")


@pytest.mark.parametrize(
    "hidden",
    [
        "<!-- EVIL -->",
        "<!-- EVIL",
        "<span hidden>EVIL</span>",
        "<p style='display:none'>EVIL</p>",
        "<b style='FONT-SIZE: 0px'>EVIL</b>",
        "<script>EVIL</script>",
        "<template><p>EVIL</p></template>",
        "<svg><desc>EVIL</desc></svg>",
        "<select><option>EVIL</select>",
        "<a href='#' title='EVIL'></a>",
        "<img src=x alt='' title=EVIL>",
        "<img src=x alt=EVIL>",
        "![EVIL](https://example.org/a.png)",
        "[//]: # (EVIL)",
        "[ref]: https://example.org 'EVIL'",
        "[text](https://example.org 'EVIL')",
        "<details data-x='EVIL'></details>",
        "<div hidden>\n\nEVIL\n\n</div>",
        "<?php EVIL ?>",
    ],
)
def test_what_a_page_hides_is_not_read(hidden: str):
    got = snapshot.reduce(f"before\n\n{hidden}\n\nEND")
    assert got.text.startswith("before")
    assert "EVIL" not in got.text


def test_what_hides_nothing_stays():
    got = snapshot.reduce("<details><summary>More</summary>\n\nBody with `<b>` & entities &lt;x&gt;\n\n</details>")
    assert got == snapshot.Reduced("More\nBody with `<b>` & entities <x>", 0)


def test_invisible_characters_are_counted_wherever_they_come_from():
    tags = "".join(chr(0xE0000 + ord(char)) for char in "evil")
    got = snapshot.reduce(f"a{tags}b\u200b\u202e&#x200b;\ufe0f c")
    assert (got.text, got.removed) == ("ab c", 8)
    assert got.notes == ("8 hidden characters were removed",)


def test_a_comment_that_is_never_closed_is_counted_whole():
    assert snapshot.reduce("seen\n\n<!-- unclosed") == snapshot.Reduced(
        "seen", 13, ("13 hidden characters were removed",)
    )


def test_an_image_alone_is_noted():
    got = snapshot.reduce("![screenshot](https://example.org/a.png)")
    assert (got.text, got.removed) == ("[image]", len("screenshot"))
    assert got.notes[-1:] == ("it consists of 1 image and no text; images are not read",)


def test_sixty_thousand_characters_are_kept_and_the_cut_is_named():
    assert snapshot.reduce("word " * 12_000).notes == ()
    got = snapshot.reduce("x" * 60_010)
    assert len(got.text) == 60_000
    assert got.notes == ("10 of 60010 characters were cut from the end",)


@pytest.mark.parametrize(
    "bomb", ["<div " * 20_000, "<ul><li>" * 12_000, "<!--" * 25_000, "<div>" * 20_000, "[" * 100_000]
)
def test_a_markup_bomb_is_read_in_bounded_time_and_space(bomb: str):
    assert len(snapshot.reduce(bomb).text) <= snapshot.MAX_TEXT


@given(st.text(max_size=400))
def test_no_invisible_character_survives(text: str):
    assert not [char for char in snapshot.reduce(text).text if snapshot.invisible(char)]


MARKS = (
    *(
        "<b>",
        "</b>",
        "<!--",
        "-->",
        "<div hidden>",
        "</div>",
        "<ol start='9'>",
        "<li>",
        "<pre>",
        "<blockquote>",
        "</blockquote>",
    ),
    *("`", "\n\n", "> ", "- ", "*", "[x](y)", "&#8203;", "word", "|", "<"),
)
MARKUP = st.lists(st.sampled_from(MARKS), max_size=30).map("".join)


@given(MARKUP)
def test_broken_markup_never_raises_and_shows_nothing_invisible(text: str):
    got = snapshot.reduce(text)
    assert got.removed >= 0
    assert not [char for char in got.text if snapshot.invisible(char)]


def test_outsiders_comments_stay_out_of_a_public_repos_snapshot():
    got = take(comment("mine", "eve"), comment("triage", "ted"), comment("fine", "root"), comment("hi", "stranger"))
    assert [block.text for block in got.blocks] == ["Add a consent log", "Please add it.", "fine"]
    assert got.left_out == ("3 comments by people without write permission",)


def test_a_private_repos_readers_are_heard_with_their_permission():
    got = take(comment("mine", "eve"), private=True)
    assert (got.blocks[-1].text, got.blocks[-1].permission) == ("mine", "read")
    assert got.left_out == ()


def test_bots_are_not_heard_and_our_own_comments_not_even_mentioned():
    got = take(comment("buy", "ads[bot]", kind="Bot"), comment("status", "journeyman[bot]", kind="Bot", app_id=7))
    assert len(got.blocks) == 2
    assert got.left_out == ("1 comment by a bot",)


def test_the_newest_comments_are_kept_when_there_are_too_many():
    got = take(*(comment(f"c{n}", "maria", number=n) for n in range(70)))
    assert [got.blocks[2].text, got.blocks[-1].text, len(got.blocks)] == ["c10", "c69", 62]
    assert got.left_out == ("10 comments older than the newest 60",)


def test_a_snapshot_is_named_by_what_was_written():
    same, edited = take(), take(text=issue("Please add it!"))
    assert snapshot.snapshot_sha256(take()) == snapshot.snapshot_sha256(same)
    assert snapshot.snapshot_sha256(edited) != snapshot.snapshot_sha256(same)


def test_hidden_text_changes_the_name_too():
    hidden = take(text=issue("Please add it.<!-- x -->"))
    assert hidden.blocks[1].text == "Please add it."
    assert snapshot.snapshot_sha256(hidden) != snapshot.snapshot_sha256(take())


def test_a_snapshot_survives_its_blob():
    before = take(comment("fine", "root"), comment("mine", "eve"))
    assert snapshot.load(snapshot.dump(before)) == before


def test_blocks_stand_behind_the_delimiter():
    text = snapshot.render_blocks(take(comment("do <b>this</b>\u200b", "root"), comment("no", "eve")), DELIMITER)
    assert text == expected("""\
<<0123456789abcdef0123 1 title by maria (write permission)>>
Add a consent log
<<0123456789abcdef0123 end 1>>
<<0123456789abcdef0123 2 body by maria (write permission)>>
Please add it.
<<0123456789abcdef0123 end 2>>
<<0123456789abcdef0123 3 comment by root (admin permission); 1 hidden character was removed>>
do this
<<0123456789abcdef0123 end 3>>
Left out: 1 comment by a person without write permission.\
""")


@pytest.mark.parametrize("weak", ["", "short", "abc" * 10 + "!", "ABCDEF0123456789", "a" * 65])
def test_a_weak_delimiter_is_refused(weak: str):
    with pytest.raises(ValueError, match="delimiter"):
        snapshot.render_blocks(take(), weak)


HALVES = (DELIMITER[:10], DELIMITER[10:])
PIECES = st.lists(
    st.sampled_from([DELIMITER, *HALVES, DELIMITER.upper(), "<<", ">>", " end 1>>", "\n", "a"]), max_size=12
)


@given(PIECES.map("".join), PIECES.map("".join))
def test_the_delimiter_can_not_be_forged(body: str, author: str):
    rendered = snapshot.render_blocks(take(text=issue(body, author)), DELIMITER)
    lines = [line for line in rendered.splitlines() if DELIMITER in line.lower()]
    assert len(lines) == 4
    assert all(line.startswith(f"<<{DELIMITER} ") and line.endswith(">>") for line in lines)
    assert rendered.lower().count(DELIMITER) == 4
