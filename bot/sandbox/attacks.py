"""Runs inside the sandbox, fed to an interpreter there: tries to reach what must be out of reach, and prints what happened as JSON.

Given by argv: one JSON object with the bait that lies outside. A row is [name, reached, detail]; an OSError means that it held. Whether a
message arrived is for the listener outside to say.
"""

import ctypes
import fcntl
import json
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

Bait = dict[str, Any]


def read_engine_home(bait: Bait) -> str:
    with open(bait["canary"]) as file:
        return f"read {file.read()!r}"


def read_home(bait: Bait) -> str:
    allowed = [root.split("/") for root in bait["roots"]]
    here = bait["home"].rstrip("/").split("/")
    seen = [
        name for name in os.listdir(bait["home"]) if not any(root[: len(here) + 1] == [*here, name] for root in allowed)
    ]
    if not seen:
        raise OSError("only toolchains there")
    return f"sees {', '.join(sorted(seen)[:3])}"


def write_outside(bait: Bait) -> str:
    wrote = []
    for folder in bait["outside"]:
        try:
            with open(os.path.join(folder, bait["token"]), "w") as file:
                file.write("x")
            wrote.append(folder)
        except OSError:
            continue
    if not wrote:
        raise OSError("nothing takes a file")
    return f"wrote in {', '.join(wrote)}"


def read_other_environ(bait: Bait) -> str:
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    if bait["token"].encode() in file.read():
                        return f"read the variables of process {name}"
            except OSError:
                continue
    raise OSError("no process but our own")


def core_pattern(_bait: Bait) -> str:
    os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY))
    return "opened for writing"


def new_user_namespace(_bait: Bait) -> str:
    return _libc("unshare", 0x10000000)


def ptrace(_bait: Bait) -> str:
    return _libc("ptrace", 16, 1, 0, 0)


def type_into_terminal(_bait: Bait) -> str:
    master, slave = os.openpty()
    try:
        fcntl.ioctl(slave, 0x5412, b"x")
        return "TIOCSTI was accepted"
    finally:
        os.close(master)
        os.close(slave)


def vsock(_bait: Bait) -> str:
    socket.socket(40, socket.SOCK_STREAM).close()
    return "a socket to the hypervisor can be made"


def privileges(_bait: Bait) -> str:
    with open("/proc/self/status") as file:
        status = {name: value.strip() for name, _, value in (line.partition(":") for line in file)}
    wrong = [f"{name} is {status.get(name)}" for name, want in _STATUS.items() if status.get(name) != want]
    if os.getuid() == 0:
        wrong.append("uid is 0")
    if not wrong:
        raise OSError("none")
    return ", ".join(wrong)


_STATUS = {"CapEff": "0" * 16, "CapPrm": "0" * 16, "CapBnd": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2"}


def tcp(bait: Bait) -> str:
    return _connect(socket.socket(), ("127.0.0.1", bait["tcp"]))


def mptcp(bait: Bait) -> str:
    return _connect(socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262), ("127.0.0.1", bait["tcp"]))


def tcp_fast_open(bait: Bait) -> str:
    with socket.socket() as sock:
        sock.settimeout(1)
        sock.sendto(bait["token"].encode(), 0x20000000, ("127.0.0.1", bait["tcp"]))
    return "sent"


def udp(bait: Bait) -> str:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.sendto(bait["token"].encode(), ("127.0.0.1", bait["udp"]))
    raise OSError("sent; the listener outside says whether it arrived")


def unix_socket(bait: Bait) -> str:
    before = os.getcwd()
    os.chdir(bait["folder"])  # the whole path may be longer than an address may be
    try:
        return _connect(socket.socket(socket.AF_UNIX), "socket")
    finally:
        os.chdir(before)


def abstract_socket(bait: Bait) -> str:
    return _connect(socket.socket(socket.AF_UNIX), "\0" + bait["abstract"])


def _connect(sock: socket.socket, address: Any) -> str:
    with sock:
        sock.settimeout(1)
        sock.connect(address)
    return "connected"


def _libc(function: str, *arguments: int) -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, function)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "the kernel let it"


ATTACKS: dict[str, Callable[[Bait], str]] = {
    "read_home": read_home,  # first: what the next one writes would be seen here
    "write_outside": write_outside,
    "read_engine_home": read_engine_home,
    "read_other_environ": read_other_environ,
    "tcp": tcp,
    "tcp_fast_open": tcp_fast_open,
    "mptcp": mptcp,
    "udp": udp,
    "unix_socket": unix_socket,
    "abstract_socket": abstract_socket,
    "vsock": vsock,
    "core_pattern": core_pattern,
    "ptrace": ptrace,
    "new_user_namespace": new_user_namespace,
    "type_into_terminal": type_into_terminal,
    "privileges": privileges,
}


def main() -> None:
    bait = json.loads(sys.argv[1])
    for name, attack in ATTACKS.items():
        try:
            row = [name, True, attack(bait)]
        except OSError as error:
            row = [name, False, error.strerror or str(error)]
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
