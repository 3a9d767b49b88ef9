"""The read-only system that a sandbox sees: the machine's /usr, and an /etc made for it."""

import os
import shutil
from pathlib import Path

from bot.sandbox.toolchains import SYSTEM

_ETC = (
    "alternatives", "ca-certificates", "crypto-policies", "fonts", "java", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime",
    "mime.types", "pki", "protocols", "python3", "services", "shells", "ssl", "timezone",
)  # fmt: skip
"""What programs read there and nobody keeps a secret in; private keys in `ssl` and `pki` are left out."""


def system_binds() -> list[str]:
    """Bubblewrap's arguments for /usr and its companions, links kept as links."""
    args: list[str] = []
    for name in SYSTEM:
        path = Path(name)
        if path.is_symlink():
            args += ["--symlink", os.readlink(path), name]
        elif path.is_dir():
            args += ["--ro-bind", name, name]
    return args


def make_etc(target: Path, *, uid: int, gid: int) -> None:
    """Build the sandbox's /etc at `target`, anew: one bind of a ready directory costs less a command than twenty binds."""
    fresh = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name in _ETC:
        copy(Path("/etc") / name, fresh / name)
    _write(fresh / "passwd", f"root:x:0:0:root:/root:/bin/sh\nworker:x:{uid}:{gid}:worker:/home/worker:/bin/sh\n")
    _write(fresh / "group", f"root:x:0:\nworker:x:{gid}:\n")
    _write(fresh / "hosts", "127.0.0.1 localhost sandbox\n::1 localhost sandbox\n")
    _write(fresh / "nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n")
    _write(fresh / "hostname", "sandbox\n")
    (fresh / "resolv.conf").touch(mode=0o644)
    fresh.chmod(0o755)
    old = target.with_name(f"{target.name}.{os.getpid()}.old")
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def copy(source: Path, target: Path) -> None:
    """Copy what may be shown; nothing where there is nothing."""
    if source.is_symlink():
        target.symlink_to(os.readlink(source))
    elif source.is_dir():
        shutil.copytree(source, target, symlinks=True, ignore=_unfit, dirs_exist_ok=True)
    elif source.is_file():
        shutil.copyfile(source, target)
        target.chmod(0o644)


def _unfit(folder: str, names: list[str]) -> set[str]:
    """Leave out private keys and everything that not everybody may read."""
    out = {name for name in names if name == "private"}
    for name in names:
        path = Path(folder, name)
        if not path.is_symlink() and not path.stat().st_mode & 0o004:
            out.add(name)
    return out


def _write(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(0o644)
