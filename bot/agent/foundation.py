"""The rules of a repository as its own files state them, read from git objects at the base SHA and from nowhere else.

What a run changes never instructs that run: nothing here opens a path of a checkout.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.agent.repo_map import words
from bot.core.diff import TreeEntry
from bot.core.run import Foundation
from bot.ports import Git

BUDGET = 96_000
"""Bytes of all foundation text in a prompt, about 24k tokens."""
FILE_LIMIT = 32_000
README_LIMIT = 4_000
AGENT_YML = ".github/agent.yml"
INSTRUCTIONS = ("AGENTS.md", "CLAUDE.md")
SKILL_ROOTS = (".agents/skills", ".claude/skills", ".ai/skills")
MAX_SKILLS = 40
CONTRIBUTING = (
    "CONTRIBUTING.md",
    ".github/CONTRIBUTING.md",
    "docs/CONTRIBUTING.md",
    "CONTRIBUTING.rst",
    "CONTRIBUTING",
)
READMES = ("README.md", "README.rst", "README.txt", "README")
CODEOWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
TEMPLATES = (
    ".github/pull_request_template.md", ".github/PULL_REQUEST_TEMPLATE.md", "pull_request_template.md",
    "PULL_REQUEST_TEMPLATE.md", "docs/pull_request_template.md",
)  # fmt: skip
RULE = re.compile(r"\b(must|never|always|do not|don't|required|forbidden|shall)\b", re.IGNORECASE)
MAX_RULES = 200
SHOWN_RULES = 60
ROW = re.compile(r"^\s*\|(.+)\|\s*$")
TARGET = re.compile(r"[\w.@+/-]+\.mdx?\b")
MAX_ROUTED = 6


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of an instruction file that binds, with where it stands."""

    text: str
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class FoundationText:
    """The foundation as a prompt's text, its rules, what a run keeps of it by name and size, and the raw `.github/agent.yml`."""

    prompt_text: str
    rules: tuple[Rule, ...]
    foundation: Foundation
    agent_yml: bytes | None = None
    codeowners: str = ""
    pull_request_template: str = ""
    skills: tuple[str, ...] = ()


@dataclass
class _Reading:
    """What has been taken so far, and what could not be."""

    git: Git
    repo: str
    sha: str
    room: int
    sizes: dict[str, int | None]
    parts: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    taken: int = 0

    async def text(self, path: str, limit: int = FILE_LIMIT) -> str | None:
        """A file as text, whatever bytes it holds; None, with a word on why, where it can't be had."""
        if path not in self.sizes:
            return None
        data = await self.git.blob(self.repo, self.sha, path)
        if data is None:
            self.left_out.append(f"{path} (too large, or no regular file)")
            return None
        if b"\0" in data[:8_000]:
            self.left_out.append(f"{path} (binary)")
            return None
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = data.decode(errors="replace")
            self.left_out.append(f"{path} (some bytes are not UTF-8 and were replaced)")
        return _clipped(text, limit, path, self.cut)

    def put(self, path: str, text: str) -> None:
        """Into the prompt if there is room, else as much as fits, else only its name; bytes count, since that is what is measured."""
        size = len(text.encode())
        if size > self.room:
            self.cut.append(f"{path} ({size} bytes, {max(self.room, 0)} shown)")
            text = text.encode()[: max(self.room, 0)].decode(errors="ignore")
            size = len(text.encode())
        self.room -= size
        self.taken += size
        if text.strip():
            self.read.append(path)
            self.parts.append(f"--- {path}\n{text.rstrip()}\n")


def _clipped(text: str, limit: int, path: str, cut: list[str]) -> str:
    data = text.encode()
    if len(data) <= limit:
        return text
    cut.append(f"{path} ({len(data)} bytes, the first {limit} shown)")
    return data[:limit].decode(errors="ignore").rsplit("\n", 1)[0] + "\n[cut here]\n"


async def read(
    git: Git,
    repo: str,
    sha: str,
    *,
    issue: str = "",
    at_stake: Sequence[str] = (),
    tree: Sequence[TreeEntry] = (),
    budget: int = BUDGET,
) -> FoundationText:
    """Read the foundation at `sha`. Port errors pass through.

    `issue` (visible text) chooses the rows of a task-routing table that apply; `at_stake` are paths whose nested instruction files apply
    (none: the root's alone); `tree` saves a listing that the caller already has.
    """
    entries = tree or await git.tree(repo, sha)
    reading = _Reading(
        git, repo, sha, budget, {entry.path: entry.size for entry in entries if entry.mode.startswith("100")}
    )
    links = {entry.path for entry in entries if entry.mode == "120000"}
    reading.left_out += [f"{path} (a symbolic link, not followed)" for path in chain(links, at_stake)]
    rules = await _instructions(reading, chain(reading.sizes, at_stake), issue)
    skills = await _skills(reading)
    for names, limit in ((CONTRIBUTING, FILE_LIMIT // 2), (READMES, README_LIMIT)):
        path = _first(names, reading.sizes)
        text = await reading.text(path, limit) if path else None
        if path and text is not None:
            rules += _rules(path, text) if names is CONTRIBUTING else []
            reading.put(path, text)
    codeowners = await _named(reading, CODEOWNERS)
    template = await _named(reading, TEMPLATES)
    agent_yml = await git.blob(repo, sha, AGENT_YML) if AGENT_YML in reading.sizes else None
    return FoundationText(
        prompt_text=_prompt_text(reading, rules),
        rules=tuple(rules[:MAX_RULES]),
        foundation=Foundation(tuple(reading.read), reading.taken, tuple(reading.cut), tuple(reading.left_out)),
        agent_yml=agent_yml,
        codeowners=codeowners,
        pull_request_template=template,
        skills=skills,
    )


async def _instructions(reading: _Reading, paths: Sequence[str], issue: str) -> list[Rule]:
    """The chain, each text once, then the documents that its routing tables name for this issue."""
    rules: list[Rule] = []
    seen: dict[str, str] = {}
    for path in paths:
        text = await reading.text(path)
        if text is not None and text in seen.values():
            reading.left_out.append(f"{path} (the same text as another)")
        elif text is not None:
            seen[path] = text
            rules += _rules(path, text)
            reading.put(path, text)
    for path in routed(seen, reading.sizes, issue)[:MAX_ROUTED]:
        text = await reading.text(path, FILE_LIMIT // 2)
        if text is not None:
            rules += _rules(path, text)
            reading.put(path, text)
    return rules


def routed(texts: Mapping[str, str], present: Collection[str], issue: str) -> list[str]:
    """Documents that a row of a task-routing table (`| when | read |`) names, for rows that share most words with the issue."""
    wanted = words(issue)
    scores: dict[str, int] = {}
    for path, text in texts.items():
        folder = path.rpartition("/")[0]
        for line in text.splitlines():
            row = ROW.match(line[:2_000])
            shared = len(words(TARGET.sub(" ", row[1])).keys() & wanted.keys()) if row else 0
            for target in TARGET.findall(row[1]) if row and shared else ():
                target = target.removeprefix("./")
                near = f"{folder}/{target}" if folder else target
                found = near if near in present else target
                if found in present and found not in texts:
                    scores[found] = max(scores.get(found, 0), shared)
    return sorted(scores, key=lambda found: (-scores[found], found))


def chain(paths: Iterable[str], at_stake: Sequence[str]) -> tuple[str, ...]:
    """Instruction files that apply, nearest last so that the nearest has the last word: the root's, then those on the way to each path."""
    present = set(paths)
    folders = {""}
    for path in at_stake:
        parts = path.split("/")[:-1]
        folders |= {"/".join(parts[:depth]) + "/" for depth in range(1, len(parts) + 1)}
    ordered = sorted(folders, key=lambda folder: (folder.count("/"), folder))
    return tuple(folder + name for folder in ordered for name in INSTRUCTIONS if folder + name in present)


def _prompt_text(reading: _Reading, rules: Sequence[Rule]) -> str:
    if not reading.parts:
        return "The repository has no AGENTS.md, CLAUDE.md, skills, CONTRIBUTING or README."
    notes = []
    if reading.cut:
        notes.append(f"Cut for length, open them where they matter: {'; '.join(reading.cut)}.")
    # With their lines, since a spec has to cite them so; a prompt's text has no line numbers of its own.
    bind = [f"{rule.path}:{rule.line}: {rule.text}" for rule in rules[:SHOWN_RULES]]
    if bind:
        notes.append("\n".join(["--- Lines of these files that bind, to be cited by path and line", *bind]))
    return "\n".join([*reading.parts, *notes])


def _rules(path: str, text: str) -> list[Rule]:
    """Lines that bind, outside code fences."""
    out = []
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif not fenced and RULE.search(line):
            out.append(Rule(line.strip().lstrip("-*0123456789. ").strip()[:300], path, number))
    return out


async def _skills(reading: _Reading) -> tuple[str, ...]:
    """Names and descriptions only: a worker opens the skill itself when it applies."""
    found = sorted(
        path
        for path in reading.sizes
        if path.endswith("/SKILL.md") and any(path.startswith(f"{root}/") for root in SKILL_ROOTS)
    )
    lines = []
    for path in found[:MAX_SKILLS]:
        text = await reading.text(path, 4_000)
        if text is not None:
            name, description = _front_matter(text, path)
            lines.append(f"- {name} ({path}): {description}")
    if len(found) > MAX_SKILLS:
        reading.cut.append(f"{len(found) - MAX_SKILLS} of {len(found)} skills")
    if lines:
        reading.put("skills", "\n".join(lines))
    return tuple(found)


def _front_matter(text: str, path: str) -> tuple[str, str]:
    """`name` and `description` of a skill's front matter, read as plain lines: a skill with broken YAML still has a name."""
    head = text.split("---", 2)[1] if text.startswith("---") and text.count("---") >= 2 else ""
    said: dict[str, str] = {}
    key = ""
    for line in head.splitlines():
        match = re.match(r"([A-Za-z_-]+):\s*(.*)", line)
        if match:
            key = match[1].lower()
            said[key] = match[2].strip().strip("\"'>|").strip()
        elif key and line.startswith((" ", "\t")):
            said[key] = f"{said[key]} {line.strip()}".strip()
    return said.get("name") or path.split("/")[-2], said.get("description", "no description")[:400]


async def _named(reading: _Reading, names: Sequence[str]) -> str:
    path = _first(names, reading.sizes)
    text = await reading.text(path) if path else None
    if path and text is not None:
        reading.read.append(path)
    return text or ""


def _first(names: Sequence[str], present: Iterable[str]) -> str:
    there = set(present)
    return next((name for name in names if name in there), "")
