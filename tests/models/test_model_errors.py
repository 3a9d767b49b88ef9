"""The error policy as a table: what a vendor said, and what it means for the engine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models.errors import ANTHROPIC, OPENAI, Failure, Patience, judge
from bot.ports import Permanent, PortError, Transient, UserFacing

pytestmark = pytest.mark.fast

NOW = 1000.0


def meaning(vendor, failure):
    verdict = judge(vendor, failure, model="v/m", now=NOW)
    return verdict if isinstance(verdict, str) else type(verdict)


@pytest.mark.parametrize(
    ("vendor", "failure", "meant"),
    [
        (ANTHROPIC, Failure(0), Transient),
        (ANTHROPIC, Failure(408), Transient),
        (ANTHROPIC, Failure(409, "conflict_error"), Transient),
        (ANTHROPIC, Failure(500, "api_error"), Transient),
        (ANTHROPIC, Failure(504, "timeout_error"), Transient),
        (ANTHROPIC, Failure(529, "overloaded_error"), Transient),
        (ANTHROPIC, Failure(200, "overloaded_error"), Transient),
        (ANTHROPIC, Failure(200, "rate_limit_error"), Transient),
        (ANTHROPIC, Failure(402, "invalid_request_error"), UserFacing),
        (ANTHROPIC, Failure(200, "billing_error"), UserFacing),
        (ANTHROPIC, Failure(429, "rate_limit_error", "contract_spend_limit_reached"), UserFacing),
        (
            ANTHROPIC,
            Failure(400, "invalid_request_error", "", "You have reached your specified API usage limits."),
            UserFacing,
        ),
        (ANTHROPIC, Failure(400, "invalid_request_error", "organization_on_hold"), UserFacing),
        (ANTHROPIC, Failure(404, "not_found_error"), UserFacing),
        (ANTHROPIC, Failure(413, "request_too_large"), "context"),
        (
            ANTHROPIC,
            Failure(400, "invalid_request_error", "", "input length and `max_tokens` exceed context limit"),
            "context",
        ),
        (ANTHROPIC, Failure(400, "invalid_request_error", "", "messages: Field required"), Permanent),
        (OPENAI, Failure(429, "requests", "rate_limit_exceeded"), Transient),
        (OPENAI, Failure(429, "insufficient_quota", "insufficient_quota"), UserFacing),
        (OPENAI, Failure(200, "", "server_error"), Transient),
        (OPENAI, Failure(200, "", "rate_limit_exceeded"), Transient),
        (OPENAI, Failure(200, "", "context_length_exceeded"), "context"),
        (OPENAI, Failure(400, "invalid_request_error", "invalid_prompt"), "refusal"),
        (OPENAI, Failure(200, "", "bio_policy"), "refusal"),
        (OPENAI, Failure(404, "invalid_request_error", "model_not_found"), UserFacing),
        (OPENAI, Failure(422, "invalid_request_error"), Permanent),
    ],
)
def test_what_a_vendor_said_and_what_it_means(vendor, failure, meant):
    assert meaning(vendor, failure) == meant


def test_a_server_error_with_a_retry_time_keeps_it():
    verdict = judge(ANTHROPIC, Failure(529, "overloaded_error", retry_after=90), model="v/m", now=NOW)
    assert isinstance(verdict, Transient)
    assert verdict.retry_at == NOW + 90


@given(
    status=st.integers(0, 599),
    kind=st.text(max_size=20),
    code=st.text(max_size=20),
    message=st.text(max_size=2000),
)
def test_every_failure_has_a_verdict_that_fits_a_log_line(status, kind, code, message):
    verdict = judge(OPENAI, Failure(status, kind, code, message), model="v/m", now=NOW)
    assert verdict in ("context", "refusal") or isinstance(verdict, PortError)
    assert len(str(verdict)) < 800


def test_a_sentence_for_a_person_never_quotes_the_vendor():
    verdict = judge(
        OPENAI, Failure(401, "", "invalid_api_key", "Incorrect API key provided: sk-abc"), model="v/m", now=NOW
    )
    assert "sk-abc" not in str(verdict)


async def test_patience_gives_the_last_error_after_its_tries():
    naps: list[float] = []
    errors = [Transient("one"), Transient("two")]

    async def nap(seconds: float) -> None:
        naps.append(seconds)

    async def attempt() -> str:
        raise errors[len(naps)]

    with pytest.raises(Transient, match="two"):
        await Patience(tries=2, sleep=nap).call(attempt, now=lambda: NOW)


async def test_patience_does_not_retry_what_is_not_transient():
    tried: list[int] = []

    async def attempt() -> str:
        tried.append(1)
        raise Permanent("no")

    with pytest.raises(Permanent):
        await Patience().call(attempt, now=lambda: NOW)
    assert tried == [1]
