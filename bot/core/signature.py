"""Is a delivery really from GitHub: HMAC-SHA256 over the raw bytes, nothing else."""

import hmac
import re
from collections.abc import Sequence

from bot.core.redact import Secret

_SHAPE = re.compile(r"sha256=[0-9a-f]{64}", re.ASCII)


def well_formed(signature: str | None) -> bool:
    """Whether a header has the one shape that can be right, which is asked before a body is read."""
    return signature is not None and _SHAPE.fullmatch(signature) is not None


def verify(raw: bytes, signature: str | None, *, secrets: Sequence[Secret]) -> bool:
    """Whether one of `secrets` (old and new during a rotation) signed exactly these bytes; never raises.

    An empty secret never verifies: anybody can sign with it.
    """
    if signature is None or not well_formed(signature):
        return False
    given = signature.encode("ascii")
    matched = False
    for secret in secrets:
        if secret:
            expected = b"sha256=" + hmac.digest(secret.reveal().encode(), raw, "sha256").hex().encode("ascii")
            matched |= hmac.compare_digest(expected, given)
    return matched
