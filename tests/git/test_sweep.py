"""Sweeping: checkouts that nobody needs go, whatever state a crash left them in."""

import asyncio
import threading

from bot.git.adapter import EngineGit
from tests.git.forge import TOKEN, Forge


async def opened(engine: EngineGit, forge: Forge, *keys: str):
    sha = forge.create("acme/shop", {"README.md": "# Shop\n"})
    await engine.fetch("acme/shop", ["refs/heads/main"], TOKEN)
    return [await engine.checkout("acme/shop", sha, key) for key in keys]


async def test_only_what_is_kept_stays(engine: EngineGit, forge: Forge) -> None:
    kept, ended = await opened(engine, forge, "acme/shop-1-r1/task/1/t1~1", "acme/shop-2-r1/task/1/t1~1")

    await engine.sweep(lambda key: key == kept.key)

    assert list(kept.upper.parent.parent.iterdir()) == [kept.upper.parent]
    assert not ended.upper.exists()
    assert kept.base.exists()


async def test_what_a_crash_left_half_made_goes(engine: EngineGit, forge: Forge) -> None:
    (half,) = await opened(engine, forge, "acme/shop-1-r1/task/1/t1~1")
    (half.upper.parent / "opened.json").unlink()

    await engine.sweep(lambda _: True)

    assert not half.upper.exists()


async def test_a_checkout_that_is_just_being_opened_is_waited_for(engine: EngineGit, forge: Forge) -> None:
    # given a sweep that has come to a checkout, and its run that opens it again meanwhile
    (checkout,) = await opened(engine, forge, "acme/shop-1-r1/task/1/t1~1")
    asked, go = threading.Event(), threading.Event()

    def keep(_key: str) -> bool:
        asked.set()
        go.wait(5)
        return False

    sweeping = asyncio.create_task(engine.sweep(keep))
    while not asked.is_set():
        await asyncio.sleep(0.01)
    opening = asyncio.create_task(engine.checkout("acme/shop", checkout.sha, checkout.key))
    await asyncio.sleep(0.1)
    assert not opening.done()

    # when the sweep decides against it
    go.set()
    await sweeping

    # then the opener gets a whole one all the same
    again = await opening
    assert again.copy is None or (again.copy / "README.md").exists()
    assert (again.upper.parent / "opened.json").exists()
