"""The scripted vendor as OpenAI: the rules of `POST /v1/responses` and the events of its stream."""

import base64
import json
from collections.abc import Iterator
from typing import Any

from bot.core.conversation import Json
from bot.playground.vendor_cache import PrefixCache, Prompt, tokens
from bot.playground.vendor_faults import Invalid, fields, keys_within, schema_problem
from bot.playground.vendor_replies import Answer, Call, FaultKind, Result, header

MODELS = ("gpt-6.2-sol", "gpt-6.2-astra", "gpt-6-luna")

_TOP = fields(
    "access_programs background background_options context_management conversation image include input "
    "instructions max_output_tokens max_tool_calls metadata model moderation parallel_tool_calls "
    "previous_response_id prompt prompt_cache_key prompt_cache_options prompt_cache_retention reasoning "
    "safety_identifier service_tier store stream stream_options text tool_choice tools top_logprobs truncation "
    "user"
)
_ITEMS = {
    "message": frozenset({"type", "id", "role", "content", "status", "phase"}),
    "function_call": frozenset(
        {"type", "id", "call_id", "name", "arguments", "status", "caller", "namespace", "async"}
    ),
    "function_call_output": frozenset({"type", "id", "call_id", "output", "status", "name", "namespace", "caller"}),
    "reasoning": frozenset({"type", "id", "summary", "content", "encrypted_content", "status"}),
}
_PARTS = {"user": "input_text", "system": "input_text", "developer": "input_text", "assistant": "output_text"}
_EFFORTS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"})
ODD_ITEM: Json = {"type": "hologram", "id": "holo_1", "layers": [1, None, {"deep": True}]}
"""An item of a type that no client knows yet."""


def _unknown(param: str) -> Invalid:
    return Invalid(f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")


def check(body: Json) -> None:
    """Raise Invalid for the first thing that the vendor would refuse."""
    for name in ("temperature", "top_p"):
        if name in body:
            raise Invalid(f"Unsupported parameter: '{name}' is not supported with this model.", param=name)
    extra = keys_within(body, _TOP, "")
    if extra:
        raise _unknown(extra)
    for name in ("model", "input"):
        if not body.get(name):
            raise Invalid(f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter")
    if body["model"] not in MODELS:
        said = f"The model '{body['model']}' does not exist or you do not have access to it."
        raise Invalid(said, status=404, param="model", code="model_not_found")
    if body.get("max_output_tokens") is not None and body["max_output_tokens"] < 16:
        raise Invalid(
            "Invalid 'max_output_tokens': integer below minimum value. "
            f"Expected a value >= 16, but got {body['max_output_tokens']} instead.",
            param="max_output_tokens",
            code="integer_below_min_value",
        )
    if len(body.get("prompt_cache_key") or "") > 64:
        raise Invalid(
            "Invalid 'prompt_cache_key': string too long. Expected a string with maximum length 64.",
            param="prompt_cache_key",
            code="string_above_max_length",
        )
    _check_reasoning(body.get("reasoning") or {})
    _check_format((body.get("text") or {}).get("format"))
    for index, tool in enumerate(body.get("tools") or []):
        _check_tool(tool, f"tools[{index}]")
    _check_items(_input(body), stored=body.get("store") is not False)


def _check_reasoning(reasoning: Json) -> None:
    extra = keys_within(reasoning, frozenset({"context", "effort", "generate_summary", "mode", "summary"}), "reasoning")
    if extra:
        raise _unknown(extra)
    if reasoning.get("effort") is not None and reasoning["effort"] not in _EFFORTS:
        raise Invalid(f"Invalid value: '{reasoning['effort']}'.", param="reasoning.effort", code="invalid_value")


def _check_format(shape: Json | None) -> None:
    if shape is None or shape.get("type") == "text":
        return
    extra = keys_within(shape, frozenset({"type", "name", "schema", "strict", "description"}), "text.format")
    if extra:
        raise _unknown(extra)
    for name in ("name", "schema"):
        if not shape.get(name):
            raise Invalid(
                f"Missing required parameter: 'text.format.{name}'.",
                param=f"text.format.{name}",
                code="missing_required_parameter",
            )
    problem = schema_problem(shape["schema"]) if shape.get("strict") else None
    if problem:
        raise Invalid(
            f"Invalid schema for response_format '{shape['name']}': {problem}",
            param="text.format.schema",
            code="invalid_json_schema",
        )


def _check_tool(tool: Json, where: str) -> None:
    allowed = fields("type name description parameters strict defer_loading output_schema allowed_callers async")
    extra = keys_within(tool, allowed, where)
    if extra:
        raise _unknown(extra)
    for name in ("type", "name", "parameters"):
        if name not in tool:
            raise Invalid(
                f"Missing required parameter: '{where}.{name}'.",
                param=f"{where}.{name}",
                code="missing_required_parameter",
            )
    problem = schema_problem(tool["parameters"]) if tool.get("strict") else None
    if problem:
        raise Invalid(
            f"Invalid schema for function '{tool['name']}': {problem}",
            param=f"{where}.parameters",
            code="invalid_function_parameters",
        )


def _check_items(items: list[Json], *, stored: bool) -> None:
    called: set[str] = set()
    answered: set[str] = set()
    for index, item in enumerate(items):
        where = f"input[{index}]"
        _check_item(item, where, stored=stored)
        if item.get("type") == "function_call":
            called.add(item["call_id"])
        if item.get("type") == "function_call_output":
            if item["call_id"] not in called:
                raise Invalid(
                    f"No tool call found for function call output with call_id {item['call_id']}.", param="input"
                )
            answered.add(item["call_id"])
    missing = sorted(called - answered)
    if missing:
        raise Invalid(f"No tool output found for function call {missing[0]}.", param="input")


def _check_item(item: Json, where: str, *, stored: bool) -> None:
    if item == ODD_ITEM:
        return
    kind = item.get("type", "message")
    if kind not in _ITEMS:
        raise Invalid(f"Invalid value: '{kind}'.", param=where, code="invalid_value")
    extra = keys_within(item, _ITEMS[kind], where)
    if extra:
        raise _unknown(extra)
    if kind == "reasoning" and not stored and item.get("encrypted_content") != seal(item):
        raise Invalid(
            f"The encrypted content for item {item.get('id')} could not be verified.", code="invalid_encrypted_content"
        )
    if kind != "message":
        return
    role = item.get("role")
    if role not in _PARTS:
        raise Invalid(
            f"Invalid value: '{role}'. Supported values are: 'assistant', 'system', 'developer', and 'user'.",
            param=f"{where}.role",
            code="invalid_value",
        )
    for at, part in enumerate(item["content"] if isinstance(item.get("content"), list) else []):
        if part.get("type") not in (_PARTS[role], "refusal" if role == "assistant" else ""):
            raise Invalid(f"Invalid value: '{part.get('type')}'.", param=f"{where}.content[{at}]", code="invalid_value")


def _input(body: Json) -> list[Json]:
    given = body["input"]
    return [{"role": "user", "content": given}] if isinstance(given, str) else list(given)


def measure(body: Json, cache: PrefixCache) -> Prompt:
    """Bill a prompt: every prefix of it is cached by the vendor itself, under the caller's cache key."""
    fixed: list[Any] = [body.get("tools") or [], (body.get("text") or {}).get("format"), body.get("instructions") or ""]
    blocks = [*fixed, *_input(body)]
    key = f"openai/{body['model']}/{body.get('prompt_cache_key') or ''}"
    return cache.measure(key, blocks, range(2, len(blocks)))


def as_call(body: Json, number: int) -> Call:
    """A checked request as a policy sees it."""
    system = body.get("instructions") or ""
    items = _input(body)
    shape = (body.get("text") or {}).get("format") or {}
    role, step, version = header(system)
    return Call(
        vendor="openai",
        model=body["model"],
        role=role,
        step=step,
        version=version,
        system=system,
        users=tuple(text for item in items if item.get("role") == "user" for text in _texts(item)),
        results=tuple(_result(item) for item in items if item.get("type") == "function_call_output"),
        tools=tuple(tool["name"] for tool in body.get("tools") or []),
        schema=shape.get("schema"),
        turn=1 + _turns(items),
        number=number,
        effort=(body.get("reasoning") or {}).get("effort") or "",
        max_tokens=body.get("max_output_tokens") or 0,
    )


def _turns(items: list[Json]) -> int:
    """How many model turns there were: runs of items that the model made."""
    made = [
        item.get("role") not in ("user", "system", "developer") and item.get("type") != "function_call_output"
        for item in items
    ]
    return sum(now and not before for before, now in zip([False, *made], made, strict=False))


def _texts(item: Json) -> list[str]:
    content = item.get("content")
    return [content] if isinstance(content, str) else [part.get("text", "") for part in content or []]


def _result(item: Json) -> Result:
    output = item["output"] if isinstance(item["output"], str) else json.dumps(item["output"])
    return Result(item["call_id"], output, output.startswith("error: "))


def seal(item: Json) -> str:
    """The encrypted form of a reasoning item, which only the same id has."""
    return "gAAAA" + base64.urlsafe_b64encode(f"sealed {item.get('id')}".encode()).decode()


def items_of(answer: Answer, number: int, fault: FaultKind | None) -> list[Json]:
    """The whole output of the answer."""
    out: list[Json] = [ODD_ITEM] if fault == "unknown_block" else []
    if answer.thinking:
        item: Json = {"id": f"rs_{number:06d}", "type": "reasoning", "summary": []}
        out.append({**item, "encrypted_content": seal(item)})
    if answer.json is not None and answer.text:
        aside = {"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []}
        head: Json = {"id": f"msg_{number:06d}00", "type": "message", "status": "completed", "role": "assistant"}
        out.append({**head, "content": [aside], "phase": "commentary"})
    words = answer.words
    if fault in ("bad_json", "length") and not answer.calls:
        words = words[: len(words) // 2]
    status = "incomplete" if fault == "length" else "completed"
    part: Json = {"type": "output_text", "text": words, "annotations": [], "logprobs": []}
    if fault == "refusal":
        part = {"type": "refusal", "refusal": "I can't help with that."}
    if words or fault == "refusal":
        phase = "commentary" if answer.calls else "final_answer"
        message = {
            "id": f"msg_{number:06d}",
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": [part],
            "phase": phase,
        }
        out.append(message)
    for index, (name, value) in enumerate(answer.calls if fault != "refusal" else ()):
        text = json.dumps(value, ensure_ascii=False)
        out.append(
            {
                "id": f"fc_{number:06d}{index:02d}",
                "type": "function_call",
                "status": status,
                "call_id": f"call_{number:06d}{index:02d}",
                "name": name,
                "arguments": text[: len(text) // 2] if fault == "length" else text,
            }
        )
    return out


_ENDINGS: dict[str, tuple[str, str]] = {
    "length": ("incomplete", "max_output_tokens"),
    "failed": ("failed", "server_error"),
}


def finished(body: Json, answer: Answer, prompt: Prompt, number: int, fault: FaultKind | None) -> Json:
    """The finished response, as a call without streaming gets it."""
    status, reason = _ENDINGS.get(fault or "", ("completed", ""))
    thought = tokens(answer.thinking)
    spoken = tokens(answer.words) + sum(tokens(json.dumps(value)) for _, value in answer.calls)
    output = max(1, thought + spoken)
    usage = {
        "input_tokens": prompt.total,
        "input_tokens_details": {"cached_tokens": prompt.read, "cache_write_tokens": prompt.written},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": prompt.total + output,
    }
    return {
        "id": f"resp_{number:06d}",
        "object": "response",
        "created_at": 1_795_000_000 + number,
        "status": status,
        "background": False,
        "error": {"code": reason, "message": "The response could not be finished."} if status == "failed" else None,
        "incomplete_details": {"reason": reason} if status == "incomplete" else None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "metadata": {},
        "model": body["model"],
        "output": items_of(answer, number, fault) if status != "failed" else [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "prompt_cache_key": body.get("prompt_cache_key"),
        "reasoning": {"effort": (body.get("reasoning") or {}).get("effort"), "summary": None},
        "service_tier": "default",
        "store": body.get("store", True),
        "temperature": None,
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": body.get("tools") or [],
        "top_p": None,
        "truncation": "disabled",
        "usage": usage if status != "failed" else None,
    }


def events(whole: Json) -> Iterator[tuple[str, Json]]:
    """A response as the events of its stream, numbered."""
    for number, (name, data) in enumerate(_events(whole)):
        yield name, {**data, "sequence_number": number}


def _events(whole: Json) -> Iterator[tuple[str, Json]]:
    opening = {
        **whole,
        "status": "in_progress",
        "output": [],
        "usage": None,
        "error": None,
        "incomplete_details": None,
    }
    yield "response.created", {"response": opening}
    yield "response.in_progress", {"response": opening}
    for index, item in enumerate(whole["output"]):
        yield from _item_events(item, index)
    yield f"response.{whole['status']}", {"response": whole}


def _item_events(item: Json, index: int) -> Iterator[tuple[str, Json]]:
    at: Json = {"output_index": index, "item_id": item["id"]}
    started = {**item, "status": "in_progress"} if "status" in item else dict(item)
    match item:
        case {"type": "message"}:
            yield "response.output_item.added", {"output_index": index, "item": {**started, "content": []}}
            for content_index, part in enumerate(item["content"]):
                yield from _part_events(part, {**at, "content_index": content_index})
        case {"type": "function_call", "arguments": arguments}:
            yield "response.output_item.added", {"output_index": index, "item": {**started, "arguments": ""}}
            for piece in _split(arguments):
                yield "response.function_call_arguments.delta", {**at, "delta": piece}
            yield "response.function_call_arguments.done", {**at, "name": item["name"], "arguments": arguments}
        case _:
            yield "response.output_item.added", {"output_index": index, "item": started}
    yield "response.output_item.done", {"output_index": index, "item": item}


def _part_events(part: Json, at: Json) -> Iterator[tuple[str, Json]]:
    key, name = ("refusal", "refusal") if part["type"] == "refusal" else ("text", "output_text")
    more: Json = {"logprobs": []} if name == "output_text" else {}
    yield "response.content_part.added", {**at, "part": {**part, key: ""}}
    for piece in _split(part[key]):
        yield f"response.{name}.delta", {**at, "delta": piece, **more}
    yield f"response.{name}.done", {**at, key: part[key], **more}
    yield "response.content_part.done", {**at, "part": part}


def error_event(fault: FaultKind, number: int) -> Json:
    """The event that ends a stream which broke inside the vendor, or whose prompt turned out too long."""
    code, said = "server_error", "The server had an error while processing your request."
    if fault == "window":
        code, said = "context_length_exceeded", "Your input exceeds the context window of this model."
    return {"code": code, "message": said, "param": None, "sequence_number": number}


def _split(text: str, size: int = 48) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]
