"""The public package `parse` 1.20.1 with its real bug about hyphens in field names; the released 1.20.2 test suite judges the result."""

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from bot.core.conversation import Json
from bot.playground.samples.sample import Sample, report, review, spec
from bot.playground.vendor_replies import Call, Script, tools
from bot.ports import UserFacing

BASE, LATER = "1.20.1", "1.20.2"
TEST = "python -m pytest"
TITLE = "Fields whose name contains a hyphen are not matched"
BODY = """URL templates often name their parameters with hyphens, such as `/users/{user-id}/orders`. `parse.parse` and `parse.search` treat
such a field as literal text and return `None`, although `str.format` accepts the name.

I expect `parse.search("/users/{user-id}/orders", "/users/17/orders")["user-id"]` to be `"17"`. Two fields whose names differ only
in hyphen, underscore and dot must stay apart.
"""
_DROP = ("PKG-INFO", "setup.cfg")
_REGEX_OLD = r"""PARSE_RE = re.compile(r"({{|}}|{\w*(?:\.\w+|\[[^]]+])*(?::[^}]+)?})")"""
_REGEX_NEW = r"""PARSE_RE = re.compile(r"({{|}}|{[\w-]*(?:\.[\w-]+|\[[^]]+])*(?::[^}]+)?})")"""
_GROUP_OLD = '        group = field.replace(".", "_").replace("[", "_").replace("]", "_")\n'
_GROUP_NEW = '        group = field.replace(".", "_").replace("[", "_").replace("]", "_").replace("-", "_")\n'
_CLASH_OLD = """            elif "_" in field:
                group = field.replace("_", "_" * n)
"""
_CLASH_NEW = (
    _CLASH_OLD
    + """            elif "-" in field:
                group = field.replace("-", "_" * n)
"""
)
_TESTS = """

def test_a_field_name_may_contain_a_hyphen():
    found = parse.search("/users/{user-id}/orders", "https://example.org/users/17/orders")
    assert found["user-id"] == "17"


def test_names_that_differ_in_hyphen_underscore_and_dot_stay_apart():
    found = parse.parse("{a-b} {a_b} {a.b}", "1 2 3")
    assert (found["a-b"], found["a_b"], found["a.b"]) == ("1", "2", "3")
"""


def download(version: str, into: Path) -> Path:
    """The source distribution's archive from the package index. Raises UserFacing where it can't be had."""
    argv = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--no-binary",
        ":all:",
        "--dest",
        str(into),
    ]
    done = subprocess.run([*argv, f"parse=={version}"], capture_output=True, text=True)
    archive = into / f"parse-{version}.tar.gz"
    if done.returncode != 0 or not archive.is_file():
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise UserFacing(f"parse {version} could not be fetched from the package index: {said}", verb="")
    return archive


def _files(archive: Path) -> dict[str, bytes]:
    """The archive's regular files without its top folder; nothing is unpacked to disk."""
    named: dict[str, bytes] = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            data = tar.extractfile(member) if member.isfile() else None
            if data is not None:
                named[member.name.partition("/")[2]] = data.read()
    return {path: data for path, data in named.items() if path not in _DROP and ".egg-info/" not in path}


_FINDING: Json = {
    "severity": "major",
    "dimension": "edge cases",
    "claim": "`{a-b}` and `{a_b}` in one template would fall on the same group name.",
    "scenario": "parse('{a-b} {a_b}', '1 2'): the second group is a duplicate name and compilation fails.",
    "path": "parse.py",
    "line": 622,
    "quote": 'group = field.replace(".", "_").replace("[", "_").replace("]", "_")',
}


def _requirement(number: int, text: str, criterion: str) -> Json:
    return {"id": f"R{number}", "text": text, "criteria": [criterion], "source": "issue", "source_ref": ""}


def _draft(*extra: Json) -> Json:
    first = _requirement(
        1,
        "WHEN a template names a field with a hyphen, the system SHALL match it and return it under that name.",
        "`parse.search('/users/{user-id}/orders', '/users/17/orders')['user-id']` is `'17'`.",
    )
    return spec(
        title="Accept hyphens in field names",
        tldr="Field names may contain hyphens, as `str.format` allows; group names stay unique.",
        problem="A field with a hyphen in its name is read as literal text, so nothing matches.",
        requirements=[first, *extra],
        changes=[
            {"path": "parse.py", "kind": "modify", "why": "the field pattern and the group name"},
            {"path": "tests/test_parse.py", "kind": "modify", "why": "a test for each criterion"},
        ],
        verification=[TEST],
        edge_cases="Names that differ only in hyphen, underscore and dot get group names of their own.",
        risks=[
            {
                "text": "A template that meant `{a-b}` literally.",
                "severity": "low",
                "mitigation": "`{{a-b}}` is the literal.",
            }
        ],
    )


def _challenge(call: Call) -> Json:
    if "F1 ·" not in call.users[0]:
        return review(findings=[_FINDING])
    return review(
        earlier=[{"finding": "F1", "outcome": "settled", "because": "R2 names the clash and its criterion tests it"}]
    )


def sample() -> Sample:
    """The package as it was released, the issue in our own words, and the script that drives the edit."""
    with tempfile.TemporaryDirectory(prefix="journeyman-parse-") as folder:
        base = _files(download(BASE, Path(folder)))
        later = _files(download(LATER, Path(folder)))
    apart = _requirement(
        2,
        "WHILE two names differ only in hyphen, underscore and dot, the system SHALL return both values.",
        "`{a-b} {a_b} {a.b}` on `1 2 3` gives 1, 2 and 3.",
    )
    script = Script()
    script.on("spec/draft", _draft())
    script.on(
        "spec/revise",
        {**_draft(apart), "decisions": [{"finding": "F1", "decision": "fixed", "reason": "R2 and AC2.1 added"}]},
    )
    script.on("review/challenge", _challenge)
    tests = base["tests/test_parse.py"].decode()
    last = tests[tests.rindex("\ndef ") :]
    script.on(
        "work/task",
        tools(("bash", {"command": "grep -n 'PARSE_RE\\|_to_group_name' -A 18 parse.py | head -n 60", "timeout": 30})),
        tools(
            ("edit", {"path": "parse.py", "old": _REGEX_OLD, "new": _REGEX_NEW}),
            ("edit", {"path": "parse.py", "old": _GROUP_OLD, "new": _GROUP_NEW}),
            ("edit", {"path": "parse.py", "old": _CLASH_OLD, "new": _CLASH_NEW}),
            ("edit", {"path": "tests/test_parse.py", "old": last, "new": last.rstrip("\n") + "\n" + _TESTS}),
        ),
        tools(("bash", {"command": f"{TEST} -q 2>&1 | tail -n 5", "timeout": 120})),
        tools(("report", report())),
    )
    judge = {path: data for path, data in later.items() if path.startswith("tests/")}
    return Sample("octo-parse/parse", base, TITLE, BODY, script, judge=judge)
