"""Fetching into the mirror."""

import pytest
from inline_snapshot import snapshot

from bot.git.adapter import EngineGit
from bot.ports import Permanent, Transient, UserFacing
from tests.git.forge import TOKEN, Forge


async def test_a_fetch_brings_refs_into_the_mirror_and_names_their_commits(engine: EngineGit, forge: Forge) -> None:
    sha = forge.create("acme/shop", {"src/app.py": "print(1)\n"})

    assert await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN) == {"refs/heads/main": sha}
    assert [entry.path for entry in await engine.tree("acme/shop", sha)] == ["src/app.py"]


async def test_a_second_fetch_follows_the_branch(engine: EngineGit, forge: Forge) -> None:
    forge.create("acme/shop", {"a": "1"})
    await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN)
    newer = forge.commit("acme/shop", {"a": "2"})

    assert await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN) == {"refs/heads/main": newer}


async def test_an_empty_repository_is_told_in_a_sentence(engine: EngineGit, forge: Forge) -> None:
    forge.create("acme/shop")

    with pytest.raises(UserFacing) as told:
        await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN)
    assert told.value.message == snapshot(
        "acme/shop is empty: push a first commit to its default branch, then say `/agent resume`."
    )


async def test_a_missing_branch_is_told_in_a_sentence(engine: EngineGit, forge: Forge) -> None:
    forge.create("acme/shop", {"a": "1"})

    with pytest.raises(UserFacing) as told:
        await engine.fetch("acme/shop", ["refs/heads/main", "refs/heads/gone"], TOKEN)
    assert told.value.message == snapshot(
        "acme/shop has no branch `gone` any more: bring it back and say `/agent resume`, or say `/agent stop` and put the label on again."
    )


async def test_a_refused_token_is_told_in_a_sentence(engine: EngineGit, forge: Forge) -> None:
    forge.create("acme/shop", {"a": "1"})

    with pytest.raises(UserFacing) as told:
        await engine.fetch("acme/shop", ["refs/heads/main"], "ghs_wrong")
    assert told.value.message == snapshot(
        "GitHub refused to let the App read acme/shop: check that it is still installed there with the permissions it asks for."
    )


async def test_a_repository_that_is_gone_is_told_in_a_sentence(engine: EngineGit) -> None:
    with pytest.raises(UserFacing) as told:
        await engine.fetch("acme/gone", ["refs/heads/main"], TOKEN)
    assert told.value.message == snapshot(
        "GitHub finds no repository acme/gone for this App: check that it still exists and that the App is installed on it."
    )


async def test_a_server_that_fails_is_transient(engine: EngineGit, forge: Forge) -> None:
    forge.create("acme/shop", {"a": "1"})
    forge.spoil = lambda path, answer: 502

    with pytest.raises(Transient) as told:
        await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN)
    assert str(told.value) == snapshot("GitHub could not be reached for acme/shop; this is tried again.")


@pytest.mark.parametrize(
    "name",
    ["main", "--upload-pack=x", "refs/heads/../x", "refs/heads/a:b", "+refs/heads/a", "refs/heads/*", "refs/heads/-x"],
)
async def test_only_full_plain_refs_are_fetched(engine: EngineGit, name: str) -> None:
    with pytest.raises(Permanent):
        await engine.fetch("acme/shop", [name], TOKEN)
