"""The rules of a repository come from its own files at the base SHA, and what did not fit is named."""

from typing import Any, cast

import pytest
from inline_snapshot import snapshot

from bot.agent import foundation
from bot.ports import Git
from tests.agent.fake_git import FakeGit

pytestmark = pytest.mark.fast
SHA = "a" * 40


async def read(files: dict[str, Any], **options: Any) -> foundation.FoundationText:
    return await foundation.read(cast("Git", FakeGit(files)), "acme/shop", SHA, **options)


async def test_a_repository_is_read_in_order():
    got = await read(
        {
            "AGENTS.md": "# Rules\n- Events MUST be past tense.\n",
            "CLAUDE.md": "Read AGENTS.md.\n",
            "README.md": "# Shop\n",
            "CONTRIBUTING.md": "Never push to main.\n",
            ".ai/skills/spec/SKILL.md": "---\nname: spec-writing\ndescription: How specs\n  are written\n---\nbody\n",
            "src/a.py": "x = 1\n",
        }
    )
    assert got.prompt_text == snapshot("""\
--- AGENTS.md
# Rules
- Events MUST be past tense.

--- CLAUDE.md
Read AGENTS.md.

--- skills
- spec-writing (.ai/skills/spec/SKILL.md): How specs are written

--- CONTRIBUTING.md
Never push to main.

--- README.md
# Shop

--- Lines of these files that bind, to be cited by path and line
AGENTS.md:2: Events MUST be past tense.
CONTRIBUTING.md:1: Never push to main.\
""")
    assert got.foundation.read == ("AGENTS.md", "CLAUDE.md", "skills", "CONTRIBUTING.md", "README.md")
    assert (got.foundation.cut, got.foundation.left_out) == ((), ())


async def test_rules_are_known_by_path_and_line():
    got = await read({"AGENTS.md": "# Must read\n1. Never log e-mail.\n```\nalways in code\n```\nhello\n"})
    assert [(rule.text, rule.path, rule.line) for rule in got.rules] == [
        ("# Must read", "AGENTS.md", 1),
        ("Never log e-mail.", "AGENTS.md", 2),
    ]


async def test_only_nested_rules_on_the_way_to_what_is_at_stake_apply_and_the_nearest_comes_last():
    paths = ["AGENTS.md", "mod/AGENTS.md", "mod/leads/AGENTS.md", "mod/leads/CLAUDE.md", "mod/other/AGENTS.md"]
    assert foundation.chain(paths, ["mod/leads/api/public.ts"]) == (
        "AGENTS.md",
        "mod/AGENTS.md",
        "mod/leads/AGENTS.md",
        "mod/leads/CLAUDE.md",
    )


async def test_without_anything_at_stake_the_root_alone_speaks():
    assert foundation.chain(["AGENTS.md", "mod/AGENTS.md"], []) == ("AGENTS.md",)


async def test_what_does_not_fit_is_named():
    got = await read({"AGENTS.md": "a" * 60, "CLAUDE.md": "b" * 60, "README.md": "c" * 60}, budget=100)
    assert got.foundation.bytes_read == 100
    assert got.foundation.read == ("AGENTS.md", "CLAUDE.md")
    assert got.foundation.cut == ("CLAUDE.md (60 bytes, 40 shown)", "README.md (60 bytes, 0 shown)")
    assert got.prompt_text.endswith(
        "Cut for length, open them where they matter: CLAUDE.md (60 bytes, 40 shown); README.md (60 bytes, 0 shown)."
    )


async def test_one_huge_file_does_not_eat_the_room_of_the_others():
    got = await read({"AGENTS.md": "line\n" * 20_000, "CLAUDE.md": "short\n"})
    assert got.foundation.cut == ("AGENTS.md (100000 bytes, the first 32000 shown)",)
    assert "CLAUDE.md" in got.foundation.read


@pytest.mark.parametrize(
    ("data", "why", "shown"),
    [
        (b"caf\xe9 must\n", "AGENTS.md (some bytes are not UTF-8 and were replaced)", True),
        (b"\x00\x01\x02", "AGENTS.md (binary)", False),
        (b"x" * 1_000_001, "AGENTS.md (too large, or no regular file)", False),
    ],
)
async def test_strange_bytes_are_survived_and_named(data: bytes, why: str, shown: bool):
    got = await read({"AGENTS.md": data})
    assert got.foundation.left_out == (why,)
    assert ("AGENTS.md" in got.foundation.read) is shown


async def test_a_symlink_is_not_followed():
    git = FakeGit({"README.md": "hi"}, links={"AGENTS.md": "../../etc/passwd"})
    got = await foundation.read(cast("Git", git), "acme/shop", SHA)
    assert got.foundation.read == ("README.md",)
    assert got.foundation.left_out == ("AGENTS.md (a symbolic link, not followed)",)
    assert (SHA, "AGENTS.md") not in git.asked


async def test_the_same_text_is_read_once():
    got = await read({"AGENTS.md": "Never log.\n", "CLAUDE.md": "Never log.\n"})
    assert got.foundation.read == ("AGENTS.md",)
    assert got.foundation.left_out == ("CLAUDE.md (the same text as another)",)


ROUTES = """# Routes
| when | read |
|---|---|
| consent, privacy | `docs/consent.md` |
| billing and invoices | [guide](./docs/billing.md) |
| consent and leads | docs/gone.md, docs/leads.md |
"""


async def test_rows_of_a_routing_table_that_apply_are_followed():
    files = {"AGENTS.md": ROUTES, **{f"docs/{name}.md": f"# {name}\n" for name in ("consent", "billing", "leads")}}
    got = await read(files, issue="Leads must give consent")
    assert got.foundation.read == ("AGENTS.md", "docs/leads.md", "docs/consent.md")


async def test_without_an_issue_no_row_applies():
    got = await read({"AGENTS.md": ROUTES, "docs/consent.md": "x"})
    assert got.foundation.read == ("AGENTS.md",)


def test_a_row_is_read_from_the_folder_of_its_table():
    texts = {"mod/AGENTS.md": "| consent | docs/a.md |"}
    assert foundation.routed(texts, {"mod/docs/a.md", "docs/a.md"}, "consent") == ["mod/docs/a.md"]


async def test_everything_is_asked_at_the_base_sha():
    git = FakeGit({"AGENTS.md": "x", "README.md": "y", ".github/agent.yml": "version: 1\n", "CODEOWNERS": "* @a"})
    got = await foundation.read(cast("Git", git), "acme/shop", SHA)
    assert {sha for sha, _ in git.asked} == {SHA}
    assert (got.agent_yml, got.codeowners) == (b"version: 1\n", "* @a")


async def test_owners_and_template_are_kept_but_cost_no_prompt():
    got = await read({".github/CODEOWNERS": "* @a\n", ".github/pull_request_template.md": "## Why\n"})
    assert (got.codeowners, got.pull_request_template) == ("* @a\n", "## Why\n")
    assert got.foundation.read == (".github/CODEOWNERS", ".github/pull_request_template.md")
    assert got.prompt_text == "The repository has no AGENTS.md, CLAUDE.md, skills, CONTRIBUTING or README."


async def test_an_empty_repository_has_no_agent_yml():
    got = await read({})
    assert got.agent_yml is None
    assert got.foundation.read == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("---\nname: 'a b'\ndescription: >\n  folded\n  text\n---\n", "- a b (.agents/skills/x/SKILL.md): folded text"),
        ("no front matter", "- x (.agents/skills/x/SKILL.md): no description"),
        ("---\nname: [broken\n---", "- [broken (.agents/skills/x/SKILL.md): no description"),
    ],
)
async def test_a_skill_is_known_by_name_and_description(text: str, line: str):
    got = await read({".agents/skills/x/SKILL.md": text})
    assert line in got.prompt_text
    assert got.skills == (".agents/skills/x/SKILL.md",)
