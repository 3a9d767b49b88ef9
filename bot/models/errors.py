"""From what a vendor said to what the engine does about it: one policy for both vendors, without their SDKs."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from bot.ports import Permanent, PortError, Transient, UserFacing

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Vendor:
    """How a vendor is called in sentences, and where a person mends it."""

    name: str
    title: str
    key_variable: str
    billing: str


ANTHROPIC = Vendor("anthropic", "Anthropic", "ANTHROPIC_API_KEY", "the Anthropic console")
OPENAI = Vendor("openai", "OpenAI", "OPENAI_API_KEY", "the OpenAI platform's billing page")


@dataclass(frozen=True, slots=True)
class Failure:
    """A refusal or a break. `status` is 0 for a lost connection and 200 for an error event inside a stream;
    `kind` and `code` are the vendor's error type and code, `retry_after` is in seconds."""

    status: int
    kind: str = ""
    code: str = ""
    message: str = ""
    request_id: str = ""
    retry_after: float | None = None


Softened = Literal["context", "refusal"]

_SPENT = frozenset(
    {
        "insufficient_quota",
        "billing_hard_limit_reached",
        "billing_not_active",
        "billing_error",
        "contract_spend_limit_reached",
        "enforced_spend_limit_reached",
        "linked_organization_spend_limit_reached",
        "linked_organization_billing_unavailable",
    }
)
_SPENT_SENTENCES = ("credit balance is too low", "specified api usage limits", "exceeded your current quota")
_CONTEXT_SENTENCES = (
    "prompt is too long",
    "exceed context limit",
    "exceeds the context window",
    "maximum context length",
)
_REFUSED = frozenset(
    {"invalid_prompt", "content_policy_violation", "content_filter", "bio_policy", "misalignment_policy_violation"}
)
_KEY = frozenset({"authentication_error", "permission_error", "organization_on_hold"})
_BROKEN = frozenset(
    {"api_error", "overloaded_error", "timeout_error", "server_error", "server_is_overloaded", "slow_down"}
)


def judge(vendor: Vendor, failure: Failure, *, model: str, now: float) -> PortError | Softened:
    """The error to raise, or the stop to answer with, for one failed call. `now` is in seconds since the epoch."""
    marks = {failure.kind, failure.code}
    said = failure.message.lower()
    if marks & _SPENT or failure.status == 402 or any(words in said for words in _SPENT_SENTENCES):
        return _spent(vendor)
    if (
        "context_length_exceeded" in marks
        or failure.status == 413
        or any(words in said for words in _CONTEXT_SENTENCES)
    ):
        return "context"
    if marks & _REFUSED:
        return "refusal"
    if failure.status in (401, 403) or marks & _KEY:
        return _refused_key(vendor, failure)
    if failure.status == 404 or "model_not_found" in marks:
        return _no_model(vendor, model)
    if failure.status == 429 or marks & {"rate_limit_error", "rate_limit_exceeded"}:
        after = failure.retry_after if failure.retry_after is not None else 30.0
        return Transient(f"{vendor.title} limits the rate of calls", retry_at=now + after)
    if failure.status in (0, 408, 409) or failure.status >= 500 or marks & _BROKEN:
        retry_at = None if failure.retry_after is None else now + failure.retry_after
        return Transient(f"{vendor.title} is not answering ({_label(failure)})", retry_at=retry_at)
    return Permanent(f"{vendor.title} refused the request ({_label(failure)}): {failure.message[:500]}")


def _label(failure: Failure) -> str:
    parts = [str(failure.status) if failure.status else "connection", failure.code or failure.kind, failure.request_id]
    return ", ".join(part for part in parts if part)


def _spent(vendor: Vendor) -> UserFacing:
    return UserFacing(
        f"The {vendor.title} account behind {vendor.key_variable} is out of credit or over its spending limit: "
        f"add credit or raise the limit in {vendor.billing}, then say `/agent resume`."
    )


def _refused_key(vendor: Vendor, failure: Failure) -> UserFacing:
    if failure.status == 401 or failure.kind == "authentication_error":
        return UserFacing(
            f"{vendor.title} does not accept the key in {vendor.key_variable}: "
            "set a valid key and restart Journeyman, then say `/agent resume`."
        )
    return UserFacing(
        f"{vendor.title} does not allow this call with the key in {vendor.key_variable}: "
        f"check the key's permissions and the account's state in {vendor.billing}, then say `/agent resume`."
    )


def _no_model(vendor: Vendor, model: str) -> UserFacing:
    return UserFacing(
        f"{vendor.title} has no model `{model}` for the key in {vendor.key_variable}: "
        "name another one in JOURNEYMAN_MODELS and restart Journeyman, then say `/agent resume`."
    )


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a call is tried again in place before its error goes to the engine, which parks the work instead of holding a worker."""

    tries: int = 3
    first: float = 0.5
    cap: float = 4.0
    """Longest single wait in seconds; a vendor that asks for more is not waited for here."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def call(self, attempt: Callable[[], Awaitable[T]], *, now: Callable[[], float]) -> T:
        """Run `attempt` until it succeeds, fails for good, or the tries are used up; then raises its last error."""
        for tried in range(1, self.tries + 1):
            try:
                return await attempt()
            except Transient as error:
                wait = self._wait(tried, error, now())
                if tried == self.tries or wait > self.cap:
                    raise
                await self.sleep(wait)
        raise AssertionError("unreachable: the last try returns or raises")

    def _wait(self, tried: int, error: Transient, now: float) -> float:
        # Full jitter on top of the step keeps parallel workers from coming back in one wave.
        step = min(self.first * 2 ** (tried - 1), self.cap / 2)
        jitter = random.uniform(0, step)  # noqa: S311 - spreads load, guards nothing
        if error.retry_at is None:
            return step + jitter
        return max(0.0, error.retry_at - now) + jitter / 10
