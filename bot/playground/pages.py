"""The playground's pages: issues, pull requests and files of its repositories, to look at. They change nothing and run no script."""

import secrets
from collections.abc import Iterable
from hashlib import sha256
from http import HTTPStatus
from typing import TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.playground.markdown import Markdown
from bot.playground.views import (
    EventView,
    FilePage,
    IssuePage,
    IssuesPage,
    LabelView,
    PagesSource,
    PullPage,
    diff_lines,
)

Page = TypeVar("Page")

PAINTED = 400
"""Lines of a file's difference up to which it is shown open."""
REACTIONS = {
    "+1": "👍",
    "-1": "👎",
    "laugh": "😄",
    "hooray": "🎉",
    "confused": "😕",
    "heart": "❤️",
    "rocket": "🚀",
    "eyes": "👀",
}
IMAGES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp"}
POLICY = "default-src 'none'; style-src 'self' 'nonce-{nonce}'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def pages_app(source: PagesSource) -> Starlette:
    """An app that shows what `source` gives; mount it last, since `/OWNER/REPO` matches much."""
    pages = Pages(source)
    repo = "/{owner}/{name}"
    routes = [
        ("/", pages.home),
        ("/-/style.css", pages.style),
        (repo, pages.repo),
        (repo + "/issues", pages.issues),
        (repo + "/pulls", pages.pulls),
        (repo + "/issues/{number:int}", pages.issue),
        (repo + "/pull/{number:int}", pages.pull),
        (repo + "/pull/{number:int}/{tab}", pages.pull),
        (repo + "/commit/{sha}", pages.commit),
        (repo + "/tree/{rest:path}", pages.repo),
        (repo + "/blob/{rest:path}", pages.file),
        (repo + "/raw/{rest:path}", pages.raw),
    ]
    return Starlette(
        routes=[Route(path, endpoint, methods=["GET"]) for path, endpoint in routes],
        exception_handlers={HTTPException: pages.problem},
    )


def initials(login: str) -> str:
    """Two letters for an avatar."""
    words = [word for word in login.replace("[bot]", "").replace("_", "-").split("-") if word]
    letters = "".join(word[0] for word in words[:2]) if len(words) > 1 else "".join(words)[:2]
    return letters.upper() or "?"


def hue(login: str) -> int:
    """One of twelve colours, always the same for a name."""
    return sha256(login.encode()).digest()[0] % 12


def when(stamp: str) -> str:
    """`2026-11-24T09:14:02Z` as `2026-11-24 09:14 UTC`; other forms as they are."""
    utc = stamp.endswith(("Z", "+00:00")) and len(stamp) >= 17
    return f"{stamp[:10]} {stamp[11:16]} UTC" if utc else stamp


def label_rule(label: LabelView) -> str:
    """The style of a label's pill: its colour, with the text black or white, whichever is easier to read."""
    color = label.color.lower()
    if len(color) != 6 or set(color) - set("0123456789abcdef"):
        color = "888888"
    red, green, blue = (int(color[at : at + 2], 16) for at in (0, 2, 4))
    text = "#000" if red * 299 + green * 587 + blue * 114 > 140_000 else "#fff"
    return f".{label_class(label)}{{background:#{color};color:{text}}}"


def label_class(label: LabelView) -> str:
    """A class name for a label's colour."""
    return f"label-{sha256(label.color.encode()).hexdigest()[:8]}"


class Pages:
    """The endpoints."""

    def __init__(self, source: PagesSource) -> None:
        self._source = source
        self._templates = Environment(
            loader=PackageLoader("bot.playground", "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"initials": initials, "hue": hue, "when": when, "lines": diff_lines}

    async def home(self, request: Request) -> Response:
        """`/`"""
        return self._page(request, "home.html", repos=await self._source.repos())

    async def style(self, request: Request) -> Response:
        """The one style sheet."""
        css = self._templates.get_template("style.css").render()
        return Response(css, media_type="text/css", headers={"cache-control": "no-cache"})

    async def repo(self, request: Request) -> Response:
        """`/OWNER/REPO`, and folders at a ref."""
        page = found(await self._source.folder(repo_of(request), request.path_params.get("rest", "")))
        return self._page(request, "folder.html", page=page)

    async def issues(self, request: Request) -> Response:
        """`/OWNER/REPO/issues`"""
        return self._rows(request, found(await self._source.issues(repo_of(request))), "issues")

    async def pulls(self, request: Request) -> Response:
        """`/OWNER/REPO/pulls`"""
        return self._rows(request, found(await self._source.pulls(repo_of(request))), "pulls")

    def _rows(self, request: Request, page: IssuesPage, kind: str) -> Response:
        closed = request.query_params.get("state") == "closed"
        rows = [row for row in page.rows if (row.state in ("closed", "merged")) is closed]
        labels = [label for row in rows for label in row.labels]
        return self._page(request, "issues.html", labels=labels, page=page, rows=rows, kind=kind, closed=closed)

    async def issue(self, request: Request) -> Response:
        """`/OWNER/REPO/issues/N`; a pull request's number leads there."""
        repo, number = repo_of(request), request.path_params["number"]
        page = await self._source.issue(repo, number)
        if page is None:
            found(await self._source.pull(repo, number))
            return RedirectResponse(f"{base_of(request)}/{repo}/pull/{number}", status_code=302)
        return self._page(request, "issue.html", labels=labels_of(page), page=page)

    async def pull(self, request: Request) -> Response:
        """`/OWNER/REPO/pull/N` with its tabs; an issue's number leads there."""
        repo, number = repo_of(request), request.path_params["number"]
        tab = request.path_params.get("tab", "conversation")
        page = await self._source.pull(repo, number)
        if page is None:
            found(await self._source.issue(repo, number))
            return RedirectResponse(f"{base_of(request)}/{repo}/issues/{number}", status_code=302)
        if tab not in ("conversation", "commits", "files", "checks"):
            raise HTTPException(404)
        return self._page(request, "pull.html", labels=labels_of(page), page=page, tab=tab)

    async def commit(self, request: Request) -> Response:
        """`/OWNER/REPO/commit/SHA`"""
        page = found(await self._source.commit(repo_of(request), request.path_params["sha"]))
        return self._page(request, "commit.html", page=page)

    async def file(self, request: Request) -> Response:
        """`/OWNER/REPO/blob/REF/PATH`; with `?raw=true` as `/raw/`."""
        if request.query_params.get("raw") == "true":
            return await self.raw(request)
        page = found(await self._source.file(repo_of(request), request.path_params["rest"]))
        return self._page(request, "file.html", page=page, text=text_of(page), image=image_type(page) != "")

    async def raw(self, request: Request) -> Response:
        """The bytes: an image as one, everything else as plain text."""
        page = found(await self._source.file(repo_of(request), request.path_params["rest"]))
        kind = image_type(page) or "text/plain; charset=utf-8"
        return Response(page.content, media_type=kind, headers=safe_headers("none"))

    async def problem(self, request: Request, error: Exception) -> Response:
        """A plain page for an error."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        return self._page(request, "problem.html", status=status, words=HTTPStatus(status).phrase)

    def _page(
        self, request: Request, template: str, *, labels: Iterable[LabelView] = (), status: int = 200, **shown: object
    ) -> Response:
        nonce = secrets.token_urlsafe(16)
        markdown = Markdown(base_of(request))
        html = self._templates.get_template(template).render(
            base=base_of(request),
            nonce=nonce,
            # the colours are six checked hex digits, and a class name is made of a hash: nothing to escape
            label_rules=Markup("".join(sorted({label_rule(label) for label in labels}))),
            comment=lambda text, repo: Markup(markdown.comment(text, repo)),
            document=lambda text, repo: Markup(markdown.document(text, repo)),
            label_class=label_class,
            reactions=REACTIONS,
            painted=PAINTED,
            status=status,
            **shown,
        )
        return Response(html, status_code=status, media_type="text/html", headers=safe_headers(nonce))


def found(page: Page | None) -> Page:
    """The page, or a 404."""
    if page is None:
        raise HTTPException(404)
    return page


def safe_headers(nonce: str) -> dict[str, str]:
    """What keeps a page to itself."""
    return {
        "content-security-policy": POLICY.format(nonce=nonce),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
    }


def base_of(request: Request) -> str:
    """The path that the pages are mounted at, without a slash at its end."""
    return request.scope.get("root_path", "").rstrip("/")


def repo_of(request: Request) -> str:
    """`owner/name` of the address."""
    return f"{request.path_params['owner']}/{request.path_params['name']}"


def labels_of(page: IssuePage | PullPage) -> list[LabelView]:
    """Every label that a page paints."""
    told = [item.label for item in page.timeline if isinstance(item, EventView) and item.label]
    return [*page.labels, *told]


def image_type(page: FilePage) -> str:
    """The media type of an image that may be shown, empty for anything else."""
    return next((kind for suffix, kind in IMAGES.items() if page.path.lower().endswith(suffix)), "")


def text_of(page: FilePage) -> str | None:
    """The file as text; None for a binary one."""
    if b"\0" in page.content[:8192]:
        return None
    return page.content.decode(errors="replace")
