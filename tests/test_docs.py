"""What the documents name exists: tests, files, commands, flags, verbs, settings."""

import ast
import dataclasses
import re
from functools import cache
from pathlib import Path
from typing import get_type_hints

import pytest

from bot import cli
from bot.core.repo_config import RepoConfig
from bot.core.text.intake import AVAILABLE
from bot.doctor import VARIABLES

pytestmark = pytest.mark.fast
ROOT = Path(__file__).parents[1]
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "AGENTS.md", *sorted((ROOT / "docs").rglob("*.md"))]
THEIRS = (".github/agent.yml", ".github/workflows/ci.yml", "migrations/")
"""Paths that are meant to be a user's own, not ours."""


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def code(text: str) -> list[str]:
    """What stands as code: blocks and spans."""
    blocks = re.findall(r"^```.*?\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return [*blocks, *re.findall(r"`([^`\n]+)`", rest)]


@cache
def declared_in(path: Path) -> frozenset[str]:
    """`name` and `Class::name` of a file's tests."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        found |= {prefix + it.name for it in inside if isinstance(it, ast.FunctionDef | ast.AsyncFunctionDef)}
    return frozenset(found)


@pytest.mark.parametrize("doc", DOCS, ids=name)
def test_every_test_that_is_named_exists(doc: Path):
    named = re.findall(r"(tests/[\w/]+\.py)::([\w:]+)", doc.read_text())
    assert [it for it in named if not (ROOT / it[0]).is_file() or it[1] not in declared_in(ROOT / it[0])] == []


@pytest.mark.parametrize("doc", DOCS, ids=name)
def test_every_file_that_is_named_exists(doc: Path):
    text = doc.read_text()
    linked = [it for it in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in it]
    assert [it for it in linked if not (doc.parent / it).exists()] == []
    shaped = [re.findall(r"(?<![\w/.$~-])(?:[\w.]+/)+[\w.-]*\.(?:py|md|yml|toml|lock|mako)\b", it) for it in code(text)]
    ours = [it for found in shaped for it in found if not it.startswith(THEIRS)]
    folders = [it for part in code(text) for it in re.findall(r"^((?:bot|handlers|prompts|tests|docs)/[\w/.]*)$", part)]
    assert [it for it in (*ours, *folders) if not any((ROOT / at / it).exists() for at in ("", "bot"))] == []


def commands() -> dict[str, set[str]]:
    """Each command of the CLI with its flags."""
    parser = cli._parser()
    verbs = next(it.choices for it in parser._actions if isinstance(it.choices, dict))
    flags = {verb: {flag for action in sub._actions for flag in action.option_strings} for verb, sub in verbs.items()}
    return {"": {flag for action in parser._actions for flag in action.option_strings}, **flags}


@pytest.mark.parametrize("doc", DOCS, ids=name)
def test_every_command_and_flag_that_is_named_exists(doc: Path):
    known, wrong = commands(), []
    for part in code(doc.read_text()):
        for said in re.findall(r"(?<![\w/-])(?:\.venv/bin/)?journeyman((?: +[^\s|&;`#]+)*)", part):
            words = said.split()
            verb = next((it for it in words if re.fullmatch(r"[a-z]+", it)), "")
            flags = {it.strip("[],.").partition("=")[0] for it in words if it.strip("[").startswith("--")}
            if verb not in known or not flags <= known[verb] | known[""]:
                wrong.append(said)
    assert wrong == []


def test_the_readme_has_the_verbs_that_work():
    table = (ROOT / "README.md").read_text().split("| say,", 1)[1].split("\n\n", 1)[0]
    said = "\n".join(line.split(" | ")[0] for line in table.splitlines()[2:])
    verbs = [word for span in re.findall(r"`([^`]+)`", said) for word in [span.removeprefix("/agent").split(" ")]]
    first = {next((it for it in words if it), "") for words in verbs} - {""}
    assert first == set(AVAILABLE)


def test_every_line_of_the_security_promise_is_there():
    lines = re.findall(r"^\*\*(\d+[ab]?)\.\*\*", (ROOT / "docs/security.md").read_text(), re.MULTILINE)
    assert lines == [*map(str, range(1, 23)), "22a", "22b", *map(str, range(23, 31))]


def keys(kind: type, before: str = "") -> list[str]:
    """The dotted keys of agent.yml."""
    out: list[str] = []
    for field in dataclasses.fields(kind):
        inner = get_type_hints(kind)[field.name]
        if dataclasses.is_dataclass(inner):
            out += keys(inner, f"{before}{field.name}.")  # ty: ignore[invalid-argument-type]
        else:
            out.append(before + field.name)
    return out


def test_every_setting_is_explained():
    text = (ROOT / "docs/guide/configuration.md").read_text()
    assert [it for it in (*keys(RepoConfig), *VARIABLES) if f"`{it}`" not in text] == []
