"""kill -9 of the web process under load: what it acknowledged is there, and is handled once."""

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest

from bot.playground.webhooks import Delivery
from tests.chaos.ward import Ward, kill, writes

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(200)]
ISSUES, COMMENTS = 10, 10


def deliver(delivery: Delivery) -> tuple[str, int]:
    """Send it as GitHub does: once, without a retry; 0 where nobody answered."""
    try:
        answer = httpx.post(
            delivery.hook.url, content=delivery.body, headers=delivery.headers, timeout=10.0, trust_env=False
        )
    except httpx.HTTPError:
        return delivery.guid, 0
    return delivery.guid, answer.status_code


def test_every_acknowledged_delivery_survives_the_web_process_and_is_handled_once(here: Ward):
    # given 200 comments in two repositories, whose deliveries are ready to be sent, every fifth one twice
    worlds = [here.world("left"), here.world("right")]
    for world in worlds:
        world.repository({"README.md": "# x\n"})
    here.stage.hub.state.limits.content_per_minute = 10_000  # what is counted here is not GitHub's patience
    here.stage.hub.webhooks.drain()
    here.stage.hub.webhooks.hold()
    for world in worlds:
        for number in [world.issue(f"Issue {n}") for n in range(ISSUES)]:
            for n in range(COMMENTS):
                world.say(number, f"/agent status please, for the {n}th time")
    queue = here.stage.hub.webhooks.queue
    comments = [it for it in queue if it.event == "issue_comment"]
    queue.clear()
    load = [it for n, it in enumerate(comments) for it in ([it, it] if n % 5 == 0 else [it])]
    # when they come in eight at a time while the web process is killed again and again
    over = threading.Event()

    def killing() -> None:
        while not over.wait(0.5):
            here.stage.server.wait_ready(here.stage.url)
            time.sleep(0.1)
            kill(here.web)
            here.kills.append("web")
            here.web.start()

    killer = threading.Thread(target=killing)
    killer.start()
    with ThreadPoolExecutor(8) as pool:
        answers: list[tuple[str, int]] = []
        for at in range(0, len(load), 8):
            answers += pool.map(deliver, load[at : at + 8])
            time.sleep(0.1)  # spread over several lives of the process
    over.set()
    killer.join()
    here.stage.server.wait_ready(here.stage.url)
    acknowledged = {guid for guid, status in answers if status in (200, 202)}
    assert len(here.kills) >= 2
    assert 0 < len(acknowledged) < len(comments), "some were lost with the process, some not"
    # then each acknowledged one is on disk
    with closing(sqlite3.connect(here.stage.home / "inbox.db")) as conn:
        stored = [row[0] for row in conn.execute("select guid from inbox")]
    assert acknowledged <= set(stored)
    assert len(stored) == len(set(stored))
    # and everything that is on disk is handled, once: each comment has the one reaction that answers it
    acting = {it.guid: it.payload["comment"]["id"] for it in comments}
    wanted = {acting[guid] for guid in stored if guid in acting}

    def reacted() -> list[int]:
        return [it.id for world in worlds for it in writes(world) if it.kind == "reaction"]

    worlds[0].until(lambda: wanted <= set(reacted()), why="a reaction on every comment that is on disk")
    assert sorted(reacted()) == sorted(wanted)
