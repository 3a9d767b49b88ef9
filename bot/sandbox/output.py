"""A command's output, bounded: the head and the tail are kept, everything is counted and hashed."""

import hashlib


class Clip:
    """Collects bytes; keeps at most `limit` of them, half from the start and half from the end."""

    __slots__ = ("_digest", "_head", "_head_limit", "_tail", "_tail_limit", "total")

    def __init__(self, limit: int) -> None:
        self._head_limit = limit - limit // 2
        self._tail_limit = limit // 2
        self._head = bytearray()
        self._tail = bytearray()
        self._digest = hashlib.sha256()
        self.total = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self.total += len(data)
        self._digest.update(data)
        room = self._head_limit - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        if data:
            self._tail += data
            # Trimmed only when twice too long: a shift per chunk would make `yes` cost us more than the command.
            if len(self._tail) > 2 * self._tail_limit:
                del self._tail[: len(self._tail) - self._tail_limit]

    def kept(self) -> bytes:
        """Head and tail, with one line between them where bytes were left out."""
        cut = max(0, len(self._tail) - self._tail_limit)
        tail = bytes(self._tail[cut:])
        if not self.clipped:
            return bytes(self._head) + tail
        return bytes(self._head) + f"\n[… {self.clipped} bytes left out …]\n".encode() + tail

    @property
    def clipped(self) -> int:
        """How many bytes of the middle are not in `kept()`."""
        return max(0, self.total - self._head_limit - self._tail_limit)

    @property
    def sha256(self) -> str:
        """Hex digest over every byte, kept or not."""
        return self._digest.hexdigest()
