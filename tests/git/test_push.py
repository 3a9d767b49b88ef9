"""Pushing: one SHA, one branch under agent/, from the value that we expect."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from bot.git.adapter import EngineGit
from bot.git.names import agent_branch
from bot.ports import Permanent, Transient, UserFacing
from tests.git.forge import TOKEN, Forge, line, serving, sh

BRANCH = "agent/1-print"
AT = "2026-11-24T09:14:02Z"


async def committed(engine: EngineGit, forge: Forge, message: str = "Work", parent: str = "") -> str:
    """A commit of the engine's on top of main (or of `parent`)."""
    if not forge.repo("acme/shop").exists():
        forge.create("acme/shop", {"README.md": "# Shop\n"})
    base = (await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN))["refs/heads/main"]
    tree = line("git", "rev-parse", f"{base}^{{tree}}", cwd=forge.repo("acme/shop"))
    return await engine.commit("acme/shop", tree=tree, parents=[parent or base], message=message, at=AT)


async def pushed(engine: EngineGit, sha: str, expected: str = "", branch: str = BRANCH, token: str = TOKEN) -> None:
    await engine.push("acme/shop", sha=sha, branch=branch, expected=expected, token=token)


def hook(forge: Forge, body: str, name: str = "pre-receive") -> None:
    path = forge.repo("acme/shop") / "hooks" / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


async def test_a_new_branch_is_pushed(engine: EngineGit, forge: Forge) -> None:
    sha = await committed(engine, forge)

    await pushed(engine, sha)

    assert forge.head("acme/shop", BRANCH) == sha
    assert await engine.remote_head("acme/shop", BRANCH, TOKEN) == sha


async def test_a_branch_that_is_not_there_has_no_head(engine: EngineGit, forge: Forge) -> None:
    await committed(engine, forge)

    assert await engine.remote_head("acme/shop", BRANCH, TOKEN) == ""


async def test_a_branch_goes_on_from_where_it_was(engine: EngineGit, forge: Forge) -> None:
    first = await committed(engine, forge)
    await pushed(engine, first)
    second = await committed(engine, forge, "More", first)

    await pushed(engine, second, first)

    assert forge.head("acme/shop", BRANCH) == second


async def test_a_commit_of_our_own_may_be_replaced(engine: EngineGit, forge: Forge) -> None:
    first = await committed(engine, forge, "Work [skip ci]")
    await pushed(engine, first)
    again = await committed(engine, forge, "Work")

    await pushed(engine, again, first)

    assert forge.head("acme/shop", BRANCH) == again


async def test_a_persons_commit_is_never_replaced_even_when_we_know_it(engine: EngineGit, forge: Forge) -> None:
    first = await committed(engine, forge)
    await pushed(engine, first)
    theirs = forge.commit("acme/shop", {"fix.txt": "by hand"}, BRANCH)

    with pytest.raises(UserFacing) as told:
        await pushed(engine, await committed(engine, forge, "Again"), theirs)

    assert told.value.message == snapshot(
        "`agent/1-print` in acme/shop holds commits that are not this bot's, and the push would drop them."
    )
    assert forge.head("acme/shop", BRANCH) == theirs


async def test_a_branch_that_somebody_moved_is_left_alone(engine: EngineGit, forge: Forge) -> None:
    first = await committed(engine, forge)
    await pushed(engine, first)
    theirs = forge.commit("acme/shop", {"fix.txt": "by hand"}, BRANCH)

    with pytest.raises(UserFacing) as told:
        await pushed(engine, await committed(engine, forge, "More", first), first)

    assert told.value.message == snapshot(
        "Somebody else moved `agent/1-print` in acme/shop, so nothing was pushed over their work."
    )
    assert forge.head("acme/shop", BRANCH) == theirs


async def test_a_branch_that_should_not_exist_and_does_is_left_alone(engine: EngineGit, forge: Forge) -> None:
    sha = await committed(engine, forge)
    theirs = forge.commit("acme/shop", {"other.txt": "x"}, BRANCH)

    with pytest.raises(UserFacing):
        await pushed(engine, sha)

    assert forge.head("acme/shop", BRANCH) == theirs


async def test_a_push_whose_answer_was_lost_is_a_success(engine: EngineGit, forge: Forge) -> None:
    sha = await committed(engine, forge)
    forge.spoil = lambda path, answer: 502 if path.endswith("/git-receive-pack") else None

    await pushed(engine, sha)

    assert forge.head("acme/shop", BRANCH) == sha


async def test_a_push_that_is_repeated_after_a_crash_is_a_success(engine: EngineGit, forge: Forge) -> None:
    sha = await committed(engine, forge)
    await pushed(engine, sha)

    await pushed(engine, sha)


async def test_a_server_that_fails_before_it_acts_is_transient(engine: EngineGit, forge: Forge) -> None:
    sha = await committed(engine, forge)
    forge.spoil = lambda path, answer: 503 if "receive-pack" in path and "info/refs" in path else None

    with pytest.raises(Transient):
        await pushed(engine, sha)


async def test_a_refused_token_is_told_in_a_sentence(engine: EngineGit, forge: Forge) -> None:
    sha = await committed(engine, forge)

    with pytest.raises(UserFacing) as told:
        await pushed(engine, sha, token="ghs_wrong")
    assert told.value.message == snapshot(
        "GitHub refused to let the App write acme/shop: check that it is still installed there with the permissions it asks for."
    )


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("GH006: Protected branch update failed", "branch rule"),
        ("GH013: Repository rule violations found", "branch rule"),
        (
            "refusing to allow a GitHub App to create or update workflow `.github/workflows/ci.yml` "
            "without `workflows` permission",
            ".github/workflows/",
        ),
        ("GH001: Large files detected.", "larger than GitHub takes"),
        ("GH013: Push cannot contain secrets, push protection", "secret"),
        ("no thanks", "say no to this change"),
    ],
)
async def test_a_refusal_by_the_remote_is_told_with_its_cause(
    engine: EngineGit, forge: Forge, words: str, part: str
) -> None:
    sha = await committed(engine, forge)
    hook(forge, f"cat >&2 <<'X'\nerror: {words}\nX\nexit 1")

    with pytest.raises(UserFacing) as told:
        await pushed(engine, sha)
    assert part in told.value.message


async def test_a_commit_that_the_mirror_lacks_is_not_pushed(engine: EngineGit, forge: Forge) -> None:
    await committed(engine, forge)

    with pytest.raises(UserFacing):
        await pushed(engine, "1" * 40)


@pytest.mark.parametrize(
    "branch",
    [
        *(
            "main",
            "refs/heads/main",
            "agent",
            "agent/",
            "agent/..",
            "agent/../main",
            "agent/x/../../main",
            "Agent/x",
            "agent/x:main",
        ),
        *(
            "agent/x:refs/heads/main",
            "agent/x refs/heads/main",
            "agent/x\nmain",
            "+agent/x",
            "agent//x",
            "agent/x.lock",
            "agent/.x",
        ),
        *(
            "agent/-x",
            "agent/x\x00",
            "agent/*",
            "heads/agent/x",
            "",
            "-agent/x",
            "agent/x.",
            "agent/x@{1}",
            "\u0430gent/x",
            "agent/x\n",
        ),
        *("agent\\main", "agent/é", "agent/x~1", "agent/x^", "tags/agent/x"),
    ],
)
async def test_no_other_branch_can_be_pushed(engine: EngineGit, forge: Forge, branch: str) -> None:
    sha = await committed(engine, forge)
    before = sh("git", "for-each-ref", cwd=forge.repo("acme/shop"))
    forge.seen.clear()

    with pytest.raises(Permanent):
        await pushed(engine, sha, branch=branch)

    assert forge.seen == []
    assert sh("git", "for-each-ref", cwd=forge.repo("acme/shop")) == before


@given(st.text() | st.text("agent/.-x:+*~^ \n\\@{main").map(lambda rest: "agent/" + rest))
@settings(max_examples=1000, suppress_health_check=[HealthCheck.filter_too_much])
def test_whatever_is_let_through_is_one_plain_ref_under_agent(branch: str) -> None:
    try:
        target = agent_branch(branch)
    except Permanent:
        return
    assert target.startswith("refs/heads/agent/")
    assert target.isascii()
    assert not set(target) & set(":+*~^ ?[\\\n\r\0@{")
    assert ".." not in target
    assert all(
        part and not part.startswith(("-", ".")) and not part.endswith((".lock", ".")) for part in target.split("/")
    )
    assert sh("git", "check-ref-format", target, cwd=Path("/")) == b""


async def test_the_token_is_never_in_an_argument_or_an_environment(engine: EngineGit, forge: Forge) -> None:
    """While a push is under way the server looks at every process of this machine."""
    sha = await committed(engine, forge)
    found: list[str] = []

    def look(path: str, answer: bytes) -> None:
        found.extend(_holders_of(TOKEN))

    forge.spoil = look
    await pushed(engine, sha)

    assert found == []


def _holders_of(secret: str) -> list[str]:
    holders = []
    for process in Path("/proc").glob("[0-9]*"):
        for kind in ("cmdline", "environ"):
            try:
                if secret.encode() in (process / kind).read_bytes():
                    holders.append(f"{kind} of {(process / 'comm').read_text()}")
            except OSError:
                continue
    return holders


async def test_the_token_is_never_on_disk(engine: EngineGit, forge: Forge, tmp_path: Path) -> None:
    await pushed(engine, await committed(engine, forge))

    assert [path for path in tmp_path.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()] == []


async def test_the_token_goes_to_the_forge_and_not_where_it_redirects(
    engine: EngineGit, forge: Forge, tmp_path: Path
) -> None:
    await committed(engine, forge)
    with serving(tmp_path / "elsewhere") as other:
        other.create("acme/shop", {"evil": "evil"})
        forge.redirect = other.url
        with pytest.raises((Permanent, UserFacing, Transient)):
            await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN)

        assert other.seen == []
