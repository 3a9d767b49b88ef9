"""A model's answer becomes a spec, or plain sentences that the same model can act on."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.core import answers
from bot.core.spec import Assumption, Spec
from tests.core.samples import draft, spec

pytestmark = pytest.mark.fast
MODELS = (answers.DraftAnswer, answers.ReviseAnswer, answers.ReviewAnswer, answers.PlanAnswer)


def nodes(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [node for item in value for node in nodes(item)]
    if isinstance(value, dict):
        return [value, *(node for item in value.values() for node in nodes(item))]
    return []


@pytest.mark.parametrize("model", MODELS)
def test_a_wire_schema_is_strict_all_the_way_down(model: Any):
    schema = answers.wire_schema(model)
    objects = [node for node in nodes(schema) if node.get("type") == "object"]
    assert objects
    assert all(node["additionalProperties"] is False for node in objects)
    assert all(node["required"] == list(node["properties"]) for node in objects)


@pytest.mark.parametrize("model", MODELS)
def test_a_wire_schema_has_nothing_that_a_vendor_refuses(model: Any):
    allowed = {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "description"}
    schema = answers.wire_schema(model)
    objects = [node for node in nodes(schema) if "type" in node and not isinstance(node["type"], dict)]
    assert {key for node in objects for key in node} <= allowed


def test_a_property_that_is_called_title_stays():
    assert "title" in answers.wire_schema(answers.DraftAnswer)["properties"]


def test_every_dimension_is_on_the_wire():
    finding = answers.wire_schema(answers.ReviewAnswer)["properties"]["findings"]["items"]
    assert len(finding["properties"]["dimension"]["enum"]) == 36


def test_an_answer_with_more_than_was_asked_for_is_no_answer():
    with pytest.raises(ValidationError):
        draft(verdict="clean")


def test_a_good_draft_becomes_a_spec():
    made = spec()
    assert [item.id for item in made.requirements] == ["R1", "R2"]
    assert [item.id for item in made.requirements[0].criteria] == ["AC1.1", "AC1.2"]
    assert [item.id for item in made.assumptions] == ["A1"]


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        (["R1", "R2"], ["R1", "R2"]),
        (["r-1", "R02"], ["R1", "R2"]),
        (["1", "**R3**"], ["R1", "R3"]),
        (["", "R1", "R1"], ["R2", "R1", "R3"]),
        (["R9", "what", "AC1"], ["R9", "R1", "R2"]),
        (["R0", "R99999"], ["R1", "R2"]),
    ],
)
def test_ids_take_one_form_and_keep_their_number(given: list[str], ids: list[str]):
    assert answers.numbered("R", given) == ids


@given(st.lists(st.text(max_size=6) | st.integers(0, 1200).map(lambda n: f"R{n}"), max_size=40))
def test_ids_are_always_unique_and_well_formed(given: list[str]):
    ids = answers.numbered("R", given)
    assert len(set(ids)) == len(given)
    assert all(name[0] == "R" and name[1:].isascii() and int(name[1:]) > 0 for name in ids)


def test_a_criterion_that_brings_its_own_id_is_not_named_twice():
    item = draft().requirements[0].model_copy(update={"criteria": ["AC1.1: one row", "AC 1.2 - none"]})
    made = answers.to_spec(draft(requirements=[item.model_dump()]))
    assert isinstance(made, Spec)
    assert [criterion.text for criterion in made.requirements[0].criteria] == ["one row", "none"]


def problems(**changed: object) -> list[str]:
    made = answers.to_spec(draft(**changed))
    assert isinstance(made, list)
    return made


def requirement(**changed: object) -> list[dict[str, Any]]:
    return [draft().requirements[0].model_copy(update=changed).model_dump()]


def change(path: str) -> dict[str, str]:
    return {"path": path, "kind": "create", "why": "w"}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"caching": " "}, "`caching` is empty; a section with nothing to say reads `none, because …`."),
        ({"caching": "None."}, "`caching` gives no reason; write `none, because …`."),
        ({"title": "x" * 121}, "`title` has 121 characters; at most 120 are taken."),
        ({"routes": "x" * 6001}, "`routes` has 6001 characters; at most 6000 are taken."),
        ({"non_goals": ["x"] * 21}, "`non_goals` has 21 entries; at most 20 are taken."),
        ({"requirements": []}, "There is no requirement; a spec needs at least one."),
        ({"requirements": requirement(text="It works.")}, "Requirement R1 is not in EARS wording: it has no `SHALL`."),
        ({"requirements": requirement(criteria=[])}, "Requirement R1 has no acceptance criterion."),
        ({"requirements": requirement(criteria=[" "])}, "Requirement R1 has an empty acceptance criterion."),
        (
            {"requirements": requirement(criteria=["x"] * 11)},
            "Requirement R1 has 11 acceptance criteria; at most 10 are taken.",
        ),
        (
            {"requirements": requirement(source="repo")},
            "Requirement R1 comes from the repo and names no `source_ref` (path:line).",
        ),
        (
            {"requirements": requirement(criteria=["x" * 601])},
            "Requirement R1 has a text over 600 characters; split it.",
        ),
        ({"changes": []}, "`changes` is empty; name each path that will be created, modified or deleted."),
        ({"changes": [change("../x")]}, "`../x` in `changes` is not a path inside the repository."),
        ({"changes": [change("/etc/passwd")]}, "`/etc/passwd` in `changes` is not a path inside the repository."),
        ({"changes": [change("a.py"), change("./a.py")]}, "`a.py` is in `changes` twice."),
        (
            {"verification": ["make\nrm -rf x"]},
            "A command in `verification` has more than one line; give one command an entry.",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_plain_sentence(changed: dict[str, Any], sentence: str):
    assert problems(**changed) == [sentence]


def test_all_problems_come_at_once():
    assert len(problems(caching="", rbac="", changes=[])) == 3


def settled(text: str = "Consent is kept for 24 months") -> Spec:
    return replace(spec(), assumptions=(Assumption("A1", text, True, True, answer="36 months"),))


def assumption(name: str, text: str) -> dict[str, object]:
    return {"id": name, "text": text, "reversible": True, "needs_person": True}


def test_what_a_person_settled_stands_word_for_word_when_the_model_rewords_it():
    reworded = draft(assumptions=[assumption("A1", "Consent is kept for 12 months")])
    made = answers.to_spec(reworded, previous=settled())
    assert isinstance(made, Spec)
    assert made.assumptions == settled().assumptions


def test_what_a_person_settled_stands_when_the_model_forgets_it():
    made = answers.to_spec(draft(assumptions=[]), previous=settled())
    assert isinstance(made, Spec)
    assert made.assumptions == settled().assumptions


def test_a_new_assumption_does_not_inherit_an_old_answer():
    made = answers.to_spec(
        draft(assumptions=[assumption("A1", "The page lives in the default tenant")]), previous=settled()
    )
    assert isinstance(made, Spec)
    assert [(item.id, item.answer) for item in made.assumptions] == [("A1", "36 months"), ("A2", "")]


def test_an_assumption_that_nobody_settled_may_change():
    open_one = replace(spec(), assumptions=(Assumption("A1", "Consent is kept for 24 months", True, True),))
    made = answers.to_spec(draft(assumptions=[]), previous=open_one)
    assert isinstance(made, Spec)
    assert made.assumptions == ()
