"""The one door: committed before anybody hears of it, once each, in order."""

import asyncio
import os
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.ports import Transient
from bot.store.inbox import Inbox, InboxRow, connect

pytestmark = pytest.mark.fast


def row(guid: str = "g1", *, body: bytes = b"{}", routed: bool = True) -> InboxRow:
    return InboxRow(guid, "issues", body, 1_700_000_000.0, "labeled", routed)


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    opened = Inbox.open(tmp_path / "inbox.db")
    yield opened
    opened.close()


async def test_a_row_comes_out_as_it_went_in(inbox: Inbox):
    assert await inbox.put(row(body=b'{"x": "\xc3\xa9\x00"}')) == "stored"
    assert inbox.take() == [row(body=b'{"x": "\xc3\xa9\x00"}')]


async def test_the_same_id_again_is_a_duplicate_and_changes_nothing(inbox: Inbox):
    await inbox.put(row())
    assert await inbox.put(row(body=b"other")) == "duplicate"
    assert inbox.take() == [row()]


async def test_one_id_many_times_at_once_is_stored_once(inbox: Inbox):
    answers = await asyncio.gather(*(inbox.put(row()) for _ in range(50)))
    assert sorted(answers) == ["duplicate"] * 49 + ["stored"]


async def test_rows_queued_together_are_one_transaction_and_keep_their_order(inbox: Inbox, tmp_path: Path):
    # Another writer holds the lock while they queue up, so that they have to wait for each other.
    other = sqlite3.connect(tmp_path / "inbox.db", isolation_level=None)
    other.execute("begin immediate")
    puts = [asyncio.ensure_future(inbox.put(row(f"g{n}"))) for n in range(40)]
    await asyncio.sleep(0.05)
    assert not any(one.done() for one in puts)
    other.execute("commit")
    other.close()

    assert await asyncio.gather(*puts) == ["stored"] * 40
    assert [one.guid for one in inbox.take()] == [f"g{n}" for n in range(40)]


async def test_what_was_put_is_there_for_a_reader_of_another_process(inbox: Inbox, tmp_path: Path):
    await inbox.put(row())
    with sqlite3.connect(tmp_path / "inbox.db") as reader:
        assert reader.execute("select guid, taken from inbox").fetchall() == [("g1", None)]
    reader.close()


async def test_taken_rows_are_not_handed_out_again(inbox: Inbox):
    for n in range(3):
        await inbox.put(row(f"g{n}"))
    inbox.mark_taken(["g0", "g2"], {"g2": "issues: no repository"})

    assert [one.guid for one in inbox.take()] == ["g1"]
    assert inbox.backlog() == 1


async def test_why_a_row_could_not_be_read_is_kept(inbox: Inbox, tmp_path: Path):
    await inbox.put(row())
    inbox.mark_taken(["g1"], {"g1": "issues: no repository"})
    inbox.mark_taken(["g1"])
    with sqlite3.connect(tmp_path / "inbox.db") as reader:
        assert reader.execute("select problem from inbox").fetchall() == [("issues: no repository",)]
    reader.close()


async def test_rows_that_nobody_routes_are_kept_but_not_handed_out(inbox: Inbox):
    await inbox.put(row(routed=False))
    assert (inbox.take(), inbox.backlog()) == ([], 0)
    assert inbox.find("g1") == row(body=b"", routed=True)


def test_a_body_that_was_dealt_with_is_in_no_file(inbox: Inbox, tmp_path: Path):
    # given a row that was written to the database itself, and another that is in its log only
    inbox.add(row("g1", body=b'{"said": "quokka"}'))
    inbox.forget()
    inbox.add(row("g2", body=b'{"said": "quokka"}'))

    # when both are dealt with
    inbox.mark_taken(["g1", "g2"])
    inbox.forget()

    # then
    assert [it.name for it in tmp_path.iterdir() if b"quokka" in it.read_bytes()] == []


def test_forgetting_never_waits_for_a_writer(inbox: Inbox, tmp_path: Path):
    # given somebody who writes
    other = connect(tmp_path / "inbox.db")
    inbox.add(row())
    inbox.mark_taken(["g1"])
    other.execute("begin immediate")

    # when it is tried
    begin = time.monotonic()
    inbox.forget()

    # then it gave up at once
    assert time.monotonic() - begin < 1
    other.execute("rollback")
    other.close()


def test_take_gives_the_oldest_first_up_to_its_limit(inbox: Inbox):
    for n in range(5):
        inbox.add(row(f"g{n}"))
    assert [one.guid for one in inbox.take(limit=2)] == ["g0", "g1"]


def test_our_own_inputs_come_by_the_same_door(inbox: Inbox):
    assert inbox.add(InboxRow("cli-7", "cli.stop", b'{"run": "r"}', 1.0)) == "stored"
    assert inbox.add(InboxRow("cli-7", "cli.stop", b'{"run": "r"}', 2.0)) == "duplicate"
    assert inbox.take() == [InboxRow("cli-7", "cli.stop", b'{"run": "r"}', 1.0)]


def test_rows_survive_closing(tmp_path: Path):
    first = Inbox.open(tmp_path / "inbox.db")
    first.add(row())
    first.close()
    again = Inbox.open(tmp_path / "inbox.db")
    assert again.take() == [row()]
    again.close()


def test_two_processes_may_make_the_file_at_once(tmp_path: Path):
    opened: list[Inbox] = []
    threads = [threading.Thread(target=lambda: opened.append(Inbox.open(tmp_path / "inbox.db"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 8
    for one in opened:
        one.close()


def test_the_file_is_for_its_owner_only(inbox: Inbox, tmp_path: Path):
    assert stat.S_IMODE(os.stat(tmp_path / "inbox.db").st_mode) == 0o600


def test_every_connection_commits_to_the_disk_before_it_answers(tmp_path: Path):
    connection = connect(tmp_path / "inbox.db")
    assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
    assert connection.execute("pragma synchronous").fetchone() == (2,)  # FULL
    connection.close()


async def test_what_can_not_be_stored_raises_and_the_next_one_is_tried_afresh(tmp_path: Path):
    # The table is taken away behind the writer's back, which fails as a broken or full disk does.
    inbox = Inbox.open(tmp_path / "inbox.db")
    await inbox.put(row("before"))
    breaker = sqlite3.connect(tmp_path / "inbox.db")
    breaker.execute("alter table inbox rename to away")
    breaker.commit()

    with pytest.raises(Transient, match="can't store a row"):
        await inbox.put(row("lost"))
    with pytest.raises(Transient, match="can't store a row"):
        inbox.add(row("lost"))

    breaker.execute("alter table away rename to inbox")
    breaker.commit()
    breaker.close()
    assert await inbox.put(row("after")) == "stored"
    assert [one.guid for one in inbox.take()] == ["before", "after"]
    inbox.close()


async def test_a_caller_that_gave_up_does_not_trouble_the_others(inbox: Inbox):
    gone = asyncio.ensure_future(inbox.put(row("gone")))
    stays = asyncio.ensure_future(inbox.put(row("stays")))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == "stored"


def test_a_place_that_can_not_be_written_is_said(tmp_path: Path):
    with pytest.raises(Transient, match="can't be opened"):
        Inbox.open(tmp_path / "no such directory" / "inbox.db")
