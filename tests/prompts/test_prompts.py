"""Prompts are data: named by content, strict about their inputs, with nothing volatile in the part that a cache keeps."""

import hashlib
from pathlib import Path

import pytest

import prompts

pytestmark = pytest.mark.fast
ROOT = Path(prompts.__file__).parent


def test_the_lock_names_every_prompt_by_its_bytes():
    files = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in ROOT.rglob("*.md")}
    assert prompts.locked() == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


@pytest.mark.parametrize("name", prompts.NAMES)
def test_a_prompt_says_in_its_first_line_which_it_is(name: str):
    assert prompts.load(name).system.splitlines()[0] == f"journeyman:{name}@v1"


@pytest.mark.parametrize("name", prompts.NAMES)
def test_nothing_is_ever_filled_into_a_system_prompt(name: str):
    prompt = prompts.load(name)
    one, two = (prompts.render(prompt, **dict.fromkeys(prompt.inputs, value)) for value in ("one", "two"))
    assert one.system == two.system
    assert "$" not in one.system


@pytest.mark.parametrize("name", prompts.NAMES)
def test_the_sha_is_of_the_file(name: str):
    assert prompts.load(name).sha256 == prompts.locked()[f"{name}/v1.md"]


def test_a_missing_input_is_refused():
    with pytest.raises(prompts.PromptInputs, match=r"missing: \['foundation'\]"):
        prompts.render(prompts.load("work/task"), brief="b", base_sha="s")


def test_an_input_that_nobody_asked_for_is_refused():
    with pytest.raises(prompts.PromptInputs, match=r"not asked for: \['extra'\]"):
        prompts.render(prompts.load("work/task"), brief="b", base_sha="s", foundation="f", extra="e")


def test_a_value_can_not_become_a_placeholder():
    given = prompts.render(prompts.load("work/task"), brief="${base_sha} $$ {{x}}", base_sha="SHA", foundation="f")
    assert given.user.startswith("${base_sha} $$ {{x}}\n")


def test_an_unknown_prompt_is_no_file_access():
    with pytest.raises(KeyError):
        prompts.load("../secrets")
