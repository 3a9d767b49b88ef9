"""What calls cost, against the vendors' published rates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.budget import Usage
from bot.core.conversation import ModelRequest, UserTurn
from bot.models.prices import price, prompt_bound, require_price, worst_case
from bot.ports import UserFacing
from tests.models.conftest import BASH

pytestmark = pytest.mark.fast

MILLION = 1_000_000


@pytest.mark.parametrize(
    ("model", "input_dollars", "output_dollars"),
    [
        ("anthropic/claude-opus-5-5", 4, 20),
        ("anthropic/claude-sonnet-5-5", 2, 10),
        ("anthropic/claude-haiku-5-5", 0.1, 0.5),
        ("anthropic/claude-fable-5-2", 8, 40),
        ("openai/gpt-6.2-sol", 2, 10),
        ("openai/gpt-6.2-astra", 8, 40),
        ("openai/gpt-6-luna", 0.1, 0.5),
    ],
)
def test_the_rates_of_every_model_we_name(model, input_dollars, output_dollars):
    assert price(model, Usage(input=10_000)) == input_dollars * 10_000
    assert price(model, Usage(output=10_000)) == output_dollars * 10_000


@pytest.mark.parametrize("model", ["anthropic/claude-opus-5-5", "anthropic/claude-sonnet-5-5", "openai/gpt-6.2-sol"])
def test_cache_reads_cost_a_twentieth_and_writes_a_quarter_more(model):
    plain = price(model, Usage(input=10_000))
    assert price(model, Usage(cache_read=10_000)) * 20 == plain
    assert price(model, Usage(cache_write=10_000)) * 4 == plain * 5


def test_a_long_sol_prompt_costs_double_in_and_half_more_out():
    assert price("openai/gpt-6.2-sol", Usage(input=272_000)) == 544_000
    assert price("openai/gpt-6.2-sol", Usage(input=272_001)) == 1_088_004
    assert price("openai/gpt-6.2-sol", Usage(input=272_001, output=1000)) == 1_088_004 + 15_000


def test_a_long_haiku_prompt_costs_five_times_as_much():
    assert price("anthropic/claude-haiku-5-5", Usage(input=100_000)) == 10_000
    assert price("anthropic/claude-haiku-5-5", Usage(input=100_020)) == 50_010


def test_cached_tokens_count_towards_a_long_prompt():
    assert price("openai/gpt-6.2-sol", Usage(input=1, cache_read=272_000)) == 4 + 54_400


def test_a_fraction_of_a_micro_is_rounded_up():
    assert price("anthropic/claude-haiku-5-5", Usage(input=1)) == 1


def test_nothing_costs_nothing():
    assert price("openai/gpt-6.2-sol", Usage()) == 0


@pytest.mark.parametrize("model", ["openai/gpt-99", "anthropic/gpt-6.2-sol", "acme/one", "claude-opus-5-5"])
def test_a_model_without_a_price_is_refused_with_the_setting_to_change(model):
    with pytest.raises(UserFacing, match="JOURNEYMAN_MODELS"):
        require_price(model)


def request(text: str, model: str = "anthropic/claude-sonnet-5-5") -> ModelRequest:
    return ModelRequest("work", model, "journeyman:work/task@v1", (UserTurn(text),), tools=(BASH,), max_tokens=1000)


@given(
    text=st.text(max_size=500),
    share=st.floats(0, 1),
    output=st.integers(0, 1000),
    model=st.sampled_from(["anthropic/claude-haiku-5-5", "openai/gpt-6.2-sol"]),
)
def test_no_split_of_the_prompt_costs_more_than_the_worst_case(text, share, output, model):
    asked = request(text, model)
    bound = prompt_bound(asked)
    cached = int(bound * share)
    for usage in (Usage(bound - cached, cached, 0, output), Usage(bound - cached, 0, cached, output)):
        assert price(model, usage) <= worst_case(asked)


@pytest.mark.parametrize("text", ["word " * 4000, "deadbeef" * 2000, "数据" * 4000])
def test_the_bound_is_at_least_a_token_for_two_bytes(text):
    assert prompt_bound(request(text)) >= len(text.encode()) / 2


def test_the_bound_is_no_more_than_twice_what_prose_takes():
    prose = "The quick brown fox jumps over the lazy dog. " * 2000
    assert prompt_bound(request(prose)) < len(prose) / 4 * 2.1
