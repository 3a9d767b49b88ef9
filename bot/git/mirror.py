"""A bare mirror per repository: the engine's own object store, filled by explicit refspecs and never collected."""

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from bot.git.failures import told_of_remote
from bot.git.names import Layout, oid, ref
from bot.git.run import GitFailed, Runner
from bot.ports import UserFacing

# Old, harmless flaws of real histories. Everything else that fsck calls an error keeps a repository out.
FORGIVEN = (
    *(
        "zeroPaddedFilemode",
        "missingSpaceBeforeDate",
        "missingSpaceBeforeEmail",
        "missingNameBeforeEmail",
        "badTimezone",
    ),
    *("badDateOverflow", "badDate", "missingEmail", "badName", "badEmail", "zeroPaddedDate", "missingTaggerEntry"),
)
FETCH_TIMEOUT = 1800.0


def ensure(git: Runner, at: Layout, repo: str) -> Path:
    """The mirror's git directory, made when it is missing; call it under the repository's lock."""
    mirror = at.mirror(repo)
    if not (mirror / "HEAD").exists():
        fresh = mirror.with_name(mirror.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        mirror.parent.mkdir(parents=True, exist_ok=True)
        mirror.parent.chmod(
            0o755
        )  # a worker reads these objects, whatever our umask; the directory above decides who else
        git(fresh, "init", "--quiet", "--bare", "--template=", "--initial-branch=unborn", env={"GIT_DIR": str(fresh)})
        os.rename(fresh, mirror)
    return mirror


def fetch(git: Runner, at: Layout, repo: str, *, refs: Sequence[str], token: str, lock: int) -> dict[str, str]:
    """Bring refs into the mirror, incrementally; ref -> commit. `lock` is the fd of the repository's lock."""
    wanted = [ref(name) for name in dict.fromkeys(refs)]
    mirror = ensure(git, at, repo)
    _clear_stale(mirror)
    forgiven = [part for name in FORGIVEN for part in ("-c", f"fetch.fsck.{name}=ignore")]
    flags = ("--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance", "--quiet")
    try:
        git(
            mirror,
            *(*forgiven, "-c", "fetch.fsckObjects=true", "fetch", *flags, url(git, repo)),
            *(f"+{name}:{kept(name)}" for name in wanted),
            token=token,
            timeout=FETCH_TIMEOUT,
            keep=(lock,),
        )
    except GitFailed as failure:
        if "find remote ref" in failure.error:
            raise _missing(git, mirror, repo, wanted=wanted, token=token) from failure
        raise told_of_remote(failure, repo, write=False) from failure
    return {name: resolve(git, mirror, kept(name)) for name in wanted}


def kept(name: str) -> str:
    """Where a remote ref is kept in the mirror. Hashed: `a` and `a/b`, or `A` and `a`, may both have been fetched over the years."""
    return f"refs/fetched/{hashlib.sha256(name.encode()).hexdigest()[:40]}"


def resolve(git: Runner, mirror: Path, name: str) -> str:
    """The commit that a ref or object id of the mirror stands for. Raises GitFailed."""
    return oid(
        git(mirror, "rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}").out.decode().strip()
    )


def remote_refs(git: Runner, mirror: Path, repo: str, *, patterns: Sequence[str], token: str) -> dict[str, str]:
    """What the remote has now, by full ref name."""
    try:
        listed = git(mirror, "ls-remote", "--refs", url(git, repo), *patterns, token=token, timeout=120.0).out
    except GitFailed as failure:
        raise told_of_remote(failure, repo, write=False) from failure
    rows = (line.split("\t", 1) for line in listed.decode(errors="replace").splitlines() if "\t" in line)
    return {name: oid(value) for value, name in rows}


def url(git: Runner, repo: str) -> str:
    """The one place where a remote's address is built."""
    return f"{git.base_url}/{repo}.git"


def _missing(git: Runner, mirror: Path, repo: str, *, wanted: Sequence[str], token: str) -> UserFacing:
    there = remote_refs(git, mirror, repo, patterns=(), token=token)
    if not any(name.startswith("refs/heads/") for name in there):
        return UserFacing(f"{repo} is empty: push a first commit to its default branch, then say `/agent resume`.")
    name = next((name for name in wanted if name not in there), wanted[0])
    kind, short = ("branch", name[11:]) if name.startswith("refs/heads/") else ("ref", name)
    return UserFacing(
        f"{repo} has no {kind} `{short}` any more: bring it back and say `/agent resume`, or say `/agent stop` and put the label on again."
    )


def _clear_stale(mirror: Path) -> None:
    """Lock files and half-written packs of a killed fetch: under our lock nobody is writing here."""
    for stale in (*mirror.glob("*.lock"), *mirror.glob("refs/fetched/*.lock"), *mirror.glob("objects/pack/tmp_*")):
        stale.unlink(missing_ok=True)
    for incoming in mirror.glob("objects/*_objdir-*"):
        shutil.rmtree(incoming, ignore_errors=True)
