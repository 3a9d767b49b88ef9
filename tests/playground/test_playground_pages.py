"""The pages: what they show, where they lead, and that they load and run nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Mount

from bot.playground.pages import initials, label_rule, pages_app, when
from bot.playground.views import (
    CheckView,
    CommentView,
    CommitPage,
    CommitView,
    DiffLine,
    EntryView,
    EventView,
    FilePage,
    FileView,
    FolderPage,
    IssuePage,
    IssueRow,
    IssuesPage,
    LabelView,
    PullPage,
    RepoHeader,
    diff_lines,
    split_ref,
)

pytestmark = pytest.mark.fast

REPO = RepoHeader("acme/shop", private=False, default_branch="main", open_issues=1, open_pulls=1)
LABEL = LabelView("agent/working", "5319e7")
COMMIT = CommitView("a" * 40, "Record consent", "Because.", "ann", "2026-11-24T09:00:00+00:00")
FILES = (
    FileView("src/cart.py", "src/cart.py", "modified", 1, 1, "@@ -1 +1 @@\n-old\n+new <b>"),
    FileView("logo.png", "logo.png", "added", None, None, ""),
)
ISSUE = IssuePage(
    REPO,
    42,
    "Consent & <log>",
    "open",
    "ann-lee",
    "2026-11-24T09:00:00Z",
    (LABEL,),
    (
        CommentView(1, "ann-lee", False, "2026-11-24T09:00:00Z", "Do **it**.", reactions=(("eyes", 1),)),
        EventView("2026-11-24T09:01:00Z", "ann-lee", False, "added the label", LabelView("agent", "ededed")),
        CommentView(2, "journeyman[bot]", True, "2026-11-24T09:02:00Z", "<script>x</script>Working", edited=True),
    ),
)
PULL = PullPage(
    REPO,
    43,
    "Record consent",
    "draft",
    "journeyman[bot]",
    "2026-11-24T09:30:00Z",
    (),
    (CommentView(3, "journeyman[bot]", True, "2026-11-24T09:30:00Z", "Fixes #42"),),
    "agent/42-consent",
    "main",
    "a" * 40,
    (COMMIT,),
    FILES,
    (CheckView("agent / verify", "completed", "success", "All passed", "| a |\n|---|\n| 1 |", "journeyman"),),
    ("ann-lee",),
)


@dataclass
class Given:
    """A source of exactly these pages."""

    issue_page: IssuePage = ISSUE
    pull_page: PullPage = PULL
    content: bytes = b"def a():\n    return '<b>'\n"

    async def repos(self) -> Sequence[RepoHeader]:
        return [REPO]

    async def folder(self, repo: str, rest: str) -> FolderPage | None:
        entries = (EntryView("src", True), EntryView("a b.txt", False))
        return (
            FolderPage(REPO, "main", rest, entries, ("main", "agent/1-x"), COMMIT, "# Shop")
            if repo == "acme/shop"
            else None
        )

    async def file(self, repo: str, rest: str) -> FilePage | None:
        ref, path = split_ref(rest, ["main", "agent/1-x"])
        return FilePage(REPO, ref, path, self.content)

    async def commit(self, repo: str, sha: str) -> CommitPage | None:
        return CommitPage(REPO, COMMIT, FILES)

    async def issues(self, repo: str) -> IssuesPage | None:
        open_, closed = IssueRow(42, "Open one", "ann", "2026-11-24T09:00:00Z", "open", (LABEL,)), "closed"
        return IssuesPage(REPO, (open_, replace(open_, number=41, title="Old one", state=closed)))

    async def pulls(self, repo: str) -> IssuesPage | None:
        return IssuesPage(REPO, (IssueRow(43, "A pull", "ann", "2026-11-24T09:00:00Z", "draft", is_pull=True),))

    async def issue(self, repo: str, number: int) -> IssuePage | None:
        return self.issue_page if number == 42 else None

    async def pull(self, repo: str, number: int) -> PullPage | None:
        return self.pull_page if number == 43 else None


async def get(path: str, source: Given | None = None, *, mount: str = "") -> httpx.Response:
    app = pages_app(source or Given())
    served = Starlette(routes=[Mount(mount, app)]) if mount else app
    async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://hub.test") as client:
        return await client.get(mount + path)


EVERY = [
    "/",
    "/acme/shop",
    "/acme/shop/tree/main/src",
    "/acme/shop/issues",
    "/acme/shop/pulls",
    "/acme/shop/issues/42",
    "/acme/shop/pull/43",
    "/acme/shop/pull/43/commits",
    "/acme/shop/pull/43/files",
    "/acme/shop/pull/43/checks",
    f"/acme/shop/commit/{'a' * 40}",
    "/acme/shop/blob/main/src/a.py",
    "/acme/nothing",
]


@pytest.mark.parametrize("path", EVERY)
async def test_every_page_comes_with_a_strict_policy_and_loads_only_its_own(path: str):
    page = await get(path)
    assert page.status_code == (404 if "nothing" in path else 200)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in page.text.replace("<script>x</script>", "")
    assert set(re.findall(r'(?:src|href)="(https?:[^"]*)"', page.text)) == set()
    assert re.findall(r'nonce="([^"]+)"', page.text)[0] in policy


@pytest.mark.parametrize("path", EVERY)
async def test_every_link_of_a_mounted_page_stays_under_its_mount(path: str):
    links = re.findall(r'(?:src|href)="(/[^"]*)"', (await get(path, mount="/hub")).text)
    assert links
    assert [link for link in links if not link.startswith("/hub/")] == []


async def test_an_issue_shows_its_comments_events_and_labels():
    page = (await get("/acme/shop/issues/42")).text
    for shown in (
        "Consent &amp; &lt;log&gt;",
        "Do <strong>it</strong>.",
        "added the label",
        "agent/working",
        "👀 1",
        "edited",
        ">AL<",
    ):
        assert shown in page
    assert "<script>x" not in page


async def test_a_number_leads_to_what_it_is():
    issue, pull = await get("/acme/shop/issues/43"), await get("/acme/shop/pull/42")
    assert issue.headers["location"].endswith("/acme/shop/pull/43")
    assert pull.headers["location"].endswith("/acme/shop/issues/42")


async def test_a_number_that_nothing_has_is_not_found():
    assert (await get("/acme/shop/issues/1")).status_code == 404


async def test_a_list_shows_open_or_closed():
    assert "Old one" not in (await get("/acme/shop/issues")).text
    assert "Open one" not in (await get("/acme/shop/issues?state=closed")).text


async def test_the_files_of_a_pull_request_are_a_coloured_difference():
    page = (await get("/acme/shop/pull/43/files")).text
    assert (
        '<tr class="del"><td class="n" data-n="1"></td><td class="n" data-n=""></td><td class="mark">-</td><td>old</td></tr>'
        in page
    )
    assert "<td>new &lt;b&gt;</td>" in page
    assert "Binary or empty file." in page


async def test_a_large_file_is_folded():
    big = FileView("big.txt", "big.txt", "added", 401, 0, "@@ -0,0 +1,401 @@\n" + "\n".join(["+x"] * 401))
    page = (await get("/acme/shop/pull/43/files", Given(pull_page=replace(PULL, files=(big, *FILES))))).text
    assert '<details class="file" id="file-1">' in page
    assert '<details class="file" id="file-2" open>' in page


async def test_a_file_is_found_on_a_branch_with_a_slash():
    page = (await get("/acme/shop/blob/agent/1-x/src/a.py")).text
    assert '<code class="branch">agent/1-x</code> <code>src/a.py</code>' in page
    assert "return &#39;&lt;b&gt;&#39;" in page


async def test_raw_html_is_plain_text():
    page = await get("/acme/shop/raw/main/x.html", Given(content=b"<script>x</script>"))
    assert page.headers["content-type"] == "text/plain; charset=utf-8"
    assert page.headers["x-content-type-options"] == "nosniff"


async def test_a_picture_is_shown_as_one():
    assert (await get("/acme/shop/blob/main/shot.png?raw=true")).headers["content-type"] == "image/png"
    assert '<img class="shown" src="/acme/shop/raw/main/shot.png"' in (await get("/acme/shop/blob/main/shot.png")).text


@pytest.mark.parametrize("color", ["fff}body{display:none", "fff", "", "gggggg"])
async def test_a_label_with_a_colour_that_is_none_gets_grey(color: str):
    evil = replace(ISSUE, labels=(LabelView("x", color),))
    page = (await get("/acme/shop/issues/42", Given(issue_page=evil))).text
    assert "display:none" not in page
    assert "#888888" in page


def test_a_pill_is_readable_on_any_colour():
    assert "color:#000" in label_rule(LabelView("x", "fef2c0"))
    assert "color:#fff" in label_rule(LabelView("x", "5319e7"))


@pytest.mark.parametrize(
    ("login", "letters"), [("ann-lee", "AL"), ("bob", "BO"), ("journeyman[bot]", "JO"), ("x", "X"), ("", "?")]
)
def test_initials(login: str, letters: str):
    assert initials(login) == letters


def test_times_are_said_in_utc():
    assert when("2026-11-24T09:14:02Z") == "2026-11-24 09:14 UTC"
    assert when("2026-11-24T09:14:02+02:00") == "2026-11-24T09:14:02+02:00"


def test_lines_of_a_difference_have_their_numbers():
    patch = "@@ -3,2 +3,3 @@ def f():\n same\n-old\n+new\n+more\n\\ No newline at end of file"
    assert diff_lines(patch)[1:] == [
        DiffLine("same", "3", "3", "same"),
        DiffLine("del", "4", "", "old"),
        DiffLine("add", "", "4", "new"),
        DiffLine("add", "", "5", "more"),
        DiffLine("note", "", "", "No newline at end of file"),
    ]


@settings(deadline=None)
@given(st.sampled_from(["main", "agent/1-x", "agent/1-x--t1"]), st.text("ab/.", max_size=12))
def test_a_ref_and_a_path_come_apart_again(ref: str, path: str):
    branches = ["main", "agent/1-x", "agent/1-x--t1"]
    assert split_ref(f"{ref}/{path}", branches) == (ref, path)
