"""A publisher over a GitHub in memory and rows in a SQLite file."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.core.redact import Secret
from bot.publish.effects import KeyedEffects
from bot.publish.gate import Block, Gate
from bot.publish.publisher import Publisher
from bot.store.effects import SqlEffectRows
from bot.store.metadata import metadata
from bot.store.projection import SqlProjectionRows
from tests.publish.github_fake import APP_ID, FakeGitHub

HELD = "whsec_9fK2mQ7xLp4TzR8vBn3Wd6Yc"


class HandClock:
    """Time that moves when the test says so."""

    def __init__(self) -> None:
        self.at = 1_000_000.0

    def now(self) -> float:
        return self.at

    def stamp(self) -> str:
        return "2026-11-24T09:35:02Z"


@dataclass
class Bench:
    """Everything of one test; `publisher()` gives a new one on the same rows, as after a restart."""

    github: FakeGitHub
    clock: HandClock
    engine: sa.Engine
    blocks: list[Block] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def effects(self) -> KeyedEffects:
        return KeyedEffects(SqlEffectRows(self.engine, now=self.clock.now), sleep=self.sleep)

    def gate(self) -> Gate:
        return Gate(lambda: [Secret(HELD)], record=self.blocks.append, scanner=lambda data: ())

    def publisher(self) -> Publisher:
        return Publisher(
            self.github,
            self.effects(),
            rows=SqlProjectionRows(self.engine),
            gate=self.gate(),
            clock=self.clock,
            app_id=APP_ID,
        )


@pytest.fixture
def bench(tmp_path: Path):
    """Rows in a file: the adapters run on threads."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'rows.db'}")
    metadata.create_all(engine)
    yield Bench(FakeGitHub(), HandClock(), engine)
    engine.dispose()
