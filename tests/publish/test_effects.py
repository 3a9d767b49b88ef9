"""An effect happens once a key, whatever is lost, whoever else is at it."""

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.ports import Cancelled, Permanent, Transient
from bot.publish.effects import KeyedEffects
from bot.store.effects import SqlEffectRows, effect
from bot.store.metadata import metadata

pytestmark = pytest.mark.fast


class World:
    """Remote things that exist; acts and looks are counted, and a look can lag behind."""

    def __init__(self) -> None:
        self.things: list[str] = []
        self.looks = 0
        self.lag = 0
        self.lose = 0
        self.slept: list[float] = []
        self.mine = True

    async def find(self) -> str | None:
        self.looks += 1
        if self.looks <= self.lag or not self.things:
            return None
        return self.things[0]

    async def act(self) -> str:
        await asyncio.sleep(0)
        self.things.append(f"id-{len(self.things) + 1}")
        if self.lose:
            self.lose -= 1
            raise Transient("the answer was lost")
        return self.things[-1]

    async def still_mine(self) -> bool:
        return self.mine

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def engine(tmp_path: Path):
    made = sa.create_engine(f"sqlite:///{tmp_path / 'rows.db'}")
    metadata.create_all(made)
    yield made
    made.dispose()


@pytest.fixture
def world() -> World:
    return World()


def effects(engine: sa.Engine, world: World) -> KeyedEffects:
    return KeyedEffects(SqlEffectRows(engine, now=lambda: 1.0), sleep=world.sleep)


async def once(engine: sa.Engine, world: World, key: str = "k") -> str:
    return await effects(engine, world).once(key, world.find, world.act, world.still_mine)


async def test_a_fresh_intent_acts_without_looking(engine, world):
    assert await once(engine, world) == "id-1"
    assert (world.things, world.looks) == (["id-1"], 0)


async def test_a_result_is_remembered(engine, world):
    await once(engine, world)
    assert await once(engine, world) == "id-1"
    assert (world.things, world.looks) == (["id-1"], 0)


async def test_a_lost_answer_is_looked_for_with_rising_waits(engine, world):
    world.lose, world.lag = 1, 2
    assert await once(engine, world) == "id-1"
    assert (world.things, world.slept) == (["id-1"], [1.0, 3.0, 6.0])


async def test_an_intent_without_result_is_looked_for_before_acting(engine, world):
    SqlEffectRows(engine, now=lambda: 1.0).intend("k")
    world.things = ["made-before-the-crash"]
    assert await once(engine, world) == "made-before-the-crash"
    assert world.things == ["made-before-the-crash"]


async def test_an_intent_whose_act_never_happened_acts(engine, world):
    SqlEffectRows(engine, now=lambda: 1.0).intend("k")
    assert await once(engine, world) == "id-1"
    assert world.looks == 3


async def test_two_at_once_act_once(engine, world):
    shared = effects(engine, world)
    results = await asyncio.gather(*(shared.once("k", world.find, world.act, world.still_mine) for _ in range(8)))
    assert (set(results), world.things) == ({"id-1"}, ["id-1"])


async def test_different_keys_do_not_wait_for_each_other(engine, world):
    shared = effects(engine, world)
    gate = asyncio.Event()

    async def slow() -> str:
        await gate.wait()
        return "slow"

    waiting = asyncio.create_task(shared.once("a", world.find, slow, world.still_mine))
    assert await shared.once("b", world.find, world.act, world.still_mine) == "id-1"
    gate.set()
    assert await waiting == "slow"


async def test_a_zombie_does_not_act(engine, world):
    world.mine = False
    with pytest.raises(Cancelled):
        await once(engine, world)
    assert world.things == []


async def test_a_zombie_may_learn_what_was_done(engine, world):
    await once(engine, world)
    world.mine = False
    assert await once(engine, world) == "id-1"


async def test_tries_are_bounded_and_counted(engine, world):
    async def never() -> str:
        raise Transient("502")

    with pytest.raises(Transient):
        await effects(engine, world).once("k", world.find, never, world.still_mine)
    with engine.connect() as connection:
        assert connection.execute(sa.select(effect.c.tries, effect.c.remote)).one() == (3, None)


async def test_a_rate_limit_is_not_sat_out_here(engine, world):
    async def limited() -> str:
        raise Transient("secondary rate limit", retry_at=2_000_000.0)

    with pytest.raises(Transient, match="secondary"):
        await effects(engine, world).once("k", world.find, limited, world.still_mine)
    with engine.connect() as connection:
        assert connection.execute(sa.select(effect.c.tries)).scalar() == 1


async def test_a_refusal_is_passed_on_and_leaves_the_intent_open(engine, world):
    async def refused() -> str:
        raise Permanent("422")

    with pytest.raises(Permanent):
        await effects(engine, world).once("k", world.find, refused, world.still_mine)
    assert SqlEffectRows(engine, now=lambda: 1.0).intend("k") == (False, None)
