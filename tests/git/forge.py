"""A forge on loopback: git's own http-backend behind a small HTTP server that asks for a token, and an engine in front of it."""

import base64
import hashlib
import os
import struct
import subprocess
import threading
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bot.core.policy import Policy
from bot.git.adapter import EngineGit

TOKEN = "ghs_1_example.token-0123456789"
IDENTITY = ("journeyman[bot]", "1+journeyman[bot]@users.noreply.example")
CLEAN = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_AUTHOR_DATE": "@1700000000 +0000",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_COMMITTER_DATE": "@1700000000 +0000",
}


def sh(
    *argv: str | Path, cwd: Path, stdin: bytes = b"", env: dict[str, str] | None = None, check: bool = True
) -> bytes:
    """Run a program as a person would, without this machine's git configuration."""
    done = subprocess.run(
        [str(a) for a in argv], cwd=cwd, input=stdin, env=CLEAN | (env or {}), capture_output=True, check=False
    )
    assert not check or done.returncode == 0, (argv, done.stderr.decode(errors="replace"))
    return done.stdout


def line(*argv: str | Path, cwd: Path, stdin: bytes = b"", env: dict[str, str] | None = None) -> str:
    return sh(*argv, cwd=cwd, stdin=stdin, env=env).decode().strip()


@dataclass
class Forge:
    """Repositories below `root`, served at `url`."""

    root: Path
    url: str = ""
    seen: list[tuple[str, str]] = field(default_factory=list)
    """(path with query, Authorization header) of every request."""
    redirect: str = ""
    """Where every request is sent on to."""
    spoil: Callable[[str, bytes], bytes | int | None] = lambda path, answer: None
    """Given a request's path and git's answer: other bytes, a status to answer instead, or None to leave it."""

    def repo(self, name: str) -> Path:
        return self.root / f"{name}.git"

    def create(self, name: str, files: dict[str, str | bytes] | None = None) -> str:
        """A repository with one commit on main (none without files); its SHA."""
        bare = self.repo(name)
        bare.mkdir(parents=True)
        sh("git", "init", "-q", "--bare", "-b", "main", cwd=bare)
        sh("git", "config", "http.receivepack", "true", cwd=bare)
        return self.commit(name, files) if files else ""

    def commit(
        self, name: str, files: dict[str, str | bytes | None], branch: str = "main", message: str = "Change"
    ) -> str:
        """A person's commit on a branch; None deletes a file."""
        bare = self.repo(name)
        env = {"GIT_INDEX_FILE": str(bare / "index.tmp")}
        known = sh("git", "rev-parse", "-q", "--verify", f"refs/heads/{branch}", cwd=bare, check=False).decode().strip()
        sh("git", "read-tree", *([known] if known else ["--empty"]), cwd=bare, env=env)
        for path, text in files.items():
            if text is None:
                gone = f"0 {'0' * 40}\t{path}\n".encode()
                sh("git", "update-index", "--index-info", cwd=bare, env=env, stdin=gone)
                continue
            data = text.encode() if isinstance(text, str) else text
            oid = line("git", "hash-object", "-w", "--stdin", cwd=bare, stdin=data)
            sh("git", "update-index", "--add", "--cacheinfo", f"100644,{oid},{path}", cwd=bare, env=env)
        tree = line("git", "write-tree", cwd=bare, env=env)
        sha = line("git", "commit-tree", tree, *(["-p", known] if known else []), "-m", message, cwd=bare)
        sh("git", "update-ref", f"refs/heads/{branch}", sha, cwd=bare)
        return sha

    def head(self, name: str, branch: str) -> str:
        return (
            sh("git", "rev-parse", "-q", "--verify", f"refs/heads/{branch}", cwd=self.repo(name), check=False)
            .decode()
            .strip()
        )


def _handler(forge: Forge) -> type[BaseHTTPRequestHandler]:
    wanted = "Basic " + base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            given = self.headers.get("Authorization", "")
            forge.seen.append((self.path, given))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) if self.command == "POST" else b""
            if self.headers.get("Transfer-Encoding") == "chunked":
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
            if forge.redirect:
                self.send_response(302)
                self.send_header("Location", forge.redirect + self.path)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if given != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="forge"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            env = CLEAN | {
                "GIT_PROJECT_ROOT": str(forge.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "REMOTE_USER": "app",
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "CONTENT_LENGTH": str(len(body)),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REMOTE_ADDR": "127.0.0.1",
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "safe.directory",
                "GIT_CONFIG_VALUE_0": "*",
            }
            done = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True, check=False)
            head, _, answer = done.stdout.partition(b"\r\n\r\n")
            spoiled = forge.spoil(self.path, answer)
            if isinstance(spoiled, int):
                self.send_error(spoiled)
                return
            headers = dict(row.split(": ", 1) for row in head.decode().split("\r\n"))
            self.send_response(int(headers.pop("Status", "200 OK").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(answer if spoiled is None else spoiled)

        do_POST = do_GET

    return Handler


@contextmanager
def serving(root: Path) -> Generator[Forge]:
    made = Forge(root)
    made.root.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(made))
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


POLICY = Policy()


def make_engine(home: Path, url: str, **given: object) -> EngineGit:
    options = {"owner": None, "supports_overlay": False, "identity": IDENTITY} | given
    return EngineGit(home=home, git_base=url, **options)  # ty: ignore


def oid_of(kind: str, data: bytes) -> str:
    return hashlib.sha1(f"{kind} {len(data)}\0".encode() + data).hexdigest()


def tree_of(*entries: tuple[str, str, str]) -> bytes:
    """A tree object's bytes from (mode, name, oid), with no opinion on what git would say to them."""
    return b"".join(f"{mode} {name}".encode() + b"\0" + bytes.fromhex(oid) for mode, name, oid in entries)


def pack_of(*made: tuple[str, bytes]) -> bytes:
    """A pack with these objects, written by hand: git itself refuses to make most of the hostile ones."""
    body = b"PACK" + struct.pack(">II", 2, len(made))
    for kind, data in made:
        size, first = len(data) >> 4, {"commit": 1, "tree": 2, "blob": 3}[kind] << 4 | len(data) & 15
        while size:
            body += bytes([first | 128])
            size, first = size >> 7, size & 127
        body += bytes([first]) + zlib.compress(data)
    return body + hashlib.sha1(body).digest()
