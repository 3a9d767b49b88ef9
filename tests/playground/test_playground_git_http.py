"""Real git clients over HTTP on loopback."""

import gzip
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from bot.playground.git_http import git_app, token_of
from bot.playground.objects import ZERO, GitRepository, clean_environment
from bot.playground.push_desk import install_hooks

ANN = ("Ann", "ann@example.test", "2026-11-24T09:00:00Z")
PROTECTED = "GH006: Protected branch update failed for refs/heads/main.\nChanges must be made through a pull request."


@dataclass
class Host:
    """A host with one repository, whose main is protected; tokens `reader`, `writer`, `admin`."""

    repo: GitRepository
    url: str = ""
    landed: list[tuple[str, ...]] = field(default_factory=list)
    seen: list[tuple[str, str, str | None, str]] = field(default_factory=list)

    meanwhile: Callable[[], None] = lambda: None

    def path(self, owner: str, name: str) -> Path | None:
        return self.repo.path if (owner, name) == ("acme", "shop") else None

    def judge(self, repo: str, token: str, ref: str, old: str, new: str, environment: Mapping[str, str]) -> str | None:
        subject = "" if new == ZERO else self.repo.text("log", "-1", "--format=%s", new, environment=environment)
        self.seen.append((ref, old, self.repo.tip(ref), subject))
        self.meanwhile()
        return PROTECTED if ref == "refs/heads/main" and token != "admin" else None

    def pushed(self, repo: str, ref: str, old: str, new: str, token: str) -> None:
        self.landed.append((repo, ref, old, new, token))

    def remote(self, token: str) -> str:
        return self.url.replace("://", f"://x-access-token:{token}@") + "/acme/shop.git"


@pytest.fixture(params=["asyncio", "uvloop"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    repo = GitRepository(tmp_path / "shop.git")
    repo.init("main")
    tree = repo.write_tree({"README.md": ("100644", repo.write_blob(b"# Shop\n"))})
    repo.set_ref(
        "refs/heads/main", repo.commit_tree(tree, parents=[], message="Start", author=ANN, committer=ANN), ZERO
    )
    host = Host(repo)
    app = git_app(
        host.path,
        lambda repo, token: token in ("reader", "writer", "admin"),
        authorize_push=host.judge,
        pushed=host.pushed,
        authenticate=lambda token: token in ("reader", "writer", "admin", "stranger"),
        authorize_write=lambda repo, token: token in ("writer", "admin"),
        body_limit=8_000_000,
    )
    config = uvicorn.Config(
        Starlette(routes=[Mount("/git", app)]), port=0, log_level="warning", loop=request.param, lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    host.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/git"
    yield host
    server.should_exit = True
    thread.join()


def git(*argv: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    names = {f"GIT_{role}_{part}": "ann" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    env = {**clean_environment(), **names, "NO_PROXY": "127.0.0.1"}
    return subprocess.run(["git", *argv], cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=60)


def clone(host: Host, tmp_path: Path, token: str = "writer") -> Path:
    work = tmp_path / "work"
    done = git("clone", "--quiet", host.remote(token), str(work))
    assert done.returncode == 0, done.stderr
    return work


def commit(work: Path, path: str, content: str | bytes = "x\n") -> str:
    (work / path).parent.mkdir(parents=True, exist_ok=True)
    (work / path).write_bytes(content.encode() if isinstance(content, str) else content)
    git("add", "--all", cwd=work)
    git("commit", "--quiet", "--message", f"Change {path}", cwd=work)
    return git("rev-parse", "HEAD", cwd=work).stdout.strip()


def test_a_reader_clones_by_protocol_version_2(host: Host, tmp_path: Path):
    work = clone(host, tmp_path, "reader")
    assert (work / "README.md").read_text() == "# Shop\n"
    answer = httpx.get(
        f"{host.url}/acme/shop/info/refs?service=git-upload-pack",
        headers={"git-protocol": "version=2"},
        auth=("x-access-token", "reader"),
    )
    assert b"version 2" in answer.content


def test_a_push_lands_and_is_told(host: Host, tmp_path: Path):
    work = clone(host, tmp_path)
    sha = commit(work, "a.txt")
    done = git("push", "origin", "HEAD:refs/heads/agent/1-a", cwd=work)
    assert done.returncode == 0, done.stderr
    assert host.repo.resolve("agent/1-a") == sha
    assert host.landed == [("acme/shop", "refs/heads/agent/1-a", ZERO, sha, "writer")]


def test_a_push_is_judged_by_what_it_holds_before_it_lands(host: Host, tmp_path: Path):
    work = clone(host, tmp_path)
    commit(work, "a.txt")
    git("push", "origin", "HEAD:refs/heads/agent/1-a", cwd=work)
    assert host.seen == [("refs/heads/agent/1-a", ZERO, None, "Change a.txt")]


def test_a_protected_branch_refuses_in_githubs_words(host: Host, tmp_path: Path):
    before = host.repo.resolve("main")
    work = clone(host, tmp_path)
    commit(work, "a.txt")
    done = git("push", "origin", "HEAD:refs/heads/main", cwd=work)
    assert done.returncode != 0
    remote = [line.rstrip() for line in done.stderr.splitlines() if line.startswith("remote:")]
    assert remote == [
        "remote: error: GH006: Protected branch update failed for refs/heads/main.",
        "remote: error: Changes must be made through a pull request.",
    ]
    assert (host.repo.resolve("main"), host.landed) == (before, [])


def test_who_may_push_to_a_protected_branch_does(host: Host, tmp_path: Path):
    work = clone(host, tmp_path, "admin")
    sha = commit(work, "a.txt")
    git("push", "--quiet", "origin", "HEAD:refs/heads/main", cwd=work)
    assert host.repo.resolve("main") == sha


def test_a_branch_is_deleted_by_a_push(host: Host, tmp_path: Path):
    work = clone(host, tmp_path)
    sha = commit(work, "a.txt")
    git("push", "origin", "HEAD:refs/heads/agent/1-a", cwd=work)
    done = git("push", "origin", ":refs/heads/agent/1-a", cwd=work)
    assert done.returncode == 0, done.stderr
    assert host.landed[-1] == ("acme/shop", "refs/heads/agent/1-a", sha, ZERO, "writer")


def test_the_refs_of_pull_requests_are_githubs_own(host: Host, tmp_path: Path):
    work = clone(host, tmp_path)
    commit(work, "a.txt")
    done = git("push", "origin", "HEAD:refs/pull/1/head", cwd=work)
    assert "deny updating a hidden ref" in done.stderr


def test_a_lease_that_is_stale_lands_nothing(host: Host, tmp_path: Path):
    work = clone(host, tmp_path)
    commit(work, "a.txt")
    lease = f"--force-with-lease=refs/heads/agent/1-a:{'1' * 40}"
    done = git("push", lease, "origin", "HEAD:refs/heads/agent/1-a", cwd=work)
    assert done.returncode != 0
    assert host.landed == []


def test_a_large_push_streams_through(host: Host, tmp_path: Path):
    work = clone(host, tmp_path)
    sha = commit(work, "big.bin", bytes(range(256)) * 4096 + os.urandom(3_000_000))
    done = git("push", "origin", "HEAD:refs/heads/agent/1-a", cwd=work)
    assert done.returncode == 0, done.stderr
    assert host.repo.resolve("agent/1-a") == sha


def test_a_push_over_the_limit_lands_nothing(host: Host, tmp_path: Path):
    work = clone(host, tmp_path)
    commit(work, "big.bin", os.urandom(9_000_000))
    done = git("push", "origin", "HEAD:refs/heads/agent/1-a", cwd=work)
    assert done.returncode != 0
    assert host.repo.resolve("agent/1-a") is None


def test_a_gzipped_request_is_understood(host: Host):
    body = b"0014command=ls-refs\n00010000"
    answer = httpx.post(
        f"{host.url}/acme/shop.git/git-upload-pack",
        content=gzip.compress(body),
        headers={
            "content-type": "application/x-git-upload-pack-request",
            "content-encoding": "gzip",
            "git-protocol": "version=2",
        },
        auth=("x-access-token", "reader"),
    )
    assert b"refs/heads/main" in answer.content


@pytest.mark.parametrize(
    ("repo", "service", "token", "status"),
    [
        ("acme/shop", "git-upload-pack", "", 401),
        ("acme/shop", "git-upload-pack", "wrong", 401),
        ("acme/shop", "git-upload-pack", "stranger", 403),
        ("acme/shop", "git-receive-pack", "reader", 403),
        ("acme/shop", "git-receive-pack", "writer", 200),
        ("acme/nothing", "git-upload-pack", "writer", 404),
        ("acme/shop", "git-upload-archive", "writer", 404),
        ("acme/shop", "", "writer", 404),
    ],
)
def test_doors(host: Host, repo: str, service: str, token: str, status: int):
    auth = ("x-access-token", token) if token else None
    answer = httpx.get(f"{host.url}/{repo}.git/info/refs", params={"service": service}, auth=auth)
    assert answer.status_code == status
    assert ("www-authenticate" in answer.headers) is (status == 401)


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("", ""),
        ("Basic eDp0b2s=", "tok"),
        ("basic eDp0b2s=", "tok"),
        ("Basic !!", None),
        ("Bearer tok", None),
        ("Basic /w==", None),
    ],
)
def test_credentials(header: str, token: str | None):
    assert token_of(header) == token


def test_a_push_whose_client_dies_while_it_is_judged_lands_and_is_told(host: Host, tmp_path: Path):
    work = clone(host, tmp_path)
    sha = commit(work, "a.txt")
    client = subprocess.Popen(
        ["git", "push", "--quiet", "origin", "HEAD:refs/heads/agent/1-a"],
        cwd=work,
        env=clean_environment(),
        start_new_session=True,
    )
    host.meanwhile = lambda: os.killpg(client.pid, signal.SIGKILL)
    assert client.wait(timeout=20) != 0
    deadline = time.monotonic() + 10
    while not host.landed and time.monotonic() < deadline:
        time.sleep(0.02)
    assert host.landed == [("acme/shop", "refs/heads/agent/1-a", ZERO, sha, "writer")]


def test_a_judge_that_fails_refuses_the_push(host: Host, tmp_path: Path):
    work = clone(host, tmp_path)
    commit(work, "a.txt")

    def fail() -> None:
        raise RuntimeError("the judge fell ill")

    host.meanwhile = fail
    done = git("push", "origin", "HEAD:refs/heads/agent/1-a", cwd=work)
    assert "remote: error: this push could not be judged" in done.stderr
    assert host.repo.resolve("agent/1-a") is None


def test_hooks_of_somebody_else_are_replaced(host: Host):
    (host.repo.path / "hooks" / "pre-receive").write_text("#!/bin/sh\nexit 0\n")
    install_hooks(host.repo.path)
    assert "PLAYGROUND_ASK" in (host.repo.path / "hooks" / "pre-receive").read_text()


def test_a_push_past_the_server_is_refused_by_the_hook(host: Host, tmp_path: Path):
    work = clone(host, tmp_path)
    commit(work, "a.txt")
    git("push", "origin", "HEAD:refs/heads/agent/1-a", cwd=work)
    done = git("push", str(host.repo.path), "HEAD:refs/heads/agent/2-b", cwd=work)
    assert "takes pushes over HTTP only" in done.stderr
    assert host.repo.resolve("agent/2-b") is None
