"""GitHub-flavoured Markdown to HTML that is safe to show: tables, task lists, strikethrough, mentions, references, `<details>`."""

import re
from html import escape

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

TAGS = {
    *(
        "a",
        "b",
        "blockquote",
        "br",
        "code",
        "dd",
        "del",
        "details",
        "div",
        "dl",
        "dt",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
    ),
    *(
        "hr",
        "i",
        "img",
        "input",
        "ins",
        "kbd",
        "li",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "span",
        "strong",
        "sub",
        "summary",
        "sup",
    ),
    *("table", "tbody", "td", "th", "thead", "tr", "ul"),
}
ATTRIBUTES = {
    "a": {"href", "title"},
    "details": {"open"},
    "img": {"src", "alt", "title", "width", "height"},
    "input": {"checked", "disabled"},
    "ol": {"start"},
    "td": {"align"},
    "th": {"align"},
}
CLASSES = {"li": {"task"}, "a": {"mention"}, "span": {"add", "del"}}
ALIGN = re.compile(r"^text-align:(left|center|right)$")
LINKS = re.compile(
    r"(?P<url>https?://[^\s<>\"')\]]*[^\s<>\"')\].,;:!?])"
    r"|(?<![\w/&#])#(?P<issue>\d{1,9})\b"
    r"|(?<![\w/@.`])@(?P<login>[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:\[bot\])?)"
)


class Markdown:
    """A renderer for one place of the pages; `base` is the path that they are mounted at."""

    def __init__(self, base: str = "") -> None:
        self._base = base
        self._comment = self._parser(breaks=True)
        self._document = self._parser(breaks=False)

    def comment(self, text: str, repo: str) -> str:
        """A comment, where a line break is a break."""
        return clean(self._comment.render(text, {"issues": f"{self._base}/{repo}/issues/"}))

    def document(self, text: str, repo: str) -> str:
        """A file, where it is not."""
        return clean(self._document.render(text, {"issues": f"{self._base}/{repo}/issues/"}))

    @staticmethod
    def _parser(*, breaks: bool) -> MarkdownIt:
        parser = MarkdownIt("commonmark", {"html": True, "breaks": breaks}).enable(["table", "strikethrough"])
        parser.core.ruler.push("task_lists", mark_tasks)
        parser.core.ruler.push("references", link_references)
        parser.core.ruler.push("align", align_cells)
        parser.add_render_rule("fence", render_fence)
        return parser


def clean(html: str) -> str:
    """What is left of HTML when everything that acts, loads or pretends is gone."""
    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        allowed_classes=CLASSES,
        url_schemes={"http", "https", "mailto"},
        tag_attribute_values={"input": {"type": {"checkbox"}}},
        set_tag_attribute_values={"input": {"disabled": ""}},
        link_rel="nofollow noopener",
    )


def mark_tasks(state: StateCore) -> None:
    """`- [x] done` becomes a checkbox."""
    tokens = state.tokens
    for at in range(2, len(tokens)):
        item, inline = tokens[at - 2], tokens[at]
        if item.type != "list_item_open" or inline.type != "inline" or not inline.children:
            continue
        first = inline.children[0]
        if first.type == "text" and (found := re.match(r"\[([ xX])\] ", first.content)):
            first.content = first.content[4:]
            checked = "" if found[1] == " " else " checked"
            box = Token("html_inline", "", 0, content=f'<input type="checkbox"{checked} disabled> ')
            inline.children.insert(0, box)
            item.attrJoin("class", "task")


def align_cells(state: StateCore) -> None:
    """Alignment as an attribute: a style would be taken out."""
    for token in state.tokens:
        if token.type in ("td_open", "th_open") and (found := ALIGN.match(str(token.attrGet("style") or ""))):
            token.attrs = {"align": found[1]}


def link_references(state: StateCore) -> None:
    """Bare addresses, `#12` and `@login` become links, outside of links and code."""
    issues = state.env.get("issues", "")
    for inline in state.tokens:
        if inline.type != "inline" or not inline.children:
            continue
        depth = 0
        children: list[Token] = []
        for token in inline.children:
            depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
            if token.type == "text" and depth == 0 and LINKS.search(token.content):
                html = linked(token.content, issues)
                children.append(Token("html_inline", "", 0, content=html))
            else:
                children.append(token)
        inline.children = children


def linked(text: str, issues: str) -> str:
    """HTML of a text with its references as links."""
    parts: list[str] = []
    done = 0
    for found in LINKS.finditer(text):
        parts.append(escape(text[done : found.start()]))
        whole = escape(found[0])
        if found["login"]:
            parts.append(f'<a class="mention">{whole}</a>')
        else:
            parts.append(f'<a href="{escape(found["url"] or issues + found["issue"])}">{whole}</a>')
        done = found.end()
    return "".join([*parts, escape(text[done:])])


def render_fence(renderer: object, tokens: list[Token], at: int, options: object, env: object) -> str:
    """A code block; a `diff` one with its lines coloured."""
    token = tokens[at]
    if token.info.strip().split(" ")[0] != "diff":
        return f"<pre><code>{escape(token.content)}</code></pre>\n"
    kinds = {"+": "add", "-": "del"}
    lines = [
        f'<span class="{kinds[line[0]]}">{escape(line)}</span>' if line[:1] in kinds else escape(line)
        for line in token.content.splitlines()
    ]
    return "<pre><code>" + "\n".join(lines) + "\n</code></pre>\n"
