"""Who plays which role, for the keys at hand and the operator's words."""

import pytest
from inline_snapshot import snapshot

from bot.models.roles import choose_models, default_models, parse_models, split_choice
from bot.ports import UserFacing

pytestmark = pytest.mark.fast


def test_with_both_keys_the_reviewer_is_the_other_vendors():
    assert default_models({"anthropic", "openai"}) == snapshot(
        {
            "spec": "anthropic/claude-opus-5-5:high",
            "review": "openai/gpt-6.2-sol:high",
            "coordinator": "anthropic/claude-sonnet-5-5:medium",
            "work": "anthropic/claude-sonnet-5-5:medium",
            "rescue": "anthropic/claude-opus-5-5:high",
            "triage": "anthropic/claude-haiku-5-5:low",
        }
    )


def test_with_one_key_one_vendor_plays_every_role():
    for vendor in ("anthropic", "openai"):
        assert {choice.split("/")[0] for choice in default_models({vendor}).values()} == {vendor}


def test_every_default_has_a_price():
    for keys in ({"anthropic"}, {"openai"}, {"anthropic", "openai"}):
        assert choose_models(keys) == default_models(keys)


def test_without_a_key_the_sentence_names_both_variables():
    with pytest.raises(UserFacing) as caught:
        default_models(())
    assert caught.value.message == snapshot(
        "No model vendor has a key: set ANTHROPIC_API_KEY or OPENAI_API_KEY (either alone is enough)."
    )


def test_an_override_replaces_its_role_only():
    chosen = choose_models({"anthropic"}, "work=anthropic/claude-haiku-5-5:low")
    assert chosen == default_models({"anthropic"}) | {"work": "anthropic/claude-haiku-5-5:low"}


def test_an_effort_left_out_is_medium():
    assert parse_models(" work = openai/gpt-6-luna , ") == {"work": "openai/gpt-6-luna:medium"}
    assert split_choice("openai/gpt-6-luna") == ("openai/gpt-6-luna", "medium")


WRONG = {
    "work": snapshot(
        "JOURNEYMAN_MODELS can't be read at `work`: write it as role=vendor/model or role=vendor/model:effort."
    ),
    "worker=openai/gpt-6-luna": snapshot(
        "JOURNEYMAN_MODELS can't be read at `worker=openai/gpt-6-luna`: `worker` is no role (did you mean "
        "work?); the roles are spec, review, coordinator, work, rescue, triage."
    ),
    "work=gpt-6-luna": snapshot(
        "JOURNEYMAN_MODELS can't be read at `work=gpt-6-luna`: a model is vendor/model, for example anthropic/claude-sonnet-5-5."
    ),
    "work=opnai/gpt-6-luna": snapshot(
        "JOURNEYMAN_MODELS can't be read at `work=opnai/gpt-6-luna`: `opnai` is no vendor (did you mean "
        "openai?); the vendors are anthropic, openai."
    ),
    "work=openai/gpt-6-luna:hihg": snapshot(
        "JOURNEYMAN_MODELS can't be read at `work=openai/gpt-6-luna:hihg`: `hihg` is no effort (did you mean "
        "high?); the efforts are low, medium, high, xhigh, max."
    ),
    "work=openai/gpt-6-luna,work=openai/gpt-6.2-sol": snapshot(
        "JOURNEYMAN_MODELS can't be read at `work=openai/gpt-6.2-sol`: the role work is given twice."
    ),
}


@pytest.mark.parametrize("text", WRONG)
def test_a_mistake_is_named_where_it_stands(text):
    with pytest.raises(UserFacing) as caught:
        parse_models(text)
    assert caught.value.message == WRONG[text]


def test_a_role_given_to_a_vendor_without_a_key_is_refused():
    with pytest.raises(UserFacing) as caught:
        choose_models({"anthropic"}, "review=openai/gpt-6.2-sol")
    assert caught.value.message == snapshot(
        "JOURNEYMAN_MODELS gives the role review to `openai/gpt-6.2-sol`, but OPENAI_API_KEY is not set."
    )


def test_an_override_without_a_price_is_refused():
    with pytest.raises(UserFacing) as caught:
        choose_models({"openai"}, "work=openai/gpt-99")
    assert caught.value.message == snapshot(
        "No price is known for the model `openai/gpt-99`, so its cost can't be capped: name a priced model "
        "in JOURNEYMAN_MODELS and restart."
    )
