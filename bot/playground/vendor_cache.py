"""Tokens and prompt caches of the scripted vendor: real prefix matching, so that a broken prefix shows in the usage."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

CHARS_PER_TOKEN = 4
MIN_CACHED = 512
"""A shorter prefix is not cached."""
LOOKBACK = 20
"""How many blocks before a breakpoint an earlier entry is looked for."""


def tokens(text: str) -> int:
    """A round measure of length, good enough for sums that have to add up."""
    return -(-len(text) // CHARS_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt's tokens by how they were billed; `fresh` ones were neither read from nor written to the cache."""

    fresh: int
    read: int
    written: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.fresh + self.read + self.written


class PrefixCache:
    """Remembers prefixes of earlier requests by hash, per namespace (a model, or a model and a cache key)."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def measure(self, namespace: str, blocks: Sequence[object], breakpoints: Sequence[int]) -> Prompt:
        """Bill one prompt, a list of blocks, and remember its prefixes that end at `breakpoints` (indices of their last blocks)."""
        texts = [json.dumps(block, sort_keys=True, ensure_ascii=False) for block in blocks]
        ends: list[tuple[int, str]] = []
        total, digest = 0, hashlib.sha256(namespace.encode())
        for text in texts:
            total += tokens(text)
            digest.update(text.encode() + b"\0")
            ends.append((total, digest.hexdigest()))
        read = self._longest(ends, breakpoints)
        marked = [ends[index] for index in breakpoints if ends[index][0] >= MIN_CACHED]
        self._known |= {name for _, name in marked}
        last = max((size for size, _ in marked), default=0)
        written = max(0, last - read)
        return Prompt(fresh=total - read - written, read=read, written=written)

    def _longest(self, ends: list[tuple[int, str]], breakpoints: Sequence[int]) -> int:
        for index in sorted(breakpoints, reverse=True):
            for size, name in reversed(ends[max(0, index - LOOKBACK) : index + 1]):
                if name in self._known:
                    return size
        return 0
