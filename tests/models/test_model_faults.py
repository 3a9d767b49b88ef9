"""What a misbehaving vendor leads to: which error, after how many tries and waits, with which sentence."""

import asyncio

import pytest
from inline_snapshot import snapshot

from bot.core.conversation import ResultsTurn, ToolResult
from bot.core.redact import Secret
from bot.models.errors import Patience
from bot.playground.vendor import Fault
from bot.ports import Permanent, Transient, UserFacing
from tests.models.conftest import NOW, SIDES

pytestmark = pytest.mark.fast

PASSING = ["overloaded", "server_error", "drop", "error_event", "failed"]


@pytest.mark.parametrize("kind", PASSING)
async def test_a_passing_fault_is_tried_again_in_place(model, ask, script, vendor, naps, kind):
    script.fault("work/task", Fault(kind), times=2).on("work/task", "Done.")
    answer = await model.complete(ask())
    assert (answer.stop, answer.text, len(vendor.calls)) == ("end", "Done.", 3)
    assert len(naps.taken) == 2


@pytest.mark.parametrize("kind", PASSING)
async def test_a_lasting_fault_is_handed_to_the_engine_after_three_tries(model, ask, script, vendor, naps, kind):
    script.on("work/task", Fault(kind))
    with pytest.raises(Transient) as caught:
        await model.complete(ask())
    assert (caught.value.retry_at, len(vendor.calls)) == (None, 3)


async def test_the_waits_between_tries_are_short(model, ask, script, naps):
    script.on("work/task", Fault("overloaded"))
    with pytest.raises(Transient):
        await model.complete(ask())
    assert 0.5 <= naps.taken[0] <= 1.0 <= naps.taken[1] <= 2.0


async def test_a_short_rate_limit_is_waited_for(model, ask, script, naps):
    script.fault("work/task", Fault("rate_limit", retry_after=2)).on("work/task", "Done.")
    answer = await model.complete(ask())
    assert answer.text == "Done."
    assert [round(nap) for nap in naps.taken] == [2]


async def test_a_long_rate_limit_is_not_waited_for(model, ask, script, vendor, naps):
    script.on("work/task", Fault("rate_limit", retry_after=3600))
    with pytest.raises(Transient) as caught:
        await model.complete(ask())
    assert caught.value.retry_at == NOW + 3600
    assert (len(vendor.calls), naps.taken) == (1, [])


async def test_a_rate_limit_without_a_time_gets_half_a_minute(model, ask, script):
    script.on("work/task", Fault("rate_limit"))
    with pytest.raises(Transient) as caught:
        await model.complete(ask())
    assert caught.value.retry_at == NOW + 30


async def test_a_vendor_that_names_no_port_is_transient(side, ask, naps):
    lost = side.make(Secret("key"), "http://127.0.0.1:9", patience=Patience(sleep=naps), now=lambda: NOW)
    with pytest.raises(Transient):
        await lost.complete(ask())
    await lost.aclose()
    assert len(naps.taken) == 2


async def test_a_call_that_takes_too_long_is_given_up(model, ask, script, vendor):
    script.sequence("work/task", "At once.", Fault("slow", seconds=30))
    await model.complete(ask())  # the SDK is imported at the first call, which may take longer than the timeout below
    with pytest.raises(Transient, match="took longer than 0 s"):
        await model.complete(ask(timeout=0.3))
    assert len(vendor.calls) == 2


async def test_a_slow_answer_within_the_timeout_is_an_answer(model, ask, script):
    script.on("work/task", Fault("slow", then="Late.", seconds=0.1))
    assert (await model.complete(ask())).text == "Late."


async def test_cancelling_a_call_closes_its_connection(model, ask, script, vendor):
    script.on("work/task", Fault("slow", seconds=30))
    task = asyncio.create_task(model.complete(ask()))
    while not vendor.calls:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    while not vendor.calls[0].hung_up:
        await asyncio.sleep(0.01)


SENTENCES = {
    ("quota", "anthropic"): snapshot(
        "The Anthropic account behind ANTHROPIC_API_KEY is out of credit or over its spending limit: "
        "add credit or raise the limit in the Anthropic console, then say `/agent resume`."
    ),
    ("quota", "openai"): snapshot(
        "The OpenAI account behind OPENAI_API_KEY is out of credit or over its spending limit: "
        "add credit or raise the limit in the OpenAI platform's billing page, then say `/agent resume`."
    ),
    ("unauthorized", "anthropic"): snapshot(
        "Anthropic does not accept the key in ANTHROPIC_API_KEY: set a valid key "
        "and restart Journeyman, then say `/agent resume`."
    ),
    ("unauthorized", "openai"): snapshot(
        "OpenAI does not accept the key in OPENAI_API_KEY: set a valid key "
        "and restart Journeyman, then say `/agent resume`."
    ),
    ("forbidden", "anthropic"): snapshot(
        "Anthropic does not allow this call with the key in ANTHROPIC_API_KEY: "
        "check the key's permissions and the account's state in the Anthropic console, then say `/agent resume`."
    ),
    ("forbidden", "openai"): snapshot(
        "OpenAI does not allow this call with the key in OPENAI_API_KEY: "
        "check the key's permissions and the account's state in the OpenAI platform's billing page, then say `/agent resume`."
    ),
}


@pytest.mark.parametrize("kind", ["quota", "unauthorized", "forbidden"])
async def test_what_a_person_must_mend_is_one_sentence(model, ask, script, vendor, side, kind):
    script.on("work/task", Fault(kind))
    with pytest.raises(UserFacing) as caught:
        await model.complete(ask())
    assert caught.value.message == SENTENCES[kind, side.name]
    assert len(vendor.calls) == 1


NO_MODEL = {
    "anthropic": snapshot(
        "Anthropic has no model `anthropic/claude-opus-5` for the key in ANTHROPIC_API_KEY: "
        "name another one in JOURNEYMAN_MODELS and restart Journeyman, then say `/agent resume`."
    ),
    "openai": snapshot(
        "OpenAI has no model `openai/gpt-5` for the key in OPENAI_API_KEY: "
        "name another one in JOURNEYMAN_MODELS and restart Journeyman, then say `/agent resume`."
    ),
}


async def test_a_model_that_the_vendor_does_not_have_names_the_setting(model, ask, side):
    old = {"anthropic": "anthropic/claude-opus-5", "openai": "openai/gpt-5"}[side.name]
    with pytest.raises(UserFacing) as caught:
        await model.complete(ask(model=old))
    assert caught.value.message == NO_MODEL[side.name]


async def test_a_wrong_key_is_refused_by_the_vendor_itself(side, vendor, ask):
    adapter = side.make(Secret("sk-wrong"), side.url(vendor))
    with pytest.raises(UserFacing, match="does not accept the key"):
        await adapter.complete(ask())
    await adapter.aclose()


async def test_a_request_that_the_vendor_never_takes_is_permanent(model, ask, vendor):
    unasked = ResultsTurn((ToolResult("call_never_made", "a"),))
    with pytest.raises(Permanent, match="call_never_made"):
        await model.complete(ask("Go.", unasked))
    assert len(vendor.calls) == 1


async def test_a_try_that_broke_off_after_its_prompt_was_billed_is_counted(ask, script, vendor, naps):
    side = SIDES["anthropic"]
    adapter = side.make(Secret(side.key), side.url(vendor), patience=Patience(sleep=naps), now=lambda: NOW)
    script.fault("work/task", Fault("drop")).on("work/task", "Done.")
    answer = await adapter.complete(ask(model=side.model))
    await adapter.aclose()
    assert answer.usage.cache_write > 512
    assert answer.usage.cache_read == answer.usage.cache_write


async def test_an_unknown_effort_is_permanent(model, ask, vendor):
    with pytest.raises(Permanent, match="unknown effort 'heroic'"):
        await model.complete(ask(effort="heroic"))
    assert vendor.calls == []
