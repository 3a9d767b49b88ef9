"""Choose a sandbox by trying it: what a hostile command could reach is tried from inside, and any success lowers the level."""

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

from bot.ports import Checkout, PortError, SandboxRun, UserFacing
from bot.sandbox.bubblewrap import Bubblewrap
from bot.sandbox.command import drop_privileges
from bot.sandbox.plain import Plain

AnySandbox = Bubblewrap | Plain
_REFUSED = (
    "No sandbox holds here: {what}. Run on a machine where bubblewrap may use user namespaces, "
    "or set JOURNEYMAN_SANDBOX=none and say --i-accept-unsandboxed: a model's commands then run on this machine unprotected."
)
_OUTSIDE = ("/", "/etc", "/usr", "/usr/bin", "/dev", "/var/tmp", "/tmp")  # noqa: S108  names to be tried, never used


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing that was tried. `ok` means held (or, for `overlay`, that it works); `detail` says what was seen."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """A sandbox, and the table that it was chosen by."""

    sandbox: AnySandbox
    probes: tuple[Probe, ...]


async def choose(setting: str, home: Path, uid: int) -> Chosen:
    """`setting` is `auto`, `bubblewrap` or `none`; `home` is the engine's; only `none` gives L0.

    Raises UserFacing where the wanted level leaks or can't be had: the message names each probe that failed.
    """
    if setting not in ("auto", "bubblewrap", "none"):
        raise UserFacing(f"The sandbox setting is {setting!r}; it may be auto, bubblewrap or none.", verb="")
    if setting == "none":
        return Chosen(Plain(uid=uid), (Probe("sandbox", False, "switched off by the operator"),))
    rows = await probe(home, uid)
    if leaks := [f"{row.name}: {row.detail}" for row in rows if not row.ok and row.name != "overlay"]:
        raise UserFacing(_REFUSED.format(what="; ".join(leaks)), verb="")
    overlay = all(row.ok for row in rows if row.name == "overlay")
    return Chosen(await asyncio.to_thread(lambda: Bubblewrap(home, uid=uid, overlay=overlay)), rows)


async def probe(home: Path, uid: int) -> tuple[Probe, ...]:
    """Try everything in a bubblewrap like the one that commands will get, but for the interpreter that the attacks are written for."""
    try:
        prefixes = (Path(sys.base_prefix),)
        sandbox = await asyncio.to_thread(lambda: Bubblewrap(home, uid=uid, extra=prefixes))
    except (OSError, LookupError) as error:
        return (Probe("bubblewrap", False, str(error)),)
    try:
        with _bait(home, sandbox) as bait:
            return (await _overlay(bait), *await _attack(bait))
    except (PortError, OSError) as error:
        return (Probe("bubblewrap", False, str(error)),)
    finally:
        sandbox.close()


@dataclass(slots=True)
class _Bait:
    """What lies outside for the attacks to find."""

    sandbox: Bubblewrap
    folder: Path
    token: str
    checkout: Checkout
    person: Path
    """The home of whoever runs the engine."""
    listeners: dict[str, socket.socket] = field(default_factory=dict)


async def _overlay(bait: _Bait) -> Probe:
    checkout = bait.checkout
    script = "cat seed && echo changed > seed && echo new > made"
    try:
        ended = await bait.sandbox.run(SandboxRun(checkout, ("sh", "-c", script), timeout=20))
    except PortError as error:
        return Probe("overlay", False, str(error))
    held = (checkout.base / "seed").read_text() == "base" and (checkout.upper / "made").is_file()
    works = ended.exit_code == 0 and held
    return Probe("overlay", works, "works" if works else ended.output.decode(errors="replace").strip()[-200:])


async def _attack(bait: _Bait) -> list[Probe]:
    """Run the attacks on a plain copy, so that they are judged where overlays don't work too."""
    copy = bait.folder / "copy"
    checkout = Checkout("attack", "", "", copy, copy, copy, bait.checkout.home, bait.checkout.objects, copy=copy)
    tools = bait.sandbox.toolchains.roots
    given = {
        "token": bait.token,
        "folder": str(bait.folder),
        "canary": str(bait.folder / "canary"),
        "home": str(bait.person),
        "roots": [str(root) for root in (*tools, checkout.objects)],
        "outside": [*_OUTSIDE, str(bait.folder), str(bait.person)],
        "tcp": bait.listeners["tcp"].getsockname()[1],
        "udp": bait.listeners["udp"].getsockname()[1],
        "abstract": bait.token,
    }
    source = Path(__file__).with_name("attacks.py").read_bytes()
    python = os.path.join(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    argv = (python, "-I", "-S", "-", json.dumps(given))
    ended = await bait.sandbox.run(SandboxRun(checkout, argv, stdin=source, timeout=30))
    lines = [line for line in ended.output.decode(errors="replace").splitlines() if line.startswith("[")]
    rows = [Probe(name, not reached, detail) for name, reached, detail in map(json.loads, lines)]
    if ended.exit_code != 0 or not rows:
        return [Probe("attacks", False, f"did not run to their end: {ended.output.decode(errors='replace')[-300:]}")]
    return [_judged(row, bait) for row in rows]


def _judged(row: Probe, bait: _Bait) -> Probe:
    """Some of it can only be seen from outside: whether a message arrived, whether a file is really there."""
    outside = (*_OUTSIDE, bait.folder, bait.person)
    match row.name:
        case "udp" | "tcp" | "tcp_fast_open" | "mptcp" if _arrived(
            bait.listeners["udp" if row.name == "udp" else "tcp"]
        ):
            return Probe(row.name, False, "it arrived outside")
        case "write_outside" if not row.ok and not any(Path(folder, bait.token).exists() for folder in outside):
            return Probe(row.name, True, "wrote in file systems of its own only")
        case _:
            return row


def _arrived(listener: socket.socket) -> bool:
    try:
        if listener.type == socket.SOCK_DGRAM:
            listener.recv(64)
        else:
            listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _bait(home: Path, sandbox: Bubblewrap) -> Generator[_Bait]:
    """Lay out the bait below the engine's home, and take it away again."""
    token = f"probe-{secrets.token_hex(8)}"
    folder = home / token
    with contextlib.ExitStack() as stack:
        stack.callback(_remove, folder)
        places = {name: folder / name for name in ("base", "upper", "scratch", "home", "objects", "copy")}
        for place in places.values():
            place.mkdir(parents=True)
            os.chown(place, *sandbox.owner())
        folder.chmod(0o755)
        seed = places["base"] / "seed"
        seed.write_text("base")
        os.chown(seed, *sandbox.owner())
        (folder / "canary").write_text(token)
        del places["copy"]
        checkout = Checkout(key="probe", repo="", sha="", **places)
        bait = _Bait(sandbox, folder, token, checkout, Path.home(), _listeners(stack, folder, token))
        # A process of the worker's own uid, as the command of another run would be.
        argv = [*drop_privileges(sandbox.owner()[0]), "sleep", "60"]
        sibling = subprocess.Popen(argv, env={"PATH": os.defpath, "SECRET": token}, cwd="/")
        stack.callback(sibling.wait)
        stack.callback(sibling.kill)
        yield bait


def _listeners(stack: contextlib.ExitStack, folder: Path, token: str) -> dict[str, socket.socket]:
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)  # the whole path may be longer than an address may be
    stack.callback(os.close, here)
    made = {
        "tcp": (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
        "udp": (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
        "unix": (socket.AF_UNIX, socket.SOCK_STREAM, f"/proc/self/fd/{here}/socket"),
        "abstract": (socket.AF_UNIX, socket.SOCK_STREAM, "\0" + token),
    }
    out: dict[str, socket.socket] = {}
    for name, (family, kind, address) in made.items():
        out[name] = sock = stack.enter_context(socket.socket(family, kind))
        sock.bind(address)
        sock.setblocking(False)
        if kind == socket.SOCK_STREAM:
            sock.listen()
    os.chmod(folder / "socket", 0o666)  # noqa: S103  it is bait: only the sandbox may hold it back
    return out


def _remove(folder: Path) -> None:
    work = folder / "scratch" / "work"
    if work.is_dir():
        work.chmod(0o700)  # overlayfs leaves it with no permissions at all
    shutil.rmtree(folder, ignore_errors=True)
