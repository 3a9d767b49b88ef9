"""`journeyman serve`: one web process and one engine on one machine; what dies is started again."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

CONFIG_PROBLEM = 78
"""Exit code (EX_CONFIG) of a program that can't start as configured: starting it again would not help."""
ORPHANED = 70
"""Exit code of a child whose supervisor is gone."""
FIRST_WAIT, LONGEST_WAIT, STEADY = 0.5, 30.0, 30.0


@dataclass(slots=True)
class Program:
    """One supervised process. `argv` are the words after `journeyman`."""

    name: str
    argv: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    wait: float = FIRST_WAIT
    due: float = 0.0
    given_up: bool = field(default=False)


def command(argv: Sequence[str]) -> list[str]:
    """How we start ourselves: by this interpreter, with the working directory off the module path (it may be a hostile repo)."""
    return [sys.executable, "-P", "-m", "bot.cli", *argv]


def supervise(programs: Sequence[Program], *, say: Callable[[str], None], drain_seconds: float = 25.0) -> int:
    """Until SIGTERM or SIGINT. Returns 0."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    while not stop.is_set():
        for program in programs:
            _look(program, say)
        stop.wait(0.1)
    for program in programs:
        if program.process is not None and program.process.poll() is None:
            program.process.send_signal(signal.SIGTERM)
    end = time.monotonic() + drain_seconds
    for program in programs:
        if program.process is not None:
            _wait(program.process, end)
    return 0


def _look(program: Program, say: Callable[[str], None]) -> None:
    now = time.monotonic()
    if program.given_up:
        return
    if program.process is None:
        if now >= program.due:
            program.process = _start(program.argv)
            program.started = now
        return
    code = program.process.poll()
    if code is None:
        if now - program.started > STEADY:
            program.wait = FIRST_WAIT
        return
    program.process = None
    if code == CONFIG_PROBLEM:
        program.given_up = True
        say(f"{program.name} can't start as configured; mend that and start again")
        return
    say(f"{program.name} ended ({_how(code)}); it starts again in {program.wait:.1f} s")
    program.due, program.wait = now + program.wait, min(program.wait * 2, LONGEST_WAIT)


def _how(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _start(argv: Sequence[str]) -> subprocess.Popen[bytes]:
    # Our end of the pipe closes when we die, however we die: then the child ends too, and no orphan holds the lock.
    return subprocess.Popen(command(argv), stdin=subprocess.PIPE, env={**os.environ, "JOURNEYMAN_SUPERVISED": "1"})


def _wait(process: subprocess.Popen[bytes], end: float) -> None:
    try:
        process.wait(max(end - time.monotonic(), 0.1))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def end_with_supervisor() -> None:
    """In a supervised child: end at once when the supervisor was killed.

    It keeps the pipe open while it stops us, so its end means that nobody waits for us; draining would only keep the lock and the port
    from the next one.
    """
    if os.environ.get("JOURNEYMAN_SUPERVISED") != "1":
        return

    def watch() -> None:
        # Not `sys.stdin`: the interpreter can't end while a thread holds that object's lock, and aborts.
        while os.read(0, 1):
            pass
        os._exit(ORPHANED)

    threading.Thread(target=watch, daemon=True, name="supervisor").start()
