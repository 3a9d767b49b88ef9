"""Bare repositories: made, read and merged without a work tree."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.playground.repos import ZERO, BareRepo, GitRefused, MergeConflict, Person, quoted

ANN = Person("Ann", "ann@example.test")
AT = 1_795_510_000


@pytest.fixture
def repo(tmp_path: Path) -> BareRepo:
    """One commit on main: a README and a module."""
    repo = BareRepo.create(tmp_path / "acme" / "shop.git")
    files = {"README.md": "# Shop\n", "src/cart.py": "one\ntwo\nthree\nfour\nfive\n"}
    repo.commit_files("main", files, message="Start the shop", who=ANN, at=AT)
    return repo


def branch(repo: BareRepo, name: str, files: dict[str, str | bytes | None], *, at: str = "main") -> str:
    base = repo.resolve(at)
    assert base is not None
    repo.set_ref(f"refs/heads/{name}", base)
    return repo.commit_files(name, files, message=f"Work on {name}\n\nBecause.", who=ANN, at=AT + 60)


def test_a_new_repository_has_its_default_branch_and_no_commit(tmp_path: Path):
    repo = BareRepo.create(tmp_path / "new.git", branch="trunk")
    assert (repo.default_branch(), repo.branches(), repo.resolve("trunk")) == ("trunk", {}, None)


def test_the_same_commit_has_the_same_sha_anywhere(repo: BareRepo, tmp_path: Path):
    again = BareRepo.create(tmp_path / "again.git")
    files = {"src/cart.py": "one\ntwo\nthree\nfour\nfive\n", "README.md": "# Shop\n"}
    assert again.commit_files("main", files, message="Start the shop", who=ANN, at=AT) == repo.resolve("main")


def test_a_commit_tells_who_and_when(repo: BareRepo):
    sha = branch(repo, "work", {"a.txt": "a\n"})
    commit = repo.commit(sha)
    assert (commit.author, commit.authored_at, commit.message) == (
        ANN,
        "2026-11-24T08:47:40+00:00",
        "Work on work\n\nBecause.",
    )
    assert commit.parents == (repo.resolve("main"),)


def test_commits_between_are_oldest_first(repo: BareRepo):
    first = branch(repo, "work", {"a.txt": "a\n"})
    second = repo.commit_files("work", {"b.txt": "b\n"}, message="More", who=ANN, at=AT + 90)
    assert [c.sha for c in repo.commits("main", "work")] == [first, second]


def test_the_merge_base_is_where_a_branch_left(repo: BareRepo):
    left = repo.resolve("main")
    branch(repo, "work", {"a.txt": "a\n"})
    repo.commit_files("main", {"b.txt": "b\n"}, message="Meanwhile", who=ANN, at=AT + 60)
    assert repo.merge_base("main", "work") == left


def test_files_of_a_difference_have_counts_and_patches(repo: BareRepo):
    head = branch(
        repo,
        "work",
        {"src/cart.py": "one\ntwo\n3\nfour\nfive\n", "README.md": None, "logo.bin": b"\0\1\2", "ä b.txt": "x\n"},
    )
    files = {f.path: f for f in repo.files("main", head)}
    assert {p: (f.status, f.added, f.removed) for p, f in files.items()} == {
        "src/cart.py": ("M", 1, 1),
        "README.md": ("D", 0, 1),
        "logo.bin": ("A", None, None),
        "ä b.txt": ("A", 1, 0),
    }
    assert files["src/cart.py"].patch == "@@ -1,5 +1,5 @@\n one\n two\n-three\n+3\n four\n five"
    assert files["logo.bin"].patch == ""


def test_a_rename_names_both_paths(repo: BareRepo):
    head = branch(repo, "work", {"src/cart.py": None, "src/basket.py": "one\ntwo\nthree\nfour\nfive\n"})
    [change] = repo.files("main", head)
    assert (change.status, change.old_path, change.path, change.patch) == ("R", "src/cart.py", "src/basket.py", "")


def test_a_line_that_looks_like_a_header_does_not_split_a_patch(repo: BareRepo):
    text = "diff --git a/x b/x\n@@ -1 +1 @@\n"
    head = branch(repo, "work", {"tricky.txt": text, "zz.txt": "z\n"})
    assert [f.patch.splitlines()[1:] for f in repo.files("main", head)] == [
        ["+diff --git a/x b/x", "+@@ -1 +1 @@"],
        ["+z"],
    ]


def test_a_blob_is_read_by_path_and_a_missing_one_is_none(repo: BareRepo):
    assert repo.blob("main", "README.md") == b"# Shop\n"
    assert repo.blob("main", "nothing") is None
    assert repo.blob("main", "src") is None


def test_a_tree_lists_what_is_there(repo: BareRepo):
    assert [(e.path, e.mode, e.size) for e in repo.tree("main")] == [
        ("README.md", "100644", 7),
        ("src/cart.py", "100644", 24),
    ]


def test_a_merge_has_both_parents_and_both_changes(repo: BareRepo):
    base = repo.commit_files("main", {"b.txt": "b\n"}, message="Meanwhile", who=ANN, at=AT + 60)
    head = branch(repo, "work", {"a.txt": "a\n"}, at=f"{base}~1")
    made = repo.merge(base="main", head="work", message="Merge pull request #1", who=ANN, at=AT + 99)
    assert repo.resolve("main") == made
    assert repo.commit(made).parents == (base, head)
    assert (repo.blob(made, "a.txt"), repo.blob(made, "b.txt")) == (b"a\n", b"b\n")


def test_a_squash_has_one_parent(repo: BareRepo):
    base = repo.resolve("main")
    branch(repo, "work", {"a.txt": "a\n"})
    made = repo.merge(base="main", head="work", message="All at once (#1)", who=ANN, at=AT + 99, squash=True)
    assert repo.commit(made).parents == (base,)


def test_a_conflict_names_its_files_and_changes_nothing(repo: BareRepo):
    base = repo.commit_files("main", {"README.md": "# Ours\n"}, message="Ours", who=ANN, at=AT + 60)
    branch(repo, "work", {"README.md": "# Theirs\n"}, at=f"{base}~1")
    with pytest.raises(MergeConflict) as conflict:
        repo.merge(base="main", head="work", message="Merge", who=ANN, at=AT + 99)
    assert conflict.value.paths == ("README.md",)
    assert repo.resolve("main") == base


def test_a_ref_moves_only_from_where_it_was_expected(repo: BareRepo):
    head = branch(repo, "work", {"a.txt": "a\n"})
    with pytest.raises(GitRefused):
        repo.set_ref("refs/heads/main", head, expected=ZERO)
    repo.delete_ref("refs/heads/work")
    assert list(repo.branches()) == ["main"]


def test_a_directory_comes_in_with_modes_and_links_and_without_its_git(tmp_path: Path):
    source = tmp_path / "source"
    (source / ".git").mkdir(parents=True)
    (source / ".git" / "config").write_text("secret")
    (source / "run.sh").write_text("#!/bin/sh\n")
    (source / "run.sh").chmod(0o755)
    (source / "link").symlink_to("run.sh")
    repo = BareRepo.create(tmp_path / "r.git")
    repo.commit_directory("main", source, message="All", who=ANN, at=AT)
    assert [(e.path, e.mode) for e in repo.tree("main")] == [("link", "120000"), ("run.sh", "100755")]


def test_a_repository_on_disk_comes_in_with_its_history_and_stays_as_it_was(repo: BareRepo, tmp_path: Path):
    work = tmp_path / "work"
    subprocess.run(["git", "clone", "--quiet", str(repo.path), str(work)], check=True)
    before = sorted(str(p) for p in work.rglob("*"))
    made = BareRepo.create_from_git(tmp_path / "copy.git", work, branch="trunk")
    assert made.resolve("trunk") == repo.resolve("main")
    assert sorted(str(p) for p in work.rglob("*")) == before


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\n"), min_size=1, max_size=40))
def test_a_quoted_path_has_no_bare_quote(path: str):
    inner = quoted(path)[1:-1]
    assert inner.replace(b"\\\\", b"").replace(b'\\"', b"").count(b'"') == 0
