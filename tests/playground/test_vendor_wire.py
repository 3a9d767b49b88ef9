"""The scripted vendor's bytes against the SDKs' own types: what it sends is what the real vendors send."""

from collections.abc import Iterator

import httpx2
import pytest
from pydantic import TypeAdapter

from bot.core.conversation import ModelRequest, ToolSpec, UserTurn
from bot.core.redact import Secret
from bot.models.anthropic import AnthropicModel
from bot.models.anthropic import body as anthropic_body
from bot.models.openai import OpenAIModel
from bot.models.openai import body as openai_body
from bot.playground.vendor import ANTHROPIC_KEY, OPENAI_KEY, Fault, Script, ScriptedVendor, start_vendor, tools

pytestmark = pytest.mark.fast

SYSTEM = "journeyman:work/task@v1\nWork."
SPOKEN = tools(
    ("bash", {"command": "ls -la " * 20}), ("bash", {}), text="Looking at it now. " * 5, thinking="Hm. " * 30
)
SHAPE = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"], "additionalProperties": False}
BASH = ToolSpec("bash", "Run a command.", SHAPE)
NAMES = ["tools", "text", "json", "tools cut short", "text cut short", "refusal", "window"]
ENDINGS = [
    SPOKEN,
    "Done.",
    {"ok": True},
    Fault("length", then=SPOKEN),
    Fault("length"),
    Fault("refusal"),
    Fault("window"),
]


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def vendor(script: Script) -> Iterator[ScriptedVendor]:
    running = start_vendor(script)
    yield running
    running.stop()


def anthropic_client(vendor: ScriptedVendor):
    return AnthropicModel(Secret(ANTHROPIC_KEY), vendor.url_anthropic).make_client()


def openai_client(vendor: ScriptedVendor):
    return OpenAIModel(Secret(OPENAI_KEY), vendor.url_openai).make_client()


def events(url: str, key: str, asked: dict) -> Iterator[tuple[str, str]]:
    headers = {"Authorization": f"Bearer {key}", "anthropic-version": "2026-10-21"}
    with httpx2.Client() as client:
        answer = client.post(url, json=asked | {"stream": True}, headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    for block in answer.text.strip().split("\n\n"):
        name, data = block.split("\n")
        yield name.removeprefix("event: "), data.removeprefix("data: ")


ANTHROPIC_ASK = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 1000,
    "system": SYSTEM,
    "messages": [{"role": "user", "content": "Go."}],
}
OPENAI_ASK = {"model": "gpt-6.2-sol", "instructions": SYSTEM, "input": "Go.", "store": False}


@pytest.mark.parametrize("reply", ENDINGS, ids=NAMES)
def test_every_anthropic_event_is_valid_by_the_sdks_types(vendor, script, reply):
    from anthropic.types import RawMessageStreamEvent

    script.on("work/task", reply)
    known = TypeAdapter(RawMessageStreamEvent)
    names = []
    for name, data in events(vendor.url_anthropic + "/v1/messages", ANTHROPIC_KEY, ANTHROPIC_ASK):
        names.append(name)
        if name != "ping":
            assert known.validate_json(data).type == name
    assert (names[0], names[1], names[-2:]) == ("message_start", "ping", ["message_delta", "message_stop"])


@pytest.mark.parametrize("reply", ENDINGS, ids=NAMES)
def test_every_openai_event_is_valid_by_the_sdks_types(vendor, script, reply):
    from openai.types.responses import ResponseStreamEvent

    script.on("work/task", reply)
    known = TypeAdapter(ResponseStreamEvent)
    numbers = []
    for name, data in events(vendor.url_openai + "/responses", OPENAI_KEY, OPENAI_ASK):
        event = known.validate_json(data)
        assert event.type == name
        numbers.append(event.sequence_number)
    assert numbers == list(range(len(numbers)))
    assert name in ("response.completed", "response.incomplete", "error")


async def test_the_anthropic_sdk_assembles_the_message_itself(vendor, script):
    script.on("work/task", SPOKEN)
    async with anthropic_client(vendor) as client, client.messages.stream(**ANTHROPIC_ASK) as stream:
        message = await stream.get_final_message()
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use", "tool_use"]
    assert [block.input for block in message.content if block.type == "tool_use"] == [{"command": "ls -la " * 20}, {}]
    assert message.stop_reason == "tool_use"


async def test_the_openai_sdk_assembles_the_response_itself(vendor, script):
    script.on("work/task", SPOKEN)
    async with openai_client(vendor) as client, client.responses.stream(**OPENAI_ASK) as stream:
        response = await stream.get_final_response()
    assert [item.type for item in response.output] == ["reasoning", "message", "function_call", "function_call"]
    assert response.output_text == "Looking at it now. " * 5


async def test_both_sdks_take_an_answer_without_streaming(vendor, script):
    script.on("work/task", "Done.")
    async with anthropic_client(vendor) as client:
        message = await client.messages.create(**ANTHROPIC_ASK)
    async with openai_client(vendor) as client:
        response = await client.responses.create(**OPENAI_ASK)
    assert (message.content[0].text, response.output_text) == ("Done.", "Done.")


async def test_both_sdks_list_the_models(vendor):
    async with anthropic_client(vendor) as client:
        ours = [model.id async for model in client.models.list()]
    async with openai_client(vendor) as client:
        theirs = [model.id async for model in client.models.list()]
    assert ("claude-opus-5-5" in ours, "gpt-6.2-sol" in theirs) == (True, True)


async def test_a_clean_cut_looks_to_the_anthropic_sdk_like_a_message_without_a_stop(vendor, script):
    script.on("work/task", Fault("cut", then=tools(("bash", {"command": "ls -la " * 20}))))
    async with anthropic_client(vendor) as client, client.messages.stream(**ANTHROPIC_ASK) as stream:
        message = await stream.get_final_message()
    assert message.stop_reason is None
    assert message.content[-1].type == "tool_use"


@pytest.mark.parametrize("vendor_name", ["anthropic", "openai"])
def test_our_requests_use_only_fields_that_the_sdks_know(vendor_name):
    asked = ModelRequest("spec", f"{vendor_name}/x", SYSTEM, (UserTurn("Go."),), tools=(BASH,), schema=SHAPE)
    if vendor_name == "anthropic":
        from anthropic.types.message_create_params import MessageCreateParamsStreaming as Known

        body = anthropic_body(asked)
    else:
        from openai.types.responses.response_create_params import ResponseCreateParamsStreaming as Known

        body = openai_body(asked)
    assert set(body) <= Known.__required_keys__ | Known.__optional_keys__
    assert TypeAdapter(Known).validate_python(body)
