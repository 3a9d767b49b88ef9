"""Which model plays which role: the defaults for the keys at hand, and the operator's words over them."""

import difflib
from collections.abc import Collection, Mapping
from types import MappingProxyType

from bot.models import prices
from bot.models.errors import ANTHROPIC, OPENAI
from bot.models.streaming import EFFORTS
from bot.ports import UserFacing

ROLES = ("spec", "review", "coordinator", "work", "rescue", "triage")

_BY_VENDOR: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "anthropic": {
            "spec": "anthropic/claude-opus-5-5:high",
            "review": "anthropic/claude-opus-5-5:high",
            "coordinator": "anthropic/claude-sonnet-5-5:medium",
            "work": "anthropic/claude-sonnet-5-5:medium",
            "rescue": "anthropic/claude-opus-5-5:high",
            "triage": "anthropic/claude-haiku-5-5:low",
        },
        "openai": {
            "spec": "openai/gpt-6.2-sol:high",
            "review": "openai/gpt-6.2-sol:high",
            "coordinator": "openai/gpt-6.2-sol:medium",
            "work": "openai/gpt-6.2-sol:medium",
            "rescue": "openai/gpt-6.2-astra:high",
            "triage": "openai/gpt-6-luna:low",
        },
    }
)


def default_models(keys: Collection[str]) -> dict[str, str]:
    """Role -> `vendor/model:effort` for the vendors in `keys`: review goes to the other vendor, or to the same one where it is alone.

    Raises UserFacing where there is no key at all.
    """
    vendors = [name for name in _BY_VENDOR if name in keys]
    if not vendors:
        raise UserFacing(
            f"No model vendor has a key: set {ANTHROPIC.key_variable} or {OPENAI.key_variable} (either alone is enough).",
            verb="",
        )
    chosen = dict(_BY_VENDOR[vendors[0]])
    chosen["review"] = _BY_VENDOR[vendors[-1]]["review"]
    return chosen


def choose_models(keys: Collection[str], overrides: str = "") -> dict[str, str]:
    """The defaults with JOURNEYMAN_MODELS (`role=vendor/model[:effort],…`) over them, every model with a key and a price.

    Raises UserFacing with one sentence for the first thing that is wrong.
    """
    chosen = default_models(keys) | parse_models(overrides)
    for role, choice in chosen.items():
        model, _ = split_choice(choice)
        vendor = model.partition("/")[0]
        if vendor not in keys:
            variable = {v.name: v.key_variable for v in (ANTHROPIC, OPENAI)}[vendor]
            raise UserFacing(
                f"JOURNEYMAN_MODELS gives the role {role} to `{model}`, but {variable} is not set.", verb=""
            )
        prices.require_price(model)
    return chosen


def parse_models(text: str) -> dict[str, str]:
    """`role=vendor/model[:effort],…` as role -> `vendor/model:effort`; the effort is medium where none is named. Raises UserFacing."""
    out: dict[str, str] = {}
    for part in (piece.strip() for piece in text.split(",")):
        if not part:
            continue
        role, equals, choice = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise _wrong(part, "write it as role=vendor/model or role=vendor/model:effort")
        if role not in ROLES:
            raise _wrong(part, f"`{role}` is no role{_near(role, ROLES)}; the roles are {', '.join(ROLES)}")
        if role in out:
            raise _wrong(part, f"the role {role} is given twice")
        out[role] = _checked(part, choice)
    return out


def split_choice(choice: str) -> tuple[str, str]:
    """`vendor/model:effort` as (`vendor/model`, effort)."""
    model, _, effort = choice.partition(":")
    return model, effort or "medium"


def _checked(part: str, choice: str) -> str:
    model, effort = split_choice(choice)
    vendor, slash, name = model.partition("/")
    if not slash or not name:
        raise _wrong(part, "a model is vendor/model, for example anthropic/claude-sonnet-5-5")
    if vendor not in _BY_VENDOR:
        raise _wrong(
            part, f"`{vendor}` is no vendor{_near(vendor, _BY_VENDOR)}; the vendors are {', '.join(_BY_VENDOR)}"
        )
    if effort not in EFFORTS:
        raise _wrong(part, f"`{effort}` is no effort{_near(effort, EFFORTS)}; the efforts are {', '.join(EFFORTS)}")
    return f"{model}:{effort}"


def _wrong(part: str, why: str) -> UserFacing:
    return UserFacing(f"JOURNEYMAN_MODELS can't be read at `{part}`: {why}.", verb="")


def _near(word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""
