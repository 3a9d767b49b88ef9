"""A Journeyman whose web and engine are processes that a test kills when it likes, and the marks by which it sees where they are."""

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.core.redact import Secret
from bot.playground.data import Write
from bot.playground.stage import Server, Stage
from bot.store.blobs import SqlBlobs
from bot.store.database import open_database
from tests.stories.conftest import PUBLISH_SECONDS, people, vendor_keys
from tests.stories.world import Voice, World

MARKS = {
    "phase": "select id || ' epoch ' || epoch || ' ' || state from run",
    "workflow": "select workflow_uuid || ' ' || status from workflow_status",
    "step": "select workflow_uuid || ' ' || function_name from operation_outputs",
    "effect": "select key || iif(remote is null, ' intended', ' done') from effect",
    "charge": "select run_id || ' ' || key from charge",
    "blob": "select run_id || ' ' || kind from blob where kind not like 'answer/%' and kind not like 'turn/%'",
    "answer": "select run_id || ' ' || kind from blob where kind like 'answer/%' union "
    "select run_id || ' ' || key from charge where settled and role = 'work'",
    "receipt": "select key || iif(done, ' given', ' owed') from receipt",
}
"""What an engine makes durable, by kind: a new step, phase or effect shows here by itself. `journal` is read besides."""
TOOLS = ("tool started", "tool result")


@dataclass(slots=True)
class Ward:
    """One home with its own web and engine process, a playground and a scripted vendor."""

    stage: Stage
    voice: Voice
    web: Server
    engine: Server
    kills: list[str] = field(default_factory=list)

    def world(self, name: str) -> World:
        return World(self.stage, self.voice, f"acme/{name}")

    def kill_engine(self, why: str) -> None:
        """SIGKILL, and start it again as `serve` does."""
        self.engine.kill()
        self.kills.append(why)
        self.engine.start()

    def strike(
        self, kinds: tuple[str, ...], over: Callable[[], bool], *, most: int | None = None, seconds: float = 240.0
    ) -> list[str]:
        """Kill the engine at every new mark of these kinds until `over`, at most `most` times; gives the marks in order."""
        kills = 0
        struck: list[str] = []
        end = time.monotonic() + seconds
        with closing(Watcher(self.stage.home, kinds)) as watcher:
            seen = watcher.marks()
            version = None
            while not over():
                if time.monotonic() > end:
                    raise AssertionError(
                        f"not over after {seconds:.0f} s and {len(struck)} kills\n{self.engine.output()}"
                    )
                for _ in range(50):
                    now = watcher.version()
                    if kills != most and now != version and (new := watcher.marks() - seen):
                        kills += 1
                        self.engine.kill()
                        new = watcher.marks() - seen
                        seen |= new
                        struck += sorted(new)
                        self.kills.append(" + ".join(sorted(new)))
                        self.engine.start()
                        break
                    version = now
                    time.sleep(0.001)
        return struck


class Watcher:
    """Sees within about a millisecond what an engine has made durable."""

    def __init__(self, home: Path, kinds: tuple[str, ...]) -> None:
        path = home / "journeyman.db"
        self._conn = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)
        self._engine = open_database(f"sqlite:///{path}")
        self._blobs = SqlBlobs(self._engine, Secret((home / "master.key").read_text().strip()))
        self._kinds = kinds
        self._read: dict[tuple[str, str, int], str] = {}
        self._asked: dict[str, str] = {}

    def close(self) -> None:
        self._conn.close()
        self._engine.dispose()

    def version(self) -> int:
        """Another number when somebody has committed."""
        return self._conn.execute("pragma data_version").fetchone()[0]

    def marks(self) -> set[str]:
        found = {
            f"{kind}: {row[0]}" for kind in self._kinds if kind in MARKS for row in self._conn.execute(MARKS[kind])
        }
        return found | self._journal() if "journal" in self._kinds else found

    def _journal(self) -> set[str]:
        """A worker's tools by what they were asked, since what is done again has another id; `sent` and `resumed` come again too."""
        for place in self._conn.execute("select run_id, kind, seq from blob where kind like 'turn/%' order by seq"):
            if place not in self._read:
                entry = json.loads(self._blobs.get(*place))
                for call in entry.get("answer", {}).get("calls", ()):
                    self._asked[call["id"]] = json.dumps(call["input"])
                self._read[place] = f"journal: {place[1]} {entry['kind']} {self._asked.get(entry.get('call', ''))}"
        return {mark for mark in self._read.values() if any(kind in mark for kind in TOOLS)}


@contextmanager
def ward(directory: Path, voice: Voice, vendor) -> Iterator[Ward]:
    """Web and engine as processes of their own, without `serve`: nobody waits before starting what was killed."""
    stage = Stage(directory, vendor_keys(vendor), publish_seconds=PUBLISH_SECONDS)
    env = stage.environment()
    web = Server(("web",), env, directory / "web.log", directory)
    engine = Server(("engine", "--publish-seconds", str(PUBLISH_SECONDS)), env, directory / "engine.log", directory)
    stage.server = engine
    web.start()
    try:
        engine.start()
        stage.server.wait_ready(stage.url)
        people(stage)
        yield Ward(stage, voice, web, engine)
    finally:
        engine.kill()
        web.kill()
        stage.hub.stop()


def ours(world: World) -> Counter[str]:
    """What the App wrote to the repository, by the playground's own count."""
    return Counter(f"{it.kind}" for it in writes(world))


def writes(world: World) -> list[Write]:
    return [it for it in list(world.stage.hub.state.writes) if it.repo == world.repo and it.actor.endswith("[bot]")]
