"""What was published is kept as it was."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.core.projection import Projection, Published, PublishedPull
from bot.store.effects import SqlEffectRows
from bot.store.metadata import metadata
from bot.store.projection import SqlProjectionRows

pytestmark = pytest.mark.fast

FULL = Projection(
    run_id="acme/shop-42-r1",
    status=Published(1, "aa", 1),
    stale=(7, 8),
    label="agent/working",
    pulls={"57": PublishedPull(57, "bb", draft=True)},
    checks={"acme/shop-42-r1/line/1": Published(9, "cc")},
    reactions=("issue:eyes",),
    published_at=12.5,
)


@pytest.fixture
def engine(tmp_path: Path):
    made = sa.create_engine(f"sqlite:///{tmp_path / 'rows.db'}")
    metadata.create_all(made)
    yield made
    made.dispose()


def test_nothing_published_is_an_empty_projection(engine):
    assert SqlProjectionRows(engine).load(7001, 42) == Projection()


def test_a_projection_comes_back_as_it_was_saved(engine):
    rows = SqlProjectionRows(engine)
    rows.save(7001, 42, Projection(label="agent/drafting"))
    rows.save(7001, 42, FULL)
    assert (rows.load(7001, 42), rows.load(7001, 43)) == (FULL, Projection())


def test_dropping_a_repository_forgets_its_issues_only(engine):
    rows = SqlProjectionRows(engine)
    rows.save(7001, 42, FULL)
    rows.save(7002, 42, FULL)
    rows.drop(7001)
    assert (rows.load(7001, 42), rows.load(7002, 42)) == (Projection(), FULL)


def test_a_row_written_by_an_older_version_is_read(engine):
    rows = SqlProjectionRows(engine)
    rows.save(7001, 42, FULL)
    with engine.begin() as connection:
        connection.execute(sa.text("""update projection set doc = '{"label": "agent/done", "gone": 1}'"""))
    assert rows.load(7001, 42) == Projection(label="agent/done")


def test_an_intent_is_fresh_once(engine):
    rows = SqlEffectRows(engine, now=lambda: 1.0)
    assert rows.intend("k") == (True, None)
    assert rows.intend("k") == (False, None)
    assert (rows.tried("k"), rows.tried("k")) == (1, 2)
    rows.finish("k", "id-1")
    assert rows.intend("k") == (False, "id-1")
