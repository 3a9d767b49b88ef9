"""What a diff may touch."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from bot.core.diff import FileDiff
from bot.core.policy import DEFAULT_PROTECT, Policy, fold, judge, scripts_differ, show

pytestmark = pytest.mark.fast


def changed(path: str, *, old: str = "100644", new: str = "100644", size: int = 10, old_path: str = "") -> FileDiff:
    return FileDiff(path, old_path, "M", old, new, 1, 1, size)


def verdict(*files: FileDiff, policy: Policy | None = None, patch: int = 0) -> str:
    got = judge(policy or Policy(), files, patch_bytes=patch)
    return "deny" if got.problems else "hold" if got.held else "warn" if got.warned else "fine"


@pytest.mark.parametrize(
    "path",
    [
        "src/app.py",
        "docs/github.md",
        "src/.github.py",
        "a/skills.py",
        "src/skills/fly.py",
        "tests/AGENTS.py",
        "lock.json",
    ],
)
def test_ordinary_files_are_fine(path: str) -> None:
    assert verdict(changed(path)) == "fine"


@pytest.mark.parametrize(
    "path",
    [
        *(
            ".github/agent.yml",
            ".github/dependabot.yml",
            ".github",
            "CODEOWNERS",
            "docs/CODEOWNERS",
            "AGENTS.md",
            "web/AGENTS.md",
        ),
        *(
            "CLAUDE.md",
            "x/SKILL.md",
            ".agents/skills/x.md",
            ".claude/settings.json",
            "a/.claude/x",
            ".cursor/rules",
            ".mcp.json",
        ),
        *(
            ".vscode/tasks.json",
            "a/.vscode/tasks.json",
            ".vscode",
            ".devcontainer/devcontainer.json",
            "x.code-workspace",
            ".envrc",
        ),
        *(
            ".husky/pre-commit",
            ".pre-commit-config.yaml",
            ".gitlab-ci.yml",
            ".circleci/config.yml",
            "Jenkinsfile",
            "a/.npmrc",
            "skills/x",
        ),
    ],
)
def test_configuration_of_ci_editors_and_agents_is_held(path: str) -> None:
    assert verdict(changed(path)) == "hold"


@pytest.mark.parametrize("path", [".github/workflows/ci.yml", ".gitmodules", "sub/.gitmodules", ".github/workflows"])
def test_workflows_and_submodules_are_denied(path: str) -> None:
    assert verdict(changed(path)) == "deny"


@pytest.mark.parametrize(
    "path",
    [
        *(
            ".GitHub/x",
            ".gith\u200bub/x",
            ".github./x",
            ".github /x",
            ".GITHUB\\x",
            "\u202e.github/x",
            ".git\ufe0fhub/x",
            "./.github/x",
        ),
        *(
            "agents.MD",
            "Agents.md",
            "AGENTS.md.",
            "AGENTS.md::$DATA",
            "ＡGENTS.md",
            "codeowners",
            ".\u017fkip/../AGENTS.md",
        ),
    ],
)
def test_other_spellings_of_a_protected_path_do_not_slip_through(path: str) -> None:
    assert verdict(changed(path)) in ("hold", "deny")


PROTECTED = (
    ".github/agent.yml",
    ".gitmodules",
    "AGENTS.md",
    "docs/CODEOWNERS",
    "a/b/.vscode/tasks.json",
    ".claude/skills/é.md",
)


@st.composite
def disguises(draw: st.DrawFn) -> str:
    """A protected path with case, composition and invisible characters changed at random."""
    path = draw(st.sampled_from(PROTECTED))
    form = draw(st.sampled_from(("NFC", "NFD", "NFKC", "NFKD")))
    out = ""
    for c in unicodedata.normalize(form, path):
        out += draw(st.sampled_from((c.upper(), c.lower(), c)))
        out += draw(st.sampled_from(("", "", "", "\u200c", "\u200d", "\ufeff", "\u2060", "\u00ad", "\ufe0e", "\u202a")))
    return out


@given(disguises())
def test_no_disguise_of_case_composition_or_invisible_characters_slips_through(path: str) -> None:
    assert verdict(changed(path)) in ("hold", "deny")


@given(st.text())
def test_folding_twice_is_folding_once(path: str) -> None:
    assert fold(fold(path)) == fold(path)


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_case_and_composition_never_change_what_a_path_folds_to(path: str) -> None:
    assert fold(unicodedata.normalize("NFD", path)) == fold(unicodedata.normalize("NFC", path))
    assert fold(path.casefold()) == fold(path)


@given(st.text())
def test_a_shown_path_is_one_printable_piece_of_code(path: str) -> None:
    shown = show(path)
    assert shown.isprintable()
    assert shown.count("`") == 2
    assert len(shown) <= 122


def test_the_strictest_rule_counts_whatever_the_order() -> None:
    rules = (("a", "warn"), ("a", "deny"), ("a", "hold"))
    assert verdict(changed("a"), policy=Policy(protect=rules)) == "deny"
    assert verdict(changed("a"), policy=Policy(protect=tuple(reversed(rules)))) == "deny"


@pytest.mark.parametrize("pattern", ["!secret.txt", "#secret.txt"])
def test_a_rule_can_neither_exclude_nor_be_a_comment(pattern: str) -> None:
    policy = Policy(protect=((pattern, "deny"), ("*.txt", "hold")))
    assert verdict(changed("secret.txt"), policy=policy) == "hold"
    assert verdict(changed(pattern), policy=policy) == "deny"


def test_a_pattern_is_folded_like_a_path() -> None:
    assert verdict(changed("straSSe/x"), policy=Policy(protect=(("/Straße/**", "deny"),))) == "deny"


def test_moving_a_protected_file_away_is_touching_it() -> None:
    assert verdict(changed("old.md", old_path="AGENTS.md")) == "hold"


def test_deleting_a_protected_file_is_touching_it() -> None:
    assert verdict(changed("AGENTS.md", new="000000")) == "hold"


@pytest.mark.parametrize(
    ("mode", "got"), [("120000", "deny"), ("160000", "deny"), ("040000", "deny"), ("100755", "warn")]
)
def test_modes(mode: str, got: str) -> None:
    assert verdict(changed("x", new=mode)) == got


def test_a_deleted_link_is_fine() -> None:
    assert verdict(changed("x", old="120000", new="000000")) == "fine"


def test_links_can_be_held_instead() -> None:
    assert verdict(changed("x", new="120000"), policy=Policy(symlinks="hold")) == "hold"


@pytest.mark.parametrize("path", ["a/.git/config", ".GIT/x", "git~1/x", "a\x07b", "a\nb", "\u202efdp.exe", "x\u200by"])
def test_names_that_no_honest_change_has_are_refused(path: str) -> None:
    assert verdict(changed(path)) == "deny"


def test_two_names_for_one_file_are_refused() -> None:
    assert verdict(changed("Read.me"), changed("read.ME")) == "deny"


def test_a_rename_that_only_changes_case_is_fine() -> None:
    assert verdict(changed("Read.me", new="000000"), changed("read.me", old="000000")) == "fine"


@pytest.mark.parametrize("path", ["yarn.lock", "web/package-lock.json", "uv.lock", "Cargo.lock", "go.sum", "GO.SUM"])
def test_a_lockfile_that_changes_alone_is_held(path: str) -> None:
    assert verdict(changed(path), changed("src/app.py")) == "hold"


@pytest.mark.parametrize(
    ("lock", "manifest"),
    [
        ("yarn.lock", "package.json"),
        ("yarn.lock", "packages/a/package.json"),
        ("uv.lock", "pyproject.toml"),
        ("a/go.sum", "a/go.mod"),
    ],
)
def test_a_lockfile_that_changes_with_its_manifest_is_fine(lock: str, manifest: str) -> None:
    assert verdict(changed(lock), changed(manifest)) == "fine"


def test_a_manifest_elsewhere_explains_no_lockfile() -> None:
    assert verdict(changed("web/yarn.lock"), changed("api/package.json")) == "hold"


def test_changed_scripts_are_held() -> None:
    assert judge(Policy(), [changed("package.json")], scripts=["package.json"]).held == ("package.json",)


@pytest.mark.parametrize(
    ("path", "old", "new", "differ"),
    [
        ("package.json", '{"version": "1"}', '{"version": "2"}', False),
        ("package.json", '{"scripts": {"a": "b"}}', '{"scripts": {"a": "c"}}', True),
        ("package.json", None, '{"scripts": {"postinstall": "x"}}', True),
        ("package.json", None, '{"name": "x"}', False),
        ("package.json", "{}", '{"scripts": {"postinstall": "x"}, "scripts": {}}', True),
        ("package.json", "{}", "not json", True),
        ("package.json", "{}", "[" * 100_000, True),
        ("package.json", "{}", "[]", True),
        ("pyproject.toml", "[project]\nname='a'", "[project]\nname='b'", False),
        ("pyproject.toml", "", "[build-system]\nrequires=['evil']", True),
        ("PyProject.toml", "", "[build-system", True),
    ],
)
def test_what_counts_as_changed_scripts(path: str, old: str | None, new: str | None, differ: bool) -> None:
    assert scripts_differ(path, *(None if side is None else side.encode() for side in (old, new))) is differ


def test_the_caps_are_told_with_their_limits() -> None:
    files = [changed(f"f{n}", new="100755", size=3 * 1024 * 1024 if n == 0 else 1) for n in range(101)]
    assert judge(Policy(), files, patch_bytes=5 * 1024 * 1024).problems == snapshot(
        (
            "The change touches 101 files; the limit is 100.",
            "The patch is larger than the limit of 4096 KiB.",
            "The change flips the executable bit of 101 files; the limit is 10.",
            "`f0` is 3072 KiB; the limit for one file is 1024 KiB.",
        )
    )


def test_at_the_limits_all_is_well() -> None:
    policy = Policy(max_files=2, max_patch_kb=1, max_blob_kb=1)
    assert verdict(changed("a", size=1024), changed("b"), policy=policy, patch=1024) == "fine"


def test_many_problems_are_told_in_few_sentences() -> None:
    problems = judge(Policy(), [changed(f"l{n}", new="120000") for n in range(60)]).problems
    assert (len(problems), problems[-1]) == snapshot((20, "There are 41 more problems like these."))


def test_a_default_rule_for_each_thing_that_security_names() -> None:
    assert {action for _, action in DEFAULT_PROTECT} == {"deny", "hold", "warn"}
