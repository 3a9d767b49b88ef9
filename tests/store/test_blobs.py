"""Prompts and transcripts at rest: sealed, bound to their place, gone with their key."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag

from bot.core.redact import Secret
from bot.store import tables
from bot.store.blobs import SqlBlobs
from bot.store.journal import BlobJournal

pytestmark = pytest.mark.fast
MASTER, OTHER = Secret("11" * 32), Secret("22" * 32)
RUN = "acme/shop-42-r1"


@pytest.fixture
def blobs(database: sa.Engine) -> SqlBlobs:
    return SqlBlobs(database, MASTER)


def execute(database: sa.Engine, statement: sa.Executable) -> None:
    with database.begin() as conn:
        conn.execute(statement)


def test_what_was_put_comes_back(blobs: SqlBlobs):
    blobs.put(RUN, "prompt/draft", 0, b"first")
    blobs.put(RUN, "prompt/draft", 0, b"second")
    assert blobs.get(RUN, "prompt/draft", 0) == b"second"
    assert blobs.get(RUN, "prompt/draft", 1) is None


def test_no_plain_text_is_in_the_files(blobs: SqlBlobs, database: sa.Engine, tmp_path: Path):
    blobs.put(RUN, "prompt/draft", 0, b"the customer is called Ms Marguerite")
    database.dispose()
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"prompt/draft" in held
    assert b"Marguerite" not in held


@pytest.mark.parametrize(
    "moved",
    [{"run_id": "acme/shop-43-r1"}, {"kind": "answer/draft"}, {"seq": 1}],
    ids=lambda it: next(iter(it)),
)
def test_a_moved_row_is_refused(blobs: SqlBlobs, database: sa.Engine, moved: dict):
    # given a second run under the very same data key, so that only the place differs
    blobs.put(RUN, "prompt/draft", 0, b"mine")
    blobs.put("acme/shop-43-r1", "other", 0, b"theirs")
    # when the row is moved
    execute(database, sa.update(tables.blob).where(tables.blob.c.kind == "prompt/draft").values(**moved))
    # then it is not believed
    place = {"run_id": RUN, "kind": "prompt/draft", "seq": 0} | moved
    with pytest.raises(InvalidTag):
        blobs.get(place["run_id"], place["kind"], place["seq"])


def test_an_altered_row_is_refused(blobs: SqlBlobs, database: sa.Engine):
    blobs.put(RUN, "prompt/draft", 0, b"mine")
    with database.begin() as conn:
        data = bytearray(conn.execute(sa.select(tables.blob.c.data)).scalar_one())
        data[-1] ^= 1
        conn.execute(sa.update(tables.blob).values(data=bytes(data)))
    with pytest.raises(InvalidTag):
        blobs.get(RUN, "prompt/draft", 0)


def test_a_run_key_moved_to_another_run_is_refused(blobs: SqlBlobs, database: sa.Engine):
    blobs.put(RUN, "prompt/draft", 0, b"mine")
    execute(database, sa.update(tables.run_key).values(run_id="acme/shop-43-r1"))
    execute(database, sa.update(tables.blob).values(run_id="acme/shop-43-r1"))
    with pytest.raises(InvalidTag):
        blobs.get("acme/shop-43-r1", "prompt/draft", 0)


def test_without_its_run_key_nothing_is_readable(blobs: SqlBlobs, database: sa.Engine):
    blobs.put(RUN, "prompt/draft", 0, b"mine")
    execute(database, sa.delete(tables.run_key))
    assert blobs.get(RUN, "prompt/draft", 0) is None
    # and a fresh key of the same run opens none of the old rows
    blobs.put(RUN, "prompt/draft", 1, b"new")
    with pytest.raises(InvalidTag):
        blobs.get(RUN, "prompt/draft", 0)


def test_another_master_key_opens_nothing(blobs: SqlBlobs, database: sa.Engine):
    blobs.put(RUN, "prompt/draft", 0, b"mine")
    with pytest.raises(InvalidTag):
        SqlBlobs(database, OTHER).get(RUN, "prompt/draft", 0)


def test_the_last_sequence_is_known(blobs: SqlBlobs):
    assert blobs.last(RUN, "turn/1") == -1
    blobs.put(RUN, "turn/1", 0, b"a")
    blobs.put(RUN, "turn/1", 1, b"b")
    assert blobs.last(RUN, "turn/1") == 1


def test_a_journal_opened_again_goes_on_where_it_ended(blobs: SqlBlobs):
    # given a journal with two entries, and one of another task
    first = BlobJournal(blobs, RUN, "turn/1/t1~1")
    first.append({"kind": "sent", "n": 1})
    first.append({"kind": "answer", "n": 1})
    BlobJournal(blobs, RUN, "turn/1/t2~1").append({"kind": "sent", "n": 7})
    # when it is opened again and goes on
    again = BlobJournal(blobs, RUN, "turn/1/t1~1")
    again.append({"kind": "resumed"})
    # then all of it is there, in order, and nothing else
    assert BlobJournal(blobs, RUN, "turn/1/t1~1").entries() == [
        {"kind": "sent", "n": 1},
        {"kind": "answer", "n": 1},
        {"kind": "resumed"},
    ]
