"""CommonMark to the text that a person sees when it is rendered.

No hidden HTML and no comments; links with their target, images as `[image]`.
"""

import re
from dataclasses import dataclass
from html.parser import HTMLParser

import nh3
from markdown_it import MarkdownIt

ROWS = frozenset({"div", "tr", "li", "dt", "dd", "summary", "section", "article", "details", "figure"})
PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "pre", "table", "blockquote", "hr", "dl"})
HIDDEN = frozenset(
    {"script", "style", "template", "noscript", "title", "head", "iframe", "object", "embed", "svg", "math", "textarea"}
    | {"select", "audio", "video", "canvas", "frameset", "xmp", "noembed"}
)
VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
SHOWN = set(ROWS | PARAGRAPHS | HIDDEN | VOID | {"a", "span", "code", "td", "th", "font", "b", "i"})
ATTRIBUTES = {"*": {"hidden", "style"}, "a": {"href"}, "img": {"alt"}, "ol": {"start"}}
STYLED = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(\.0+)?\s*(;|$)|font-size\s*:\s*0|color\s*:\s*transparent",
    re.IGNORECASE,
)
MAX_URL = 200


@dataclass(frozen=True, slots=True)
class Visible:
    """The text, how many characters of the source were hidden in HTML, how many images there were, and whether there were words besides."""

    text: str
    hidden: int
    images: int
    words: bool


def visible_text(source: str) -> Visible:
    """Render as CommonMark with tables and strikethrough, then read the page as a person would."""
    source = source.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\ufffd")
    html = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(source)
    # Before the parser: a browser hides the rest of a page after an unclosed comment, Python's parser may show it.
    without = _without_comments(html)
    # Then a real HTML5 parser, which sees what a browser sees and takes linear time; what it writes is always well formed.
    clean = nh3.clean(without, tags=SHOWN, attributes=ATTRIBUTES, clean_content_tags=set(), link_rel=None)
    page = _Page()
    page.feed(clean)
    page.close()
    text = page.text()
    words = text.replace("[image]", "").strip()
    return Visible(text, page.hidden + len(html) - len(without), page.images, bool(words))


def _without_comments(html: str) -> str:
    """In one pass, since a pattern would look for an end again from every beginning."""
    kept = []
    at = 0
    while (start := html.find("<!--", at)) >= 0:
        kept.append(html[at:start])
        end = html.find("-->", start + 2)
        if end < 0:
            return "".join(kept)
        at = end + 3
    return "".join((*kept, html[at:]))


class _Page(HTMLParser):
    """Walks the rendered page. `_closed` is the stack of hidden elements that are open: nothing shows while it is not empty."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.hidden = 0
        self.images = 0
        self._parts: list[str] = []
        self._lists: list[int | None] = []
        self._quotes: list[int] = []
        self._closed: list[str] = []
        self._links: list[str] = []
        self._pre = False

    def text(self) -> str:
        return "".join(self._parts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if self._closed or _is_hidden(tag, values):
            if tag not in VOID:
                self._closed.append(tag)
            self.hidden += len(self.get_starttag_text() or "")
            return
        self._open(tag, values)

    def _open(self, tag: str, values: dict[str, str]) -> None:
        if tag in ROWS or tag in PARAGRAPHS:
            self._break()
        if tag in ("ul", "ol"):
            start = values.get("start", "1")
            self._lists.append(None if tag == "ul" else int(start) if start.isascii() and start.isdecimal() else 1)
        elif tag == "li":
            self._item()
        elif tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self._put("#" * int(tag[1]) + " ")
        elif tag == "blockquote":
            self._quotes.append(len(self._parts))
        elif tag == "pre":
            self._pre = True
            self._put("```\n")
        elif tag == "code" and not self._pre:
            self._put("`")
        elif tag == "br":
            self._put("\n")
        elif tag == "hr":
            self._put("---\n")
        elif tag in ("td", "th"):
            self._put("| ")
        elif tag == "a":
            self._links.append(values.get("href", ""))
        elif tag == "img":
            self.images += 1
            # Its alternative text isn't seen where the image is, so it is no more to be trusted than a comment.
            self.hidden += len(values.get("alt", ""))
            self._put("[image]")

    def handle_endtag(self, tag: str) -> None:
        if self._closed:
            if tag in self._closed:
                while self._closed.pop() != tag:
                    pass
            return
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        elif tag == "blockquote" and self._quotes:
            self._quote(self._quotes.pop())
        elif tag == "pre":
            self._pre = False
            self._put("```")
        elif tag == "code" and not self._pre:
            self._put("`")
        elif tag == "a" and self._links:
            self._target(self._links.pop())
        elif tag in ("td", "th"):
            self._put(" ")
        if tag in PARAGRAPHS and not self._lists:
            self._break(2)
        elif tag in ROWS or tag in PARAGRAPHS:
            self._break()

    def handle_data(self, data: str) -> None:
        if self._closed:
            self.hidden += len(data)
        elif self._pre or data.strip() or "\n" not in data:
            self._put(data)
        elif self._parts and not self._ends("\n", "| ", " "):
            self._put("\n")

    def handle_comment(self, data: str) -> None:
        self.hidden += len(data)

    def handle_decl(self, decl: str) -> None:
        self.hidden += len(decl)

    def unknown_decl(self, data: str) -> None:
        self.hidden += len(data)

    def handle_pi(self, data: str) -> None:
        self.hidden += len(data)

    def _put(self, text: str) -> None:
        if text:
            self._parts.append(text)

    def _ends(self, *ends: str) -> bool:
        return bool(self._parts) and self._parts[-1].endswith(ends)

    def _break(self, lines: int = 1) -> None:
        """End the line, or leave an empty one; right after a bullet the text belongs to the bullet's line."""
        if self._parts and not self._ends("\n" * lines, "- ", ". "):
            self._put("\n" if self._ends("\n") else "\n" * lines)

    def _item(self) -> None:
        depth = min(max(len(self._lists) - 1, 0), 8)
        number = self._lists[-1] if self._lists else None
        if number is not None:
            self._lists[-1] = number + 1
        self._put("" if self._ends("\n") or not self._parts else "\n")
        self._put(f"{'  ' * depth}{'-' if number is None else f'{number}.'} ")

    def _quote(self, start: int) -> None:
        inside = "".join(self._parts[start:]).strip("\n")
        self._parts[start:] = ["\n".join(f"> {line}" for line in inside.split("\n")), "\n"]

    def _target(self, href: str) -> None:
        href = href.strip()
        if href and not href.startswith("#") and not self._just_said(href):
            self._put(f" ({href[:MAX_URL]})")

    def _just_said(self, href: str) -> bool:
        return bool(self._parts) and self._parts[-1].strip() == href.removeprefix("mailto:")


def _is_hidden(tag: str, values: dict[str, str]) -> bool:
    return tag in HIDDEN or "hidden" in values or bool(STYLED.search(values.get("style", "")))
