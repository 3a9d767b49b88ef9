"""What the scripted vendor refuses, in the real vendors' words: a request that would fail there must fail here."""

from collections.abc import Iterator

import httpx2
import pytest
from inline_snapshot import snapshot

from bot.playground.vendor import ANTHROPIC_KEY, OPENAI_KEY, Script, ScriptedVendor, start_vendor

pytestmark = pytest.mark.fast

USE = {"type": "tool_use", "id": "t1", "name": "bash", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "a"}
OPEN = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
NUMERIC = {**OPEN, "additionalProperties": False, "properties": {"a": {"type": "integer", "minimum": 1}}}
OPTIONAL = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": [], "additionalProperties": False}


@pytest.fixture(scope="module")
def vendor() -> Iterator[ScriptedVendor]:
    running = start_vendor(Script().on("*", "Done."))
    yield running
    running.stop()


def say(*turns: tuple[str, object]) -> list[dict]:
    return [{"role": role, "content": content} for role, content in turns]


def ask_anthropic(vendor: ScriptedVendor, *, headers: dict | None = None, **changes: object) -> tuple[int, dict]:
    asked = {"model": "claude-sonnet-5-5", "max_tokens": 100, "messages": say(("user", "Go.")), **changes}
    asked = {name: value for name, value in asked.items() if value is not ...}
    sent = {"Authorization": f"Bearer {ANTHROPIC_KEY}", "anthropic-version": "2026-10-21", **(headers or {})}
    answer = httpx2.post(vendor.url_anthropic + "/v1/messages", json=asked, headers=sent)
    return answer.status_code, answer.json()


def ask_openai(vendor: ScriptedVendor, *, headers: dict | None = None, **changes: object) -> tuple[int, dict]:
    asked = {"model": "gpt-6.2-sol", "input": "Go.", "store": False, **changes}
    asked = {name: value for name, value in asked.items() if value is not ...}
    sent = {"Authorization": f"Bearer {OPENAI_KEY}", **(headers or {})}
    answer = httpx2.post(vendor.url_openai + "/responses", json=asked, headers=sent)
    return answer.status_code, answer.json()


ANTHROPIC_REFUSES = {
    "temperature": (
        {"temperature": 0.2},
        snapshot((400, "invalid_request_error", "`temperature` is not supported on this model.")),
    ),
    "unknown field": (
        {"colour": "red"},
        snapshot((400, "invalid_request_error", "colour: Extra inputs are not permitted")),
    ),
    "no max_tokens": ({"max_tokens": ...}, snapshot((400, "invalid_request_error", "max_tokens: Field required"))),
    "too many tokens": (
        {"max_tokens": 1_000_000},
        snapshot((400, "invalid_request_error", "max_tokens: must be between 1 and 128000")),
    ),
    "no messages": (
        {"messages": []},
        snapshot((400, "invalid_request_error", "messages: at least one message is required")),
    ),
    "unknown model": ({"model": "claude-2"}, snapshot((404, "not_found_error", "model: claude-2"))),
    "prefill": (
        {"messages": say(("user", "Go."), ("assistant", "The answer is"))},
        snapshot(
            (
                400,
                "invalid_request_error",
                "This model does not support assistant message prefill. The conversation must end with a user message.",
            )
        ),
    ),
    "assistant first": (
        {"messages": say(("assistant", "Hello."), ("user", "Go."))},
        snapshot((400, "invalid_request_error", 'messages: first message must use the "user" role')),
    ),
    "unknown role": (
        {"messages": say(("tool", "Go."))},
        snapshot(
            (
                400,
                "invalid_request_error",
                'messages: Unexpected role "tool". Allowed roles are "user", "assistant" or "system".',
            )
        ),
    ),
    "unknown block": (
        {"messages": say(("user", [{"type": "blob"}]))},
        snapshot(
            (
                400,
                "invalid_request_error",
                "messages.0.content.0: Input tag 'blob' found using 'type' does not match any of the expected tags",
            )
        ),
    ),
    "unknown block field": (
        {"messages": say(("user", [{"type": "text", "text": "a", "b": 1}]))},
        snapshot((400, "invalid_request_error", "messages.0.content.0.b: Extra inputs are not permitted")),
    ),
    "empty text": (
        {"messages": say(("user", [{"type": "text", "text": " "}]))},
        snapshot(
            (400, "invalid_request_error", "messages.0.content.0: text content blocks must contain non-whitespace text")
        ),
    ),
    "result without use": (
        {"messages": say(("user", [RESULT]))},
        snapshot(
            (
                400,
                "invalid_request_error",
                "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: t1. Each "
                "`tool_result` block must have a corresponding `tool_use` block in the previous message.",
            )
        ),
    ),
    "use without result": (
        {"messages": say(("user", "Go."), ("assistant", [USE]), ("user", "And?"))},
        snapshot(
            (
                400,
                "invalid_request_error",
                "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t1. Each "
                "`tool_use` block must have a corresponding `tool_result` block in the next message.",
            )
        ),
    ),
    "changed thinking": (
        {
            "messages": say(
                ("user", "Go."), ("assistant", [{"type": "thinking", "thinking": "a", "signature": "s"}]), ("user", "?")
            )
        },
        snapshot((400, "invalid_request_error", "messages.1.content.0: Invalid `signature` in `thinking` block")),
    ),
    "unknown effort": (
        {"output_config": {"effort": "heroic"}},
        snapshot(
            (
                400,
                "invalid_request_error",
                "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'",
            )
        ),
    ),
    "open schema": (
        {"output_config": {"format": {"type": "json_schema", "schema": OPEN}}},
        snapshot(
            (
                400,
                "invalid_request_error",
                "output_config.format.schema: In context=(), 'additionalProperties' is required to be supplied and to be false.",
            )
        ),
    ),
    "numeric constraint": (
        {"output_config": {"format": {"type": "json_schema", "schema": NUMERIC}}},
        snapshot(
            (
                400,
                "invalid_request_error",
                "output_config.format.schema: In context=('a', ), 'minimum' is not permitted.",
            )
        ),
    ),
    "open strict tool": (
        {"tools": [{"name": "a", "strict": True, "input_schema": OPEN}]},
        snapshot(
            (
                400,
                "invalid_request_error",
                "tools.0.input_schema: In context=(), 'additionalProperties' is required to be supplied and to be false.",
            )
        ),
    ),
    "five cache marks": (
        {
            "messages": say(
                ("user", [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}} for _ in range(5)])
            )
        },
        snapshot((400, "invalid_request_error", "A maximum of 4 blocks with cache_control may be provided. Found 5.")),
    ),
}
OPENAI_REFUSES = {
    "temperature": (
        {"temperature": 0.2},
        snapshot((400, None, "Unsupported parameter: 'temperature' is not supported with this model.")),
    ),
    "unknown field": ({"colour": "red"}, snapshot((400, "unknown_parameter", "Unknown parameter: 'colour'."))),
    "no input": ({"input": ...}, snapshot((400, "missing_required_parameter", "Missing required parameter: 'input'."))),
    "few tokens": (
        {"max_output_tokens": 1},
        snapshot(
            (
                400,
                "integer_below_min_value",
                "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 1 instead.",
            )
        ),
    ),
    "unknown model": (
        {"model": "gpt-2"},
        snapshot((404, "model_not_found", "The model 'gpt-2' does not exist or you do not have access to it.")),
    ),
    "unknown role": (
        {"input": say(("tool", "Go."))},
        snapshot(
            (
                400,
                "invalid_value",
                "Invalid value: 'tool'. Supported values are: 'assistant', 'system', 'developer', and 'user'.",
            )
        ),
    ),
    "wrong part": (
        {"input": say(("user", [{"type": "output_text", "text": "a"}]))},
        snapshot((400, "invalid_value", "Invalid value: 'output_text'.")),
    ),
    "unknown item": ({"input": [{"type": "blob"}]}, snapshot((400, "invalid_value", "Invalid value: 'blob'."))),
    "result without call": (
        {"input": [{"type": "function_call_output", "call_id": "c1", "output": "a"}]},
        snapshot((400, None, "No tool call found for function call output with call_id c1.")),
    ),
    "call without result": (
        {"input": [{"type": "function_call", "call_id": "c1", "name": "bash", "arguments": "{}"}]},
        snapshot((400, None, "No tool output found for function call c1.")),
    ),
    "changed reasoning": (
        {"input": [{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}]},
        snapshot((400, "invalid_encrypted_content", "The encrypted content for item rs_1 could not be verified.")),
    ),
    "unknown effort": (
        {"reasoning": {"effort": "heroic"}},
        snapshot((400, "invalid_value", "Invalid value: 'heroic'.")),
    ),
    "open schema": (
        {"text": {"format": {"type": "json_schema", "name": "a", "strict": True, "schema": OPEN}}},
        snapshot(
            (
                400,
                "invalid_json_schema",
                "Invalid schema for response_format 'a': In context=(), 'additionalProperties' is required to be supplied and to be false.",
            )
        ),
    ),
    "optional property": (
        {"text": {"format": {"type": "json_schema", "name": "a", "strict": True, "schema": OPTIONAL}}},
        snapshot(
            (
                400,
                "invalid_json_schema",
                "Invalid schema for response_format 'a': In context=(), 'required' must include every key in properties. Missing 'a'.",
            )
        ),
    ),
    "nameless schema": (
        {"text": {"format": {"type": "json_schema", "schema": OPEN}}},
        snapshot((400, "missing_required_parameter", "Missing required parameter: 'text.format.name'.")),
    ),
    "open strict tool": (
        {"tools": [{"type": "function", "name": "a", "strict": True, "parameters": OPEN}]},
        snapshot(
            (
                400,
                "invalid_function_parameters",
                "Invalid schema for function 'a': In context=(), 'additionalProperties' is required to be supplied and to be false.",
            )
        ),
    ),
    "long cache key": (
        {"prompt_cache_key": "k" * 65},
        snapshot(
            (
                400,
                "string_above_max_length",
                "Invalid 'prompt_cache_key': string too long. Expected a string with maximum length 64.",
            )
        ),
    ),
}


@pytest.mark.parametrize("name", ANTHROPIC_REFUSES)
def test_anthropic_refuses(vendor, name):
    changes, said = ANTHROPIC_REFUSES[name]
    status, body = ask_anthropic(vendor, **changes)
    assert (status, body["error"]["type"], body["error"]["message"]) == said


@pytest.mark.parametrize("name", OPENAI_REFUSES)
def test_openai_refuses(vendor, name):
    changes, said = OPENAI_REFUSES[name]
    status, body = ask_openai(vendor, **changes)
    assert (status, body["error"]["code"], body["error"]["message"]) == said


def test_an_anthropic_error_carries_its_request_id(vendor):
    _, body = ask_anthropic(vendor, temperature=1)
    assert body["request_id"].startswith("req_")


@pytest.mark.parametrize("key", ["", "Bearer sk-wrong", "sk-ant-playground"])
def test_no_key_and_a_wrong_key_are_401(vendor, key):
    assert ask_anthropic(vendor, headers={"Authorization": key})[0] == 401
    assert ask_openai(vendor, headers={"Authorization": key})[0] == 401


def test_anthropic_wants_its_version_header(vendor):
    answer = httpx2.post(
        vendor.url_anthropic + "/v1/messages", json={}, headers={"Authorization": f"Bearer {ANTHROPIC_KEY}"}
    )
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "anthropic-version: header is required")


def test_a_body_that_is_no_json_is_refused(vendor):
    headers = {"Authorization": f"Bearer {OPENAI_KEY}"}
    assert httpx2.post(vendor.url_openai + "/responses", content=b"{", headers=headers).status_code == 400
