"""What a model call costs, in micros: the offline tables of genai-prices, and a local one for models that they don't know yet."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from types import MappingProxyType

from bot.core.budget import Usage
from bot.core.conversation import AssistantTurn, ModelRequest, ResultsTurn, UserTurn
from bot.ports import UserFacing

BYTES_PER_TOKEN = 2
"""Prose and code take 3 to 4 bytes a token; hex digests and base64 come near 2. The bound has to hold for those too."""

TURN_OVERHEAD = 64
"""Tokens of framing that a vendor adds for a turn, a tool or the system prompt."""

_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Rates:
    """Dollars per million tokens. A prompt (cached parts included) longer than `long_over` tokens is billed whole at the long rates."""

    input: Decimal
    output: Decimal
    long_over: int = 272_000
    long_input: Decimal = Decimal(2)
    """Factors on the rates of a long prompt."""
    long_output: Decimal = Decimal("1.5")
    cache_read: Decimal = Decimal("0.05")
    """A share of the input rate, as is `cache_write`."""
    cache_write: Decimal = Decimal("1.25")

    def cost(self, usage: Usage) -> Decimal:
        """Dollars for one call."""
        prompt = usage.input + usage.cache_read + usage.cache_write
        is_long = prompt > self.long_over
        rate = self.input * (self.long_input if is_long else 1)
        out = self.output * (self.long_output if is_long else 1)
        weighted = usage.input + usage.cache_read * self.cache_read + usage.cache_write * self.cache_write
        return (weighted * rate + usage.output * out) / _MILLION


LOCAL: Mapping[str, Rates] = MappingProxyType(
    {
        "openai/gpt-6.2-sol": Rates(Decimal(2), Decimal(10)),
        # The long-prompt rule is published for every other model of the family; assuming it here can only overestimate.
        "openai/gpt-6.2-astra": Rates(Decimal(8), Decimal(40)),
    }
)
"""Models that genai-prices has no row for. A row it does have wins, so an upgrade of the library retires these by itself."""


def price(model: str, usage: Usage) -> int:
    """The cost of one call of `vendor/name` in micros, rounded up. Raises UserFacing for a model without a price."""
    return int((_dollars(model, usage) * _MILLION).to_integral_value(ROUND_CEILING))


def require_price(model: str) -> None:
    """Raise UserFacing unless the model has a price: asked at start, because an unpriced call can't be capped."""
    price(model, Usage(input=1, output=1))


def worst_case(request: ModelRequest) -> int:
    """Upper bound of a call's cost in micros: the whole prompt written to the cache and every output token used."""
    return price(request.model, Usage(cache_write=prompt_bound(request), output=request.max_tokens))


def prompt_bound(request: ModelRequest) -> int:
    """Upper bound of a request's prompt in tokens, by its bytes."""
    size = len(request.system.encode()) + _size(request.schema)
    size += sum(len(tool.description.encode()) + _size(tool.schema) for tool in request.tools)
    for turn in request.turns:
        match turn:
            case UserTurn(text):
                size += len(text.encode())
            case AssistantTurn(raw=raw):
                size += sum(_size(block) for block in raw)
            case ResultsTurn(results):
                size += sum(len(result.content.encode()) for result in results)
    frames = 2 + len(request.tools) + len(request.turns)
    return -(-size // BYTES_PER_TOKEN) + frames * TURN_OVERHEAD


def _size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode()) if value is not None else 0


def _dollars(model: str, usage: Usage) -> Decimal:
    # Imported late: its tables take 0.2 s to load, and pages that only format a price don't need them.
    from genai_prices import Usage as Tokens
    from genai_prices import calc_price

    vendor, _, name = model.partition("/")
    tokens = Tokens(
        input_tokens=usage.input + usage.cache_read + usage.cache_write,
        cache_read_tokens=usage.cache_read,
        cache_write_tokens=usage.cache_write,
        output_tokens=usage.output,
    )
    try:
        return calc_price(tokens, name, provider_id=vendor).total_price
    except LookupError:
        local = LOCAL.get(model)
    if local is None:
        raise UserFacing(
            f"No price is known for the model `{model}`, so its cost can't be capped: "
            "name a priced model in JOURNEYMAN_MODELS and restart.",
            verb="",
        )
    return local.cost(usage)
