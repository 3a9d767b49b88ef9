"""Commands that a repository can be verified with when it declares none, found in the files that people already run it by."""

import json
import re
import shlex
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.agent.runner_counts import counts as counts
from bot.core.evidence import VerifyCommand

REQUIREMENTS = ("requirements.txt", "requirements-dev.txt", "requirements-test.txt", "dev-requirements.txt")
READ = (
    *REQUIREMENTS,
    "Makefile", "GNUmakefile", "makefile", "justfile", "pyproject.toml", "pytest.ini", "setup.cfg", "setup.py", "tox.ini",
    "noxfile.py", "package.json", "go.mod", "Cargo.toml",
)  # fmt: skip
"""Files whose bytes `found` looks at, at the root and one folder down; the paths of all others are enough."""
TESTS_READ = 12
"""Test files that `found` looks into, for what they import."""
TEST_FILE = re.compile(r"(?:test_[^/]*|[^/]*_test)\.py")
IMPORTS_PYTEST = re.compile(rb"^\s*(?:import|from) pytest\b", re.MULTILINE)
PARTS = ("package.json", "pyproject.toml", "go.mod", "Cargo.toml")
"""What makes a folder a part of its own, where the root has nothing to run."""
MAX_PARTS = 6
LOCKS = (("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lockb", "bun"), ("bun.lock", "bun"))
SCRIPTS = (("test", "test"), ("typecheck", "types"), ("type-check", "types"), ("types", "types"), ("lint", "lint"))
PLAYWRIGHT = re.compile(r"playwright\.config\.[cm]?[jt]s")
TARGET = re.compile(r"^([A-Za-z][\w.-]*)[ \t]*:(?!=)", re.MULTILINE)
RECIPE = re.compile(r"^@?([a-z][\w-]*)(?:[ \t][^:=\n]*)?:(?!=)", re.MULTILINE)
PLACEHOLDER = "no test specified"


def found(files: Mapping[str, bytes]) -> tuple[VerifyCommand, ...]:
    """Commands in the order in which they should run, each once.

    `files` maps every path of the tree to its bytes; those that are not in `to_read` may be empty.
    """
    commands = [*_make(files), *_python(files), *_node(files), *_playwright(files), *_go_and_rust(files)]
    if not any(command.name != "browser" for command in commands):
        commands = [*_parts(files), *commands]
    kept: list[VerifyCommand] = []
    for command in commands:
        if all(command.run != other.run and command.name != other.name for other in kept):
            kept.append(command)
    return tuple(kept)


def to_read(paths: Iterable[str]) -> tuple[str, ...]:
    """Which of a tree's paths must be read for `found`; all others may be given empty."""
    root, every = set(READ), sorted(paths)
    named = [path for path in every if path in root or (path.count("/") == 1 and path.split("/")[1] in root)]
    tests = [path for path in every if TEST_FILE.fullmatch(path.rsplit("/", 1)[-1])]
    return tuple(dict.fromkeys((*named, *tests[:TESTS_READ])))


def _parts(files: Mapping[str, bytes]) -> Iterator[VerifyCommand]:
    """Commands of the folders directly below the root, each run from the root."""
    folders = sorted({path.split("/")[0] for path in files if path.count("/") == 1 and path.split("/")[1] in PARTS})
    for folder in folders[:MAX_PARTS]:
        inside = {
            path.removeprefix(f"{folder}/"): data for path, data in files.items() if path.startswith(f"{folder}/")
        }
        where = shlex.quote(folder)
        for command in (*_python(inside), *_node(inside), *_go_and_rust(inside)):
            run = _from_root(command.run, where)
            if run:
                yield VerifyCommand(f"{folder} {command.name}", run, command.timeout)


def _from_root(run: str, where: str) -> str:
    """The command for a folder, empty where the tool has no way to say so."""
    tool, _, rest = run.partition(" ")
    folder_options = {"npm": "--prefix", "yarn": "--cwd", "pnpm": "-C", "bun": "--cwd", "go": "-C"}
    if run == "python -m pytest":
        return f"{run} {where}"
    if tool == "cargo":
        return f"{run} --manifest-path {where}/Cargo.toml"
    return f"{tool} {folder_options[tool]} {where} {rest}" if tool in folder_options else ""


def _text(files: Mapping[str, bytes], path: str) -> str:
    return files.get(path, b"").decode(errors="replace")


def _make(files: Mapping[str, bytes]) -> Iterator[VerifyCommand]:
    for path in ("GNUmakefile", "makefile", "Makefile"):
        if path in files:
            targets = set(TARGET.findall(_text(files, path)))
            for target in ("check", "test"):
                if target in targets:
                    yield VerifyCommand(f"make {target}", f"make {target}")
            return
    if "test" in RECIPE.findall(_text(files, "justfile")):
        yield VerifyCommand("just test", "just test")


# ---- Python --------------------------------------------------------------------------------------------------------


def _python(files: Mapping[str, bytes]) -> Iterator[VerifyCommand]:
    if _uses_pytest(files):
        yield VerifyCommand("unit", "python -m pytest")
    elif "tox.ini" in files:
        yield VerifyCommand("tox", "python -m tox")
    else:
        for start in _unittest_starts(files):
            where = f" -s {start}" if start else ""
            yield VerifyCommand(f"unit {start}".strip(), f"python -m unittest discover{where}")


def _uses_pytest(files: Mapping[str, bytes]) -> bool:
    if "pytest.ini" in files or "[tool:pytest]" in _text(files, "setup.cfg") or "[pytest]" in _text(files, "tox.ini"):
        return True
    if any(path.rsplit("/", 1)[-1] == "conftest.py" for path in files):
        return True
    if any(IMPORTS_PYTEST.search(files[path]) for path in files if TEST_FILE.fullmatch(path.rsplit("/", 1)[-1])):
        return True
    if any(re.search(r"^pytest\b", _text(files, path), re.MULTILINE) for path in REQUIREMENTS):
        return True
    project = _toml(files, "pyproject.toml")
    return "pytest" in _dig(project, "tool") or bool(re.search(r"[\"']pytest\b", json.dumps(project)))


def _unittest_starts(files: Mapping[str, bytes]) -> list[str]:
    """Folders to start discovery in, empty for the root: it goes down through packages only, so a plain `tests/` is a start of its own."""
    tests = [path for path in files if re.fullmatch(r"test[^/]*\.py", path.rsplit("/", 1)[-1])]
    plain = {path.split("/")[0] for path in tests} & {"test", "tests"}
    plain = {folder for folder in plain if f"{folder}/__init__.py" not in files}
    packaged = any(_in_packages(path, files) for path in tests)
    return [*([""] if packaged else []), *sorted(plain)]


def _in_packages(path: str, files: Mapping[str, bytes]) -> bool:
    folders = path.split("/")[:-1]
    return all(f"{'/'.join(folders[:depth])}/__init__.py" in files for depth in range(1, len(folders) + 1))


def _toml(files: Mapping[str, bytes], path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(files, path))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _dig(data: object, *keys: str) -> dict[str, Any]:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


# ---- JavaScript ----------------------------------------------------------------------------------------------------


def _node(files: Mapping[str, bytes]) -> Iterator[VerifyCommand]:
    scripts = _dig(_json(files, "package.json"), "scripts")
    runner = next((name for lock, name in LOCKS if lock in files), "npm")
    for script, name in SCRIPTS:
        body = scripts.get(script)
        if isinstance(body, str) and body.strip() and PLACEHOLDER not in body:
            run = f"{runner} test" if script == "test" and runner != "bun" else f"{runner} run {script}"
            yield VerifyCommand(name, run)


def _json(files: Mapping[str, bytes], path: str) -> dict[str, Any]:
    try:
        data = json.loads(_text(files, path) or "{}")
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _playwright(files: Mapping[str, bytes]) -> Iterator[VerifyCommand]:
    for path in sorted(files):
        folder, _, name = path.rpartition("/")
        if PLAYWRIGHT.fullmatch(name) and "node_modules" not in path.split("/"):
            if "playwright test" in str(_dig(_json(files, "package.json"), "scripts").get("test")):
                return
            where = f" -c {path}" if folder else ""
            yield VerifyCommand("browser", f"npx playwright test{where}", timeout=1200)
            return


def _go_and_rust(files: Mapping[str, bytes]) -> Iterator[VerifyCommand]:
    if "go.mod" in files:
        yield VerifyCommand("go", "go test ./...")
    if "Cargo.toml" in files:
        yield VerifyCommand("cargo", "cargo test", timeout=1200)


# ---- tests by their path -------------------------------------------------------------------------------------------

TEST_FOLDERS = frozenset({"test", "tests", "__tests__", "e2e", "spec", "specs", "testing", "__snapshots__", "testdata"})
TEST_NAMES = (
    re.compile(r"(test_.*|.*_tests?|conftest|tests?)\.py"),
    re.compile(r".*\.(test|spec|e2e|cy)\.[cm]?[jt]sx?(\.snap)?"),
    re.compile(r".*_test\.go"),
    re.compile(r".*(Test|Tests|IT|Spec)\.(java|kt|scala|cs|php|swift)"),
    re.compile(r".*_(spec|test)\.(rb|exs|rs|cc|cpp)"),
)


def test_paths(paths: Iterable[str]) -> tuple[str, ...]:
    """Which paths are tests or what tests read (fixtures, snapshots), sorted: base's tests on the new code are these."""
    return tuple(sorted(path for path in paths if is_test(path)))


def is_test(path: str) -> bool:
    """By folder or by name; everything below a test folder counts, since a weakened fixture weakens the test."""
    *folders, name = path.split("/")
    return not TEST_FOLDERS.isdisjoint(folders) or any(pattern.fullmatch(name) for pattern in TEST_NAMES)
