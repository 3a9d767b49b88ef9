"""Where things lie under the engine's home, and which names may come near a command line."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from bot.ports import Permanent

_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REPO = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}/[A-Za-z0-9._-]{1,100}")
_REF_PART = r"[^\x00-\x20\x7f~^:?*\[\\/.@-][^\x00-\x20\x7f~^:?*\[\\/]*"
_REF = re.compile(rf"refs/(?:heads|tags|pull)(?:/{_REF_PART})+")
_AGENT_BRANCH = re.compile(r"agent(?:/[A-Za-z0-9][A-Za-z0-9._-]*)+")


def oid(text: str) -> str:
    """The text, if it is a full object id. Raises Permanent: anything shorter could name something else tomorrow."""
    if not _OID.fullmatch(text):
        raise Permanent(f"not a full object id: {text[:80]!r}")
    return text


def ref(text: str) -> str:
    """The text, if it is a full ref name under heads, tags or pull. Raises Permanent."""
    if not _REF.fullmatch(text) or _bad_parts(text) or "@{" in text or len(text) > 300:
        raise Permanent(f"not a ref that may be fetched: {text[:80]!r}")
    return text


def agent_branch(text: str) -> str:
    """The full ref of a branch that we may push to: `agent/…` only. Raises Permanent for everything else."""
    if not _AGENT_BRANCH.fullmatch(text) or _bad_parts(text) or len(text) > 200:
        raise Permanent(f"only branches under agent/ may be pushed, not {text[:80]!r}")
    return f"refs/heads/{text}"


def _bad_parts(text: str) -> bool:
    return ".." in text or any(part.endswith((".lock", ".")) for part in text.split("/"))


@dataclass(frozen=True, slots=True)
class Layout:
    """The engine's directories. A repository's name is folded, as GitHub takes `Acme/Shop` and `acme/shop` for one."""

    home: Path

    @property
    def empty(self) -> Path:
        return self.home / "empty"

    @property
    def quarantine(self) -> Path:
        return self.home / "quarantine"

    def mirror(self, repo: str) -> Path:
        return self.home / "mirrors" / (folded(repo) + ".git")

    def bases(self, repo: str) -> Path:
        return self.home / "bases" / folded(repo)

    def checkouts(self, repo: str) -> Path:
        return self.home / "checkouts" / folded(repo)

    def checkout(self, repo: str, key: str) -> Path:
        return self.checkouts(repo) / hashlib.sha256(key.encode()).hexdigest()[:20]

    def checkout_lock(self, repo: str, key: str) -> Path:
        """One of 64 lock files, so that keys without number leave none behind."""
        return self.place_lock(self.checkout(repo, key))

    def place_lock(self, place: Path) -> Path:
        return self.home / "locks" / f"checkout-{int(place.name[:8], 16) % 64:02}.lock"

    def lock(self, repo: str) -> Path:
        return self.home / "locks" / (folded(repo).replace("/", "+") + ".lock")


def folded(repo: str) -> str:
    """`owner/name` in lower case. Raises Permanent for what is no such name."""
    if not _REPO.fullmatch(repo) or repo.split("/")[1] in (".", ".."):
        raise Permanent(f"not a repository name: {repo[:80]!r}")
    return repo.lower()
