"""What git prints when it fails, told as one of the ports' errors. LANG=C keeps the wording stable."""

import re

from bot.git.run import GitFailed
from bot.ports import Cancelled, Permanent, PortError, Transient, UserFacing

_REFUSED = re.compile(
    r"Authentication failed|could not read (Username|Password)|returned error: 40[13]|Permission to .* denied"
)
_GONE = re.compile(r"returned error: 404|[Rr]epository .*not found")
_UNREACHABLE = re.compile(
    r"Could not resolve host|Failed to connect|Connection (refused|reset|timed out)|returned error: (429|5\d\d)|timed out"
    r"|RPC failed|early EOF|hung up|unexpected disconnect|Operation too slow|SSL|gnutls|Empty reply|expected flush",
)


def told(failure: GitFailed, doing: str) -> PortError:
    """A local command's failure: a stop, a full disk, a timeout, else a bug or a corrupt store."""
    if failure.why == "stopped":
        return Cancelled(f"{doing} was stopped")
    if failure.why == "timeout":
        return Transient(f"{doing} took too long and was ended")
    if "No space left on device" in failure.error or "Disk quota exceeded" in failure.error:
        return Transient(f"{doing} failed: the disk is full")
    return Permanent(f"{doing} failed: {failure}")


def told_of_remote(failure: GitFailed, repo: str, *, write: bool) -> PortError:
    """A fetch's or a push's failure, with a sentence that a person can act on."""
    text = failure.error
    if _GONE.search(text):
        return UserFacing(
            f"GitHub finds no repository {repo} for this App: check that it still exists and that the App is installed on it."
        )
    if _REFUSED.search(text):
        what = "write" if write else "read"
        return UserFacing(
            f"GitHub refused to let the App {what} {repo}: check that it is still installed there with the permissions it asks for."
        )
    if _UNREACHABLE.search(text) and not failure.why:
        return Transient(f"GitHub could not be reached for {repo}; this is tried again.")
    if not write and ("fsck" in text or "index-pack failed" in text or "unpack-objects failed" in text):
        return UserFacing(
            f"{repo} has objects in its history that git calls broken, so it was not fetched; `git fsck` in a clone names them."
        )
    return told(failure, f"{'pushing to' if write else 'fetching'} {repo}")
