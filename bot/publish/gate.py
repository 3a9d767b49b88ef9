"""The one gate before anything is published: comments, pull requests, commit messages, branch names, check text, patches, blobs.

Two nets: our own scan for every secret we hold and the shapes we know, and Kingfisher's rules. A hit blocks; nothing is masked and
sent, since what stands around a secret may be part of it.
"""

import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.core.redact import Held, Secret, scan
from bot.core.text.problems import publication_blocked
from bot.ports import UserFacing

Scan = Callable[[bytes], tuple[str, ...]]
"""Names of the rules that hit."""

_ADDED = re.compile(r"^\+(?!\+\+ )(.*)$", re.MULTILINE)
_TARGET = re.compile(r"^\+\+\+ (.*)$", re.MULTILINE)
_BRANCH = re.compile(r"agent/[0-9]+-[a-z0-9]+(?:-[a-z0-9]+)*(?:--(?:t[0-9]+|evidence))?")


@dataclass(frozen=True, slots=True)
class Block:
    """What was blocked: which text of which run, by which rules; never the value."""

    what: str
    run_id: str
    rules: tuple[str, ...]


def _way_out(what: str) -> str:
    """What helps is whatever makes the text afresh: to publish the same one again would be blocked again."""
    if what == "branch name":  # made from the title, which a run reads once
        return ""
    return "/agent retry from=work" if what == "change" or what.startswith("file ") else "/agent refine <text>"


class Blocked(UserFacing):
    """Something may not be published: `message` says what and why, `rules` names the rules that hit."""

    def __init__(self, block: Block) -> None:
        super().__init__(publication_blocked(block.what, block.rules), verb=_way_out(block.what))
        self.rules = block.rules


class Kingfisher:
    """Kingfisher's rules, loaded at the first use: that takes 0.2-4 s and is not for the event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scanner: object | None = None

    def __call__(self, data: bytes) -> tuple[str, ...]:
        """Rules of visible findings with more than low confidence."""
        from kingfisher_sdk import Scanner

        with self._lock:
            if not isinstance(self._scanner, Scanner):
                self._scanner = Scanner()
            findings = self._scanner.scan(data)
        return tuple(dict.fromkeys(each.rule_id for each in findings if each.visible and each.confidence != "low"))


class Gate:
    """`secrets` gives what we hold at this moment; `record` gets every block, for the audit. Blocking: call it off the event loop."""

    def __init__(
        self,
        secrets: Callable[[], Iterable[Secret]],
        *,
        record: Callable[[Block], None],
        scanner: Scan | None = None,
    ) -> None:
        self._secrets = secrets
        self._record = record
        self._scanner = scanner or Kingfisher()

    def check(self, text: str, *, what: str, run_id: str = "") -> str:
        """The text itself, where nothing is in it; `what` names it in the sentence (`status comment`). Raises Blocked."""
        self._judge(text, text.encode(errors="replace"), what=what, run_id=run_id)
        return text

    def check_branch(self, name: str, *, run_id: str = "") -> str:
        """A branch name: of ours by its shape, and without a secret. Raises Blocked."""
        if not _BRANCH.fullmatch(name):
            self._block(Block("branch name", run_id, ("not a branch of ours",)))
        return self.check(name, what="branch name", run_id=run_id)

    def check_patch(self, patch: str, *, run_id: str = "") -> None:
        """A unified diff: what it adds and the paths it touches. Raises Blocked."""
        added = "\n".join([*_TARGET.findall(patch), *_ADDED.findall(patch)])
        self._judge(added, added.encode(errors="replace"), what="change", run_id=run_id)

    def check_blob(self, path: str, data: bytes, *, run_id: str = "") -> None:
        """A file as it would be pushed; the sentence names its path. Raises Blocked."""
        self._judge(f"{path}\n{data.decode('latin-1')}", data, what=f"file {path}", run_id=run_id)

    def _judge(self, text: str, data: bytes, *, what: str, run_id: str) -> None:
        rules = [hit.rule for hit in scan(text, Held(self._secrets()))]
        rules += self._scanner(data)
        if rules:
            self._block(Block(what, run_id, tuple(dict.fromkeys(rules))))

    def _block(self, block: Block) -> None:
        self._record(block)
        raise Blocked(block)
