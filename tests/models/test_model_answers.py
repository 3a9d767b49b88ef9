"""What comes back from a call that reached a model: every stop, for both vendors, over real HTTP."""

from dataclasses import replace

import pytest

from bot.core.conversation import AssistantTurn, ResultsTurn, ToolCall, ToolResult, UserTurn
from bot.core.redact import Secret
from bot.models import prices
from bot.playground.vendor import Answer, Fault, tools
from tests.models.conftest import BASH, SIDES, VERDICT

pytestmark = pytest.mark.fast


async def test_plain_text_ends_well(model, ask, script, vendor):
    script.on("work/task", "The bug is in `total()`." * 5)
    answer = await model.complete(ask())
    assert (answer.stop, answer.text, answer.calls, answer.parsed) == ("end", "The bug is in `total()`." * 5, (), None)
    assert answer.request_id == vendor.calls[0].request_id


async def test_a_call_costs_what_its_usage_costs(model, ask, script):
    script.on("work/task", "Done.")
    answer = await model.complete(ask())
    assert answer.micros == prices.price(answer.model, answer.usage) > 0


async def test_a_tool_stop_carries_its_calls_with_parsed_input(model, ask, script):
    script.on("work/task", tools(("bash", {"command": "ls -la " * 20}), ("bash", {"command": "pwd"}), text="Looking."))
    answer = await model.complete(ask(tools=(BASH,)))
    assert answer.stop == "tool"
    assert [(call.name, call.input) for call in answer.calls] == [
        ("bash", {"command": "ls -la " * 20}),
        ("bash", {"command": "pwd"}),
    ]


async def test_results_go_back_under_the_calls_they_answer(model, ask, script, vendor):
    script.on("work/task", tools(("bash", {"command": "ls"}), thinking="Where am I?"), "A README.")
    first = await model.complete(ask("Look.", tools=(BASH,)))
    results = ResultsTurn((ToolResult(first.calls[0].id, "README.md"),))
    second = await model.complete(ask("Look.", first.turn, results, tools=(BASH,)))
    assert second.text == "A README."
    call = vendor.calls[1].call
    assert [(r.call_id, r.content, r.is_error) for r in call.results] == [(first.calls[0].id, "README.md", False)]


async def test_a_failed_tool_is_told_as_an_error(model, ask, script, vendor):
    script.on("work/task", tools(("bash", {"command": "no"})), "I see.")
    first = await model.complete(ask("Look.", tools=(BASH,)))
    await model.complete(
        ask("Look.", first.turn, ResultsTurn((ToolResult(first.calls[0].id, "not found", True),)), tools=(BASH,))
    )
    assert vendor.calls[1].call.results[0].is_error


async def test_words_from_us_after_results_stay_in_the_same_turn(model, ask, script, vendor):
    script.on("work/task", tools(("bash", {"command": "ls"})), "Yes.")
    first = await model.complete(ask("Look.", tools=(BASH,)))
    results = ResultsTurn((ToolResult(first.calls[0].id, "README.md"),))
    await model.complete(ask("Look.", first.turn, results, "And be quick.", tools=(BASH,)))
    assert vendor.calls[1].call.users == ("Look.", "And be quick.")


async def test_a_structured_answer_is_parsed(model, ask, script, vendor):
    script.on("work/task", {"verdict": "clean"})
    answer = await model.complete(ask(schema=VERDICT))
    assert (answer.stop, answer.parsed) == ("end", {"verdict": "clean"})
    assert vendor.calls[0].call.schema == VERDICT


async def test_commentary_is_no_part_of_a_structured_answer(model, ask, script):
    script.on("work/task", Answer(text="I weigh it.", json={"verdict": "clean"}))
    assert (await model.complete(ask(schema=VERDICT))).parsed == {"verdict": "clean"}


async def test_a_structured_answer_that_is_no_json_is_never_parsed(model, ask, script):
    script.on("work/task", Fault("bad_json", then={"verdict": "clean"}))
    answer = await model.complete(ask(schema=VERDICT))
    assert (answer.stop, answer.parsed, answer.detail) == ("other", None, "the structured answer is not a JSON object")
    assert answer.usage.output > 0


async def test_a_structured_answer_that_is_a_list_is_never_parsed(model, ask, script):
    script.on("work/task", '["clean"]')
    answer = await model.complete(ask(schema=VERDICT))
    assert (answer.stop, answer.parsed) == ("other", None)


async def test_json_cut_at_the_token_limit_keeps_its_usage(model, ask, script):
    script.on("work/task", Fault("length", then={"verdict": "clean"}))
    answer = await model.complete(ask(schema=VERDICT))
    assert (answer.stop, answer.parsed) == ("length", None)
    assert answer.usage.output > 0


async def test_a_tool_call_at_the_token_limit_is_not_run(model, ask, script):
    script.on("work/task", Fault("length", then=tools(("bash", {"command": "rm -r build"}))))
    answer = await model.complete(ask(tools=(BASH,)))
    assert (answer.stop, answer.calls) == ("length", ())


async def test_a_stream_that_ends_early_is_cut_and_runs_nothing(model, ask, script):
    script.on("work/task", Fault("cut", then=tools(("bash", {"command": "rm -r build"}))))
    answer = await model.complete(ask(tools=(BASH,)))
    assert (answer.stop, answer.calls, answer.turn.raw) == ("cut", (), ())


async def test_a_cut_text_is_kept_as_far_as_it_came(model, ask, script):
    script.on("work/task", Fault("cut", then="x" * 48 + "y" * 48))
    answer = await model.complete(ask())
    assert (answer.stop, answer.text) == ("cut", "x" * 48)


async def test_a_refusal_says_so(model, ask, script):
    script.on("work/task", Fault("refusal"))
    answer = await model.complete(ask())
    assert answer.stop == "refusal"
    assert "help" in answer.detail


async def test_a_refused_structured_answer_is_not_parsed(model, ask, script):
    script.on("work/task", Fault("refusal"))
    answer = await model.complete(ask(schema=VERDICT))
    assert (answer.stop, answer.parsed) == ("refusal", None)


@pytest.mark.parametrize("kind", ["context", "window"])
async def test_a_prompt_that_is_too_long_is_an_answer_not_an_error(model, ask, script, vendor, kind):
    script.on("work/task", Fault(kind))
    answer = await model.complete(ask())
    assert answer.stop == "context"
    assert len(vendor.calls) == 1


async def test_blocks_of_an_unknown_type_are_echoed_as_they_came(model, ask, script, vendor):
    script.on("work/task", Fault("unknown_block", then=tools(("bash", {"command": "ls"}))), "Fine.")
    first = await model.complete(ask("Look.", tools=(BASH,)))
    odd = {"type": "hologram", "id": "holo_1", "layers": [1, None, {"deep": True}]}
    assert first.turn.raw[0] == odd
    second = await model.complete(
        ask("Look.", first.turn, ResultsTurn((ToolResult(first.calls[0].id, "a"),)), tools=(BASH,))
    )
    assert second.text == "Fine."


async def test_the_other_vendors_turns_become_text(model, ask, script, vendor, side):
    script.on("work/task", "Taken over.")
    foreign = {
        "anthropic": AssistantTurn(
            "openai",
            (
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
                {"type": "function_call", "call_id": "c1", "name": "bash", "arguments": '{"command": "ls"}'},
            ),
        ),
        "openai": AssistantTurn(
            "anthropic",
            (
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "c1", "name": "bash", "input": {"command": "ls"}},
            ),
        ),
    }[side.name]
    answer = await model.complete(ask("Go.", foreign, ResultsTurn((ToolResult("c1", "README.md"),))))
    assert answer.text == "Taken over."
    assert vendor.calls[0].call.users == ("Go.", 'Result of bash({"command": "ls"}):\nREADME.md')


async def test_a_turn_without_a_word_is_not_sent_back_empty(model, ask, script, vendor):
    script.on("work/task", Fault("refusal"), "Now I can.")
    first = await model.complete(ask("Go."))
    silent = replace(first.turn, raw=tuple(block for block in first.turn.raw if block["type"] != "message"))
    await model.complete(ask("Go.", silent, "Try another way."))
    assert (vendor.calls[1].status, vendor.calls[1].call.users) == (200, ("Go.", "Try another way."))


async def test_an_empty_text_block_is_left_out_of_the_echo(vendor, ask, script):
    script.on("work/task", "Fine.")
    side = SIDES["anthropic"]
    adapter = side.make(Secret(side.key), side.url(vendor))
    use = {"type": "tool_use", "id": "t1", "name": "bash", "input": {}}
    said = AssistantTurn("anthropic", ({"type": "text", "text": ""}, use))
    answer = await adapter.complete(ask("Go.", said, ResultsTurn((ToolResult("t1", "a"),)), model=side.model))
    await adapter.aclose()
    assert answer.text == "Fine."


async def test_an_unchanged_prefix_is_read_from_the_cache(model, ask, script):
    script.on("work/task", tools(("bash", {"command": "ls"})), "Done.")
    first = await model.complete(ask("Look.", tools=(BASH,)))
    second = await model.complete(
        ask("Look.", first.turn, ResultsTurn((ToolResult(first.calls[0].id, "a"),)), tools=(BASH,))
    )
    assert (first.usage.cache_read, first.usage.cache_write > 512) == (0, True)
    assert second.usage.cache_read == first.usage.cache_write
    assert second.usage.input + second.usage.cache_write < 200


async def test_every_prompt_token_is_counted_once(model, ask, script, vendor, side):
    script.on("work/task", "Done.")
    usage = (await model.complete(ask())).usage
    told = vendor.calls[0].usage
    if side.name == "anthropic":
        total = told["input_tokens"] + told["cache_read_input_tokens"] + told["cache_creation_input_tokens"]
    else:
        total = told["input_tokens"]
    assert usage.input + usage.cache_read + usage.cache_write == total


async def test_a_changed_system_prompt_reads_nothing_from_the_cache(model, ask, script):
    script.on("work/task", "Done.")
    await model.complete(ask())
    second = await model.complete(ask(system="journeyman:work/task@v2\n" + "Other words. " * 400))
    assert second.usage.cache_read == 0


async def test_the_worst_case_covers_the_real_cost(model, ask, script):
    script.on("work/task", "Done.")
    request = ask("Fix it. " * 500, tools=(BASH,))
    assert (await model.complete(request)).micros < model.worst_case(request)


async def test_reasoning_tokens_are_counted_apart(model, ask, script):
    script.on("work/task", tools(("bash", {"command": "ls"}), thinking="Let me think about it. " * 10))
    answer = await model.complete(ask(tools=(BASH,)))
    assert 0 < answer.usage.reasoning < answer.usage.output


async def test_a_tool_call_is_plain_data(model, ask, script):
    script.on("work/task", tools(("bash", {"command": "ls"})))
    answer = await model.complete(ask(UserTurn("Look."), tools=(BASH,)))
    assert answer.calls == (ToolCall(answer.calls[0].id, "bash", {"command": "ls"}),)
