"""Schemas on the wire: closed, complete and without constraints that a vendor refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from bot.models.strict import strict
from bot.playground.vendor_faults import schema_problem

pytestmark = pytest.mark.fast


class Finding(BaseModel):
    title: str = Field(max_length=80)
    line: int = Field(default=1, ge=1)


class Review(BaseModel):
    findings: list[Finding] = Field(max_length=20)
    note: str | None = None


def test_a_pydantic_model_becomes_a_strict_schema():
    schema = strict(Review.model_json_schema())
    assert schema_problem(schema) is None
    assert schema["required"] == ["findings", "note"]


def test_a_property_named_like_a_keyword_stays():
    assert "title" in strict(Review.model_json_schema())["$defs"]["Finding"]["properties"]


def test_a_schema_that_is_strict_already_is_unchanged():
    schema = {
        "type": "object",
        "properties": {"kind": {"type": "string", "enum": ["a", "b"], "description": "Which."}},
        "required": ["kind"],
        "additionalProperties": False,
    }
    assert strict(schema) == schema


LEAVES = st.sampled_from([{"type": "string", "maxLength": 3}, {"type": "integer", "minimum": 1}, {"enum": ["title"]}])
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from(["a", "title", "default"]), inner, max_size=3).map(
            lambda p: {"type": "object", "properties": p}
        ),
        inner.map(lambda items: {"type": "array", "items": items, "maxItems": 3}),
        st.lists(inner, min_size=1, max_size=2).map(lambda options: {"anyOf": options}),
    ),
    max_leaves=8,
)


@given(schema=SCHEMAS)
def test_whatever_is_asked_passes_strict_mode_and_doing_it_again_changes_nothing(schema):
    once = strict(schema)
    assert schema_problem(once) is None
    assert strict(once) == once
