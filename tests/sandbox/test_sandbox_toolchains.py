"""Which directories a PATH makes visible: the installation, and never the home or project around it."""

from pathlib import Path

import pytest

from bot.sandbox import rootfs
from bot.sandbox.toolchains import find

pytestmark = pytest.mark.fast


def tree(root: Path, *names: str) -> Path:
    """Make directories (`a/`), empty files (`a`) and links (`a -> b`)."""
    for name in names:
        link, _, target = name.partition(" -> ")
        path = root / link
        path.parent.mkdir(parents=True, exist_ok=True)
        if target:
            path.symlink_to(target)
        elif name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.touch()
    return root


def roots(root: Path, *folders: str) -> set[str]:
    found = find(":".join(str(root / folder) for folder in folders))
    return {str(path.relative_to(root)) for path in found.roots}


def test_an_installation_is_shown_whole(tmp_path):
    assert roots(tree(tmp_path, "node/v20/bin/node", "node/v20/lib/"), "node/v20/bin") == {"node/v20"}


def test_a_directory_of_programs_in_a_project_is_shown_alone(tmp_path):
    assert roots(tree(tmp_path, "project/bin/tool", "project/lib/", "project/.git/"), "project/bin") == {"project/bin"}


def test_a_directory_beside_nothing_of_an_installation_is_shown_alone(tmp_path):
    assert roots(tree(tmp_path, "someone/bin/tool", "someone/letters/"), "someone/bin") == {"someone/bin"}


def test_a_home_that_is_itself_on_the_path_is_left_out(tmp_path):
    assert find(str(tree(tmp_path, ".ssh/", "tool"))).roots == ()


def test_shims_bring_their_manager(tmp_path):
    assert roots(tree(tmp_path, ".pyenv/shims/python", ".pyenv/versions/"), ".pyenv/shims") == {".pyenv"}


def test_cargo_shows_programs_and_toolchains_but_not_its_credentials(tmp_path):
    tree(tmp_path, ".cargo/bin/cargo", ".cargo/credentials.toml", ".rustup/")
    found = find(str(tmp_path / ".cargo/bin"))
    assert found.roots == (tmp_path / ".cargo/bin", tmp_path / ".rustup")
    assert found.env == (("RUSTUP_HOME", str(tmp_path / ".rustup")),)


def test_links_bring_the_installations_they_lead_to(tmp_path):
    tree(tmp_path, "tools/ruff/bin/ruff", "tools/ruff/pyvenv.cfg", f".local/bin/ruff -> {tmp_path}/tools/ruff/bin/ruff")
    assert roots(tmp_path, ".local/bin") == {".local/bin", "tools/ruff"}


def test_a_link_to_a_file_among_a_person_s_things_shows_that_file_only(tmp_path):
    tree(tmp_path, "documents/script.sh", "documents/diary", f"bin/script -> {tmp_path}/documents/script.sh")
    assert roots(tmp_path, "bin") == {"bin", "documents/script.sh"}


def test_what_the_engine_keeps_is_never_shown(tmp_path):
    tree(tmp_path, "engine/bin/tool", "engine/lib/")
    found = find(str(tmp_path / "engine/bin"), hidden=(tmp_path / "engine",))
    assert (found.roots, found.path) == ((), "")


def test_an_installation_around_the_engine_s_own_directory_is_not_shown(tmp_path):
    tree(tmp_path, "prefix/bin/tool", "prefix/lib/", "prefix/engine/")
    assert find(str(tmp_path / "prefix/bin"), hidden=(tmp_path / "prefix/engine",)).roots == ()


def test_relative_and_missing_directories_are_dropped(tmp_path):
    assert find(f".:bin:{tmp_path}/missing::/usr/bin").path == "/usr/bin"


def test_the_sandbox_s_etc_leaves_private_keys_and_unreadable_files_out(tmp_path):
    tree(tmp_path, "ssl/certs/ca.pem", "ssl/private/key.pem", "ssl/secret.cnf")
    (tmp_path / "ssl/secret.cnf").chmod(0o640)
    rootfs.copy(tmp_path / "ssl", tmp_path / "etc")
    assert sorted(path.name for path in (tmp_path / "etc").rglob("*")) == ["ca.pem", "certs"]
