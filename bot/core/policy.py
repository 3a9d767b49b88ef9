"""What a diff may touch: pure rules over raw diff entries. Reading the diff out of git is bot/git's part."""

import json
import tomllib
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pathspec import PathSpec

from bot.core.diff import FileDiff

Action = Literal["deny", "hold", "warn"]
Rule = tuple[str, Action]

SYMLINK, GITLINK, EXECUTABLE, ABSENT = "120000", "160000", "100755", "000000"
REGULAR = ("100644", EXECUTABLE)

DEFAULT_PROTECT: tuple[Rule, ...] = (
    # The App holds no `workflows` permission on purpose: GitHub would refuse the push, so the worker hears it early.
    ("/.github/workflows/**", "deny"),
    (".gitmodules", "deny"),
    *(
        (pattern, "hold")
        for pattern in (
            # the forge and this bot's own configuration (/.github/agent.yml)
            "/.github/**",
            "CODEOWNERS",
            # other CI
            *("/.ci/**", "/.circleci/**", "/.buildkite/**", "/.woodpecker/**", "/.teamcity/**", "/.gitlab/**"),
            *("/.gitlab-ci.yml", "/.travis.yml", "/.drone.yml", "/.woodpecker.y*ml", "/azure-pipelines*.y*ml"),
            *("/bitbucket-pipelines.yml", "/appveyor.yml", "/.appveyor.yml", "/cloudbuild.y*ml", "/buildspec.y*ml"),
            "Jenkinsfile",
            # editors and shells that run what they find when a person opens the folder
            *(".vscode/**", ".idea/**", ".zed/**", ".devcontainer/**", ".devcontainer.json", "*.code-workspace"),
            *(".envrc", ".husky/**", ".githooks/**", ".pre-commit-config.y*ml", "lefthook*.y*ml", ".lefthook*.y*ml"),
            # agents: their rules, skills and tool servers
            *("AGENTS.md", "AGENTS.override.md", "CLAUDE.md", "CLAUDE.local.md", "GEMINI.md", "SKILL.md", ".mcp.json"),
            *(".agents/**", ".claude/**", ".codex/**", ".cursor/**", ".gemini/**", ".windsurf/**", ".continue/**"),
            *(".cursorrules", ".windsurfrules", ".clinerules", ".aider*", ".roo/**", "/skills/**"),
            # where packages come from, and what runs while they are installed
            *(".npmrc", ".yarnrc", ".yarnrc.yml", ".yarn/releases/**", ".yarn/plugins/**", ".pnpmfile.*js", "pip.conf"),
            *(".pypirc", "gradle-wrapper.jar", "gradle-wrapper.properties", "maven-wrapper.*", ".cargo/**"),
        )
    ),
    *((pattern, "warn") for pattern in (".gitattributes", ".gitignore", "setup.py", "build.rs", ".editorconfig")),
)
"""SECURITY.md 22. Where several rules match a path, the strictest one counts, whatever their order."""

LOCKFILES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "bun.lock", "bun.lockb"), ("package.json",)
    ),
    "pnpm-lock.yaml": ("package.json", "pnpm-workspace.yaml"),
    **dict.fromkeys(("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml"), ("pyproject.toml",)),
    "pipfile.lock": ("pipfile",),
    "cargo.lock": ("cargo.toml",),
    "go.sum": ("go.mod",),
    "gemfile.lock": ("gemfile", "*.gemspec"),
    "composer.lock": ("composer.json",),
    "flake.lock": ("flake.nix",),
    "mix.lock": ("mix.exs",),
    "pubspec.lock": ("pubspec.yaml",),
    "podfile.lock": ("podfile",),
    "package.resolved": ("package.swift",),
    "packages.lock.json": ("*.csproj", "*.fsproj", "directory.packages.props"),
    "gradle.lockfile": ("*.gradle", "*.gradle.kts", "libs.versions.toml"),
}
"""Lockfile -> the manifests whose change explains it, in the same directory or below (workspaces). Folded names."""

SCRIPTED = ("package.json", "composer.json", "pyproject.toml")
"""Manifests that can name programs to run at install or build time; see `scripts_differ`."""

MOST_SENTENCES = 20


@dataclass(frozen=True, slots=True)
class Policy:
    """Caps and protected paths. Sizes are KiB; `protect` holds gitignore-style patterns with what becomes of a match."""

    max_files: int = 100
    max_patch_kb: int = 4096
    max_blob_kb: int = 1024
    max_exec_flips: int = 10
    protect: tuple[Rule, ...] = DEFAULT_PROTECT
    symlinks: Action = "deny"


@dataclass(frozen=True, slots=True)
class Judgement:
    """`problems` are sentences, one per refusal; `held` are paths that a person must release; `warned` are paths to point out."""

    problems: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()


def judge(
    policy: Policy, files: Sequence[FileDiff], *, patch_bytes: int = 0, scripts: Collection[str] = ()
) -> Judgement:
    """Judge a diff. `patch_bytes` is the size of the whole patch; `scripts` are the manifests whose scripts changed."""
    problems = [*_caps(policy, files, patch_bytes)]
    rules = _compile(policy)
    marks: dict[str, Action] = {}
    for file in files:
        problems += _shape(policy, file)
        action = _protection(policy, rules, file)
        if action == "deny":
            problems.append(f"{show(file.path)} is protected and may not be changed by this bot.")
        elif action:
            marks[file.path] = action
        elif _flips(file) or (file.old_mode == ABSENT and file.new_mode == EXECUTABLE):
            marks[file.path] = "warn"
    for path in (*scripts, *_unexplained_lockfiles(files)):
        marks[path] = "hold"
    problems += _collisions(files)
    return Judgement(
        problems=_clip(problems),
        held=tuple(sorted(path for path, action in marks.items() if action == "hold")),
        warned=tuple(sorted(path for path, action in marks.items() if action == "warn")),
    )


def fold(path: str) -> str:
    """The path as the most forgiving file system would read it: NFKC and case folded, invisible characters and trailing dots gone.

    HFS+ drops some format characters, NTFS drops trailing dots and spaces, cuts `:stream` and takes `\\` for a slash.
    """
    parts = (_fold_name(part) for part in path.replace("\\", "/").split("/"))
    return "/".join(part for part in parts if part)


def show(path: str) -> str:
    """A path for a sentence: in backticks, unprintable characters escaped, clipped at 120 characters."""
    text = "".join(c if _printable(c) and c != "`" else c.encode("unicode_escape").decode() for c in path)
    text = text.replace("`", "\\x60")
    return f"`{text if len(text) <= 120 else text[:117] + '…'}`"


def scripts_differ(path: str, old: bytes | None, new: bytes | None) -> bool:
    """Whether a manifest of SCRIPTED names other programs than before; one that can't be read counts as changed."""
    try:
        return _scripts(path, old) != _scripts(path, new)
    except (ValueError, RecursionError):
        return True


def _scripts(path: str, data: bytes | None) -> object:
    """What a manifest runs: `scripts` of package.json and composer.json, `build-system` of pyproject.toml."""
    if data is None:
        return {}
    if fold(path).endswith("pyproject.toml"):
        return tomllib.loads(data.decode()).get("build-system", {})
    loaded = json.loads(data, object_pairs_hook=_unique)
    if not isinstance(loaded, dict):
        raise ValueError("a manifest is an object")
    return loaded.get("scripts", {})


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Readers disagree on which of two equal keys counts, so a second one could hide a script from us."""
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("the same key twice")
    return dict(pairs)


def _caps(policy: Policy, files: Sequence[FileDiff], patch_bytes: int) -> Iterator[str]:
    if len(files) > policy.max_files:
        yield f"The change touches {len(files)} files; the limit is {policy.max_files}."
    if patch_bytes > policy.max_patch_kb * 1024:
        yield f"The patch is larger than the limit of {policy.max_patch_kb} KiB."
    flips = sum(map(_flips, files))
    if flips > policy.max_exec_flips:
        yield f"The change flips the executable bit of {flips} files; the limit is {policy.max_exec_flips}."


def _shape(policy: Policy, file: FileDiff) -> Iterator[str]:
    """Names, modes and size of one entry; what is deleted can do no harm."""
    if file.new_mode == ABSENT:
        return
    if not all(map(_printable, file.path)):
        yield f"{show(file.path)} has unprintable or invisible characters in its name."
    if any(_is_git(part) for part in fold(file.path).split("/")):
        yield f"{show(file.path)} has a part that git keeps for itself in its path."
    if file.new_mode == GITLINK:
        yield f"{show(file.path)} is a submodule; submodules may not be added or moved."
    elif file.new_mode == SYMLINK:
        if policy.symlinks == "deny":
            yield f"{show(file.path)} is a symbolic link; links may not be added or changed."
    elif file.new_mode not in REGULAR:
        yield f"{show(file.path)} has the unusual mode {file.new_mode}."
    if file.new_size > policy.max_blob_kb * 1024:
        yield f"{show(file.path)} is {file.new_size // 1024} KiB; the limit for one file is {policy.max_blob_kb} KiB."


def _compile(policy: Policy) -> tuple[tuple[Action, PathSpec], ...]:
    """One matcher per action, the strictest first."""
    order: tuple[Action, ...] = ("deny", "hold", "warn")
    return tuple(
        (
            action,
            PathSpec.from_lines("gitignore", [line for p, a in policy.protect if a == action for line in _lines(p)]),
        )
        for action in order
    )


def _protection(policy: Policy, rules: tuple[tuple[Action, PathSpec], ...], file: FileDiff) -> Action | None:
    """The strictest action of all rules that match either side of the entry."""
    paths = {fold(path) for path in (file.path, file.old_path) if path}
    for action, spec in rules:
        if any(map(spec.match_file, paths)) or (file.new_mode == SYMLINK and policy.symlinks == action != "deny"):
            return action
    return None


def _lines(pattern: str) -> list[str]:
    """A rule's pattern, folded as paths are. `dir/**` protects `dir` itself too: a file or a link may take its place."""
    text = _fold_text(pattern).strip()
    if not text:
        return []
    if text[0] in "!#":  # a rule protects: it never excludes, and is never a comment
        text = "\\" + text
    if not text.endswith("/**"):
        return [text]
    stem = text[:-3]
    if "/" in stem:  # gitignore anchors a pattern with an inner slash, so the stem stays anchored where the pattern was
        return [text, stem if stem.startswith(("/", "**/")) else "/" + stem]
    return [text, stem, f"**/{stem}/**"]


def _flips(file: FileDiff) -> bool:
    return {file.old_mode, file.new_mode} == set(REGULAR)


def _unexplained_lockfiles(files: Sequence[FileDiff]) -> Iterator[str]:
    """Lockfiles that changed without a manifest: nobody reads them, so it is where a swapped package hides."""
    folded = [fold(file.path) for file in files]
    for file, path in zip(files, folded, strict=True):
        directory, _, name = path.rpartition("/")
        manifests = LOCKFILES.get(name)
        if manifests is None or file.new_mode == ABSENT:
            continue
        below = f"{directory}/" if directory else ""
        wanted = PathSpec.from_lines("gitignore", manifests)
        if not any(other.startswith(below) and wanted.match_file(other.rpartition("/")[2]) for other in folded):
            yield file.path


def _collisions(files: Sequence[FileDiff]) -> Iterator[str]:
    """Two paths that a case-insensitive file system takes for one."""
    seen: dict[str, str] = {}
    for file in files:
        if file.new_mode == ABSENT:
            continue
        twin = seen.setdefault(fold(file.path), file.path)
        if twin != file.path:
            yield f"{show(file.path)} and {show(twin)} are one file on systems that ignore case."


def _fold_name(part: str) -> str:
    """One component. Twice over, since cutting a stream or a dot can uncover another one."""
    text = _fold_text(part)
    head = text.split(":", 1)[0] if not text.startswith(":") else text
    return head.rstrip(". ") or text


def _fold_text(text: str) -> str:
    """NFKC and casefold to a fixed point, without format characters (Cf) and variation selectors."""
    for _ in range(4):
        kept = "".join(c for c in text if not _invisible(c))
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", kept).casefold())
        if folded == text:
            break
        text = folded
    return text


def _invisible(c: str) -> bool:
    return (
        unicodedata.category(c) in ("Cf", "Cc")
        or "\ufe00" <= c <= "\ufe0f"
        or "\U000e0100" <= c <= "\U000e01ef"
        or c in "\u034f\u115f\u1160\u3164\uffa0\u180b\u180c\u180d"
    )


def _printable(c: str) -> bool:
    return c.isprintable() and not _invisible(c)


def _is_git(part: str) -> bool:
    """`.git` and NTFS's short names for it."""
    return part == ".git" or (part.startswith("git~") and part[4:].isdigit())


def _clip(problems: Sequence[str]) -> tuple[str, ...]:
    distinct = tuple(dict.fromkeys(problems))
    if len(distinct) <= MOST_SENTENCES:
        return distinct
    return (
        *distinct[: MOST_SENTENCES - 1],
        f"There are {len(distinct) - MOST_SENTENCES + 1} more problems like these.",
    )
