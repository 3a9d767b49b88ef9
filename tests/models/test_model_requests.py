"""What is sent, as the vendor received it."""

import pytest
from inline_snapshot import snapshot

from bot.core.conversation import AssistantTurn, ModelRequest, ResultsTurn, ToolResult, UserTurn
from bot.models.anthropic import body
from bot.playground.vendor import tools
from tests.models.conftest import BASH, VERDICT

pytestmark = pytest.mark.fast

SYSTEM = "journeyman:work/task@v1\nWork."

TOOL_BODIES = {
    "anthropic": snapshot(
        {
            "max_tokens": 1000,
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "Fix the bug.", "cache_control": {"type": "ephemeral"}}],
                }
            ],
            "model": "claude-sonnet-5-5",
            "output_config": {"effort": "high"},
            "stream": True,
            "system": [
                {
                    "type": "text",
                    "text": """\
journeyman:work/task@v1
Work.\
""",
                    "cache_control": {"type": "ephemeral"},
                }
            ],
            "tools": [
                {
                    "name": "bash",
                    "description": "Run a command.",
                    "input_schema": {
                        "type": "object",
                        "properties": {"command": {"type": "string"}},
                        "required": ["command"],
                        "additionalProperties": False,
                    },
                    "strict": True,
                }
            ],
        }
    ),
    "openai": snapshot(
        {
            "model": "gpt-6.2-sol",
            "stream": True,
            "include": ["reasoning.encrypted_content"],
            "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Fix the bug."}]}],
            "instructions": """\
journeyman:work/task@v1
Work.\
""",
            "max_output_tokens": 1000,
            "prompt_cache_key": "cd81fb2f6eaeb3168677f4a3c642429b4ffe80f40df4efd9c7367090fcf50434",
            "reasoning": {"effort": "high"},
            "store": False,
            "tools": [
                {
                    "type": "function",
                    "name": "bash",
                    "description": "Run a command.",
                    "parameters": {
                        "type": "object",
                        "properties": {"command": {"type": "string"}},
                        "required": ["command"],
                        "additionalProperties": False,
                    },
                    "strict": True,
                }
            ],
        }
    ),
}
SCHEMA_BODIES = {
    "anthropic": snapshot(
        {
            "max_tokens": 1000,
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "Fix the bug.", "cache_control": {"type": "ephemeral"}}],
                }
            ],
            "model": "claude-sonnet-5-5",
            "output_config": {
                "effort": "medium",
                "format": {
                    "type": "json_schema",
                    "schema": {
                        "type": "object",
                        "properties": {"verdict": {"type": "string"}},
                        "required": ["verdict"],
                        "additionalProperties": False,
                    },
                },
            },
            "stream": True,
            "system": [
                {
                    "type": "text",
                    "text": """\
journeyman:work/task@v1
Work.\
""",
                    "cache_control": {"type": "ephemeral"},
                }
            ],
        }
    ),
    "openai": snapshot(
        {
            "model": "gpt-6.2-sol",
            "stream": True,
            "include": ["reasoning.encrypted_content"],
            "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Fix the bug."}]}],
            "instructions": """\
journeyman:work/task@v1
Work.\
""",
            "max_output_tokens": 1000,
            "prompt_cache_key": "cd81fb2f6eaeb3168677f4a3c642429b4ffe80f40df4efd9c7367090fcf50434",
            "reasoning": {"effort": "medium"},
            "store": False,
            "text": {
                "format": {
                    "type": "json_schema",
                    "name": "review",
                    "schema": {
                        "type": "object",
                        "properties": {"verdict": {"type": "string"}},
                        "required": ["verdict"],
                        "additionalProperties": False,
                    },
                    "strict": True,
                }
            },
        }
    ),
}


async def test_a_request_with_tools_as_it_is_sent(model, ask, script, vendor, side):
    script.on("work/task", "Done.")
    await model.complete(ask(system=SYSTEM, tools=(BASH,), effort="high"))
    assert vendor.calls[0].body == TOOL_BODIES[side.name]


async def test_a_request_with_a_schema_as_it_is_sent(model, ask, script, vendor, side):
    script.on("work/task", {"verdict": "clean"})
    await model.complete(ask(system=SYSTEM, schema=VERDICT, schema_name="review"))
    assert vendor.calls[0].body == SCHEMA_BODIES[side.name]


async def test_the_key_goes_as_a_bearer_and_nowhere_else(model, ask, script, vendor, side):
    script.on("work/task", "Done.")
    await model.complete(ask())
    headers = vendor.calls[0].headers
    assert [name for name, value in headers.items() if side.key in value] == ["authorization"]
    assert headers["authorization"] == f"Bearer {side.key}"


async def test_the_api_version_is_the_sdks(model, ask, script, vendor, side):
    script.on("work/task", "Done.")
    await model.complete(ask())
    assert vendor.calls[0].headers.get("anthropic-version") == ("2026-10-21" if side.name == "anthropic" else None)


async def test_the_same_request_gives_the_same_bytes(model, ask, script, vendor):
    script.on("work/task", "Done.")
    await model.complete(ask(tools=(BASH,)))
    await model.complete(ask(tools=(BASH,)))
    assert vendor.calls[0].body == vendor.calls[1].body


@pytest.mark.parametrize("effort", ["low", "medium", "high", "xhigh", "max"])
async def test_every_effort_is_taken_by_both_vendors(model, ask, script, vendor, effort):
    script.on("work/task", "Done.")
    await model.complete(ask(effort=effort))
    assert vendor.calls[0].call.effort == effort


async def test_a_conversation_grows_by_appending_only(model, ask, script, vendor, side):
    script.on("work/task", tools(("bash", {"command": "ls"})), "Done.")
    first = await model.complete(ask("Look.", tools=(BASH,)))
    await model.complete(ask("Look.", first.turn, ResultsTurn((ToolResult(first.calls[0].id, "a"),)), tools=(BASH,)))
    name = "messages" if side.name == "anthropic" else "input"
    before, after = (_bare(seen.body[name]) for seen in vendor.calls)
    assert after[: len(before)] == before


def _bare(turns):
    """Turns without cache marks, which move and are no part of the prefix."""
    return [
        {
            k: [{a: b for a, b in part.items() if a != "cache_control"} for part in v] if isinstance(v, list) else v
            for k, v in t.items()
        }
        for t in turns
    ]


def test_our_words_after_results_do_not_use_up_a_cache_mark():
    raw = ({"type": "tool_use", "id": "t1", "name": "bash", "input": {}},)
    turns = (
        UserTurn("Look."),
        AssistantTurn("anthropic", raw),
        ResultsTurn((ToolResult("t1", "a"),)),
        UserTurn("Quick."),
    )
    messages = body(ModelRequest("work", "anthropic/claude-sonnet-5-5", SYSTEM, turns))["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    assert ["cache_control" in message["content"][-1] for message in messages] == [True, False, True]
