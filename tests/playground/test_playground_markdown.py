"""GitHub-flavoured Markdown, and nothing that acts, loads or pretends."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from bot.playground.markdown import Markdown

pytestmark = pytest.mark.fast


def html(text: str) -> str:
    return Markdown("/base").comment(text, "acme/shop")


def test_a_table_keeps_its_alignment():
    assert html("| a | b |\n|---|--:|\n| 1 | 2 |") == snapshot("""\
<table>
<thead>
<tr>
<th>a</th>
<th align="right">b</th>
</tr>
</thead>
<tbody>
<tr>
<td>1</td>
<td align="right">2</td>
</tr>
</tbody>
</table>
""")


def test_task_lists_show_boxes():
    assert html("- [ ] store\n- [x] show") == snapshot("""\
<ul>
<li class="task"><input type="checkbox" disabled=""> store</li>
<li class="task"><input type="checkbox" checked="" disabled=""> show</li>
</ul>
""")


def test_a_number_leads_to_its_issue():
    assert html("See #12.") == snapshot(
        '<p>See <a href="/base/acme/shop/issues/12" rel="nofollow noopener">#12</a>.</p>\n'
    )


def test_a_login_is_marked_and_leads_nowhere():
    assert html("Ask @ann") == snapshot('<p>Ask <a class="mention" rel="nofollow noopener">@ann</a></p>\n')


def test_a_bare_address_is_a_link():
    assert html("At https://x.test/a#1.") == snapshot(
        '<p>At <a href="https://x.test/a#1" rel="nofollow noopener">https://x.test/a#1</a>.</p>\n'
    )


def test_code_and_links_are_left_alone():
    assert html("`#13` [#14](https://y.test)") == snapshot(
        '<p><code>#13</code> <a href="https://y.test" rel="nofollow noopener">#14</a></p>\n'
    )


def test_what_is_no_reference_stays_text():
    assert html("a@b.test path/#3 &#35; issue#4") == snapshot("<p>a@b.test path/#3 # issue#4</p>\n")


def test_details_stay_and_a_line_break_breaks():
    assert html("<details><summary>Log</summary>\n\none\ntwo\n\n</details>") == snapshot("""\
<details><summary>Log</summary>
<p>one<br>
two</p>
</details>\
""")


def test_a_diff_is_coloured():
    assert html("```diff\n-old <b>\n+new\n same\n```") == snapshot("""\
<pre><code><span class="del">-old &lt;b&gt;</span>
<span class="add">+new</span>
 same
</code></pre>
""")


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href=javascript:alert(1)>x</a>",
        "<a href='data:text/html,x'>x</a>",
        "<style>body{display:none}</style>",
        "<form action=/x><button>go</button></form>",
        "<iframe src=https://x.test></iframe>",
        "<div style='position:fixed' class='top' id='main'>x</div>",
        "<input type=text value=x>",
    ],
)
def test_what_acts_is_gone(evil: str):
    shown = html(evil).lower()
    for word in ("script", "onerror", "data:", "style", "form", "iframe", "class=", "id=", "type=", "value="):
        assert word not in shown


def test_hidden_markers_are_gone():
    assert "marker" not in html("<!-- marker: 1 -->\nText")


@settings(deadline=None)
@given(st.text(max_size=200))
def test_no_text_makes_a_tag_that_is_not_allowed(text: str):
    assert "<script" not in html(text).lower()
