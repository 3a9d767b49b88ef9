"""A map shows what the issue is likely about first, stays within its budget, and is always the same."""

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from bot.agent import repo_map
from bot.ports import Git
from tests.agent.fake_git import FakeGit

pytestmark = pytest.mark.fast
FILES: dict[str, bytes | str] = {
    "shop/leads.py": "import os\n\nclass Lead:\n    def save(self): ...\n    def _x(self): ...\n\ndef make(name, *, tenant): ...\n",
    "shop/web.ts": "export const route = 1\nexport default async function handle() {}\nconst inner = 2\ninterface A {}\n",
    "docs/billing.md": "# Billing\n",
    "node_modules/leads/index.js": "function leads() {}\n",
    "logo.png": b"\x89PNG",
}


async def test_what_the_issue_is_about_comes_first_with_its_symbols():
    text = await repo_map.read(cast("Git", FakeGit(FILES)), "acme/shop", "a" * 40, "Leads need a tenant")
    assert text == snapshot("""\
Files, the likely relevant first:
shop/leads.py: Lead{save}, make(name, tenant)
docs/billing.md
shop/web.ts: route, handle
(2 more of 5 files are not listed)
Folders by number of files:
shop/ 2
docs/ 1\
""")


def order(issue: str, *paths: str) -> list[str]:
    return [item.path for item in repo_map.rank(paths, issue)]


def test_a_path_that_is_named_beats_every_word():
    assert order("See `a/zzz.py`: consent consent", "consent/consent.py", "a/zzz.py")[0] == "a/zzz.py"


def test_a_rare_word_beats_a_common_one():
    common = [f"module/m{n}.py" for n in range(50)]
    assert order("module consent", *common, "x/consent.py")[0] == "x/consent.py"


def test_words_are_split_at_case_changes_and_lose_their_plural():
    assert set(repo_map.words("LeadsController HTTPServer for the files")) == {"lead", "controller", "http", "server"}


@given(st.permutations(["a/consent.py", "b/leads.py", "c/web.ts", "d.md", "e/consents.ts"]))
def test_the_order_does_not_depend_on_the_listing(paths: list[str]):
    assert order("consent of leads", *paths) == ["b/leads.py", "a/consent.py", "e/consents.ts", "d.md", "c/web.ts"]


@given(st.integers(300, 3_000), st.integers(0, 400))
def test_a_map_is_never_over_its_budget(tokens: int, count: int):
    ranked = repo_map.rank([f"package{n % 7}/module{n}/file.py" for n in range(count)], "module")
    text = repo_map.render(ranked, {ranked[0].path: ("name",) * 24} if ranked else {}, total=count, tokens=tokens)
    assert len(text) <= tokens * repo_map.CHARACTERS_A_TOKEN


def test_what_is_not_listed_is_counted():
    ranked = repo_map.rank([f"package/module{n}/file.py" for n in range(900)], "module")
    assert "(8" in repo_map.render(ranked, {}, total=900, tokens=600)


@pytest.mark.parametrize(
    ("path", "text", "names"),
    [
        ("a.py", "def f(): pass\nasync def g(a): pass\n", ("f()", "g(a)")),
        ("a.py", "print 'python 2'\ndef f(x):\n    pass\n", ("f",)),
        ("a.py", "\0", ()),
        (
            "a.tsx",
            "export default class Page {}\nexport type Props = {}\nfunction help() {}\n",
            ("Page", "Props", "help"),
        ),
        ("a.go", "func (s *Server) Run() {}\nfunc main() {}\ntype Server struct {}\n", ("Run", "main", "Server")),
        ("a.rs", "pub fn run() {}\npub(crate) struct Held;\n", ("run", "Held")),
        ("a.txt", "def f(): pass", ()),
    ],
)
def test_top_level_names(path: str, text: str, names: tuple[str, ...]):
    assert repo_map.symbols(path, text) == names
