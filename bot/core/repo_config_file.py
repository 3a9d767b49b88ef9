"""Reading `.github/agent.yml`: hostile bytes in, a whole `RepoConfig` out, with one plain message for each thing that is wrong.

What is wrong falls back to its default and leaves the rest of the file in force. Anchors and tags are refused, so nothing in the
file can expand or construct anything.
"""

import dataclasses
import difflib
import json
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bot.core.repo_config import RepoConfig

SIZE_LIMIT = 64 * 1024
"""Bytes of the file."""
BRACKETS_LIMIT = 2_000
"""Opening brackets in the file: the reader takes seconds over tens of thousands of them."""

Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing that is wrong. `line` counts from 1; `key` is a dotted path, empty for the file as a whole."""

    line: int
    key: str
    message: str


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The configuration to go by, and what was wrong with the file."""

    config: RepoConfig
    problems: tuple[ConfigProblem, ...] = ()


def read_config(raw: bytes | None) -> ConfigFile:
    """The configuration in these bytes (None: there is no file); never raises."""
    if raw is None:
        return ConfigFile(RepoConfig())
    if len(raw) > SIZE_LIMIT:
        return _refused(1, f"the file has {len(raw):,} bytes and {SIZE_LIMIT:,} are the most")
    if raw.count(b"[") + raw.count(b"{") > BRACKETS_LIMIT:
        return _refused(1, "the file is nested too deeply")
    try:
        root = YAML(typ="safe", pure=True).compose(raw.decode("utf-8-sig"))
        return _from_node(root)
    except UnicodeDecodeError:
        return _refused(1, "the file is not UTF-8")
    except RecursionError:
        return _refused(1, "the file is nested too deeply")
    except MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        return _refused(mark.line + 1 if mark else 1, f"the file is not YAML: {problem.problem or problem.context}")
    except (YAMLError, Warning, ValueError) as problem:
        return _refused(
            1, f"the file is not YAML: {str(problem).strip().splitlines()[0] if str(problem).strip() else ''}"
        )


def _refused(line: int, message: str) -> ConfigFile:
    return ConfigFile(RepoConfig(), (ConfigProblem(line, "", message),))


def _from_node(root: Node | None) -> ConfigFile:
    if root is None:
        return ConfigFile(RepoConfig())
    if not isinstance(root, MappingNode):
        return _refused(root.start_mark.line + 1, "the file must be a mapping, such as `version: 1`")
    reader = _Reader()
    data = reader.mapping(root, ())
    adapter = TypeAdapter(RepoConfig)
    # Each round takes at least one wrong value out, so the file's own size bounds the rounds.
    while True:
        try:
            config = adapter.validate_json(json.dumps(data))
            return ConfigFile(config, tuple(sorted(reader.problems, key=lambda one: (one.line, one.key))))
        except ValidationError as wrong:
            gone: set[Key] = set()
            for error in wrong.errors(include_url=False):
                key: Key = tuple(error["loc"])
                reader.problem(key, _sentence(error, key))
                gone.add(_whole(key[:-1] if error["type"] == "missing" else key))
            # From the back, so that taking one item out of a list moves none of those still to go.
            taken = [_without(data, key) for key in sorted(gone, reverse=True)]
            if not any(taken):
                return ConfigFile(RepoConfig(), tuple(reader.problems))


def _whole(key: Key) -> Key:
    # What blocks a spec must not become less by a misspelt word: here one wrong item brings the whole default back.
    return key[:2] if key[:2] == ("review", "block_on") else key


class _Reader:
    """Walks the node tree once, keeping the line of every key."""

    def __init__(self) -> None:
        self.problems: list[ConfigProblem] = []
        self._lines: dict[Key, int] = {}

    def problem(self, key: Key, message: str, line: int = 0) -> None:
        at = key
        while at and at not in self._lines:
            at = at[:-1]
        found = ConfigProblem(line or self._lines.get(at, 1), _dotted(key), message)
        if found not in self.problems:
            self.problems.append(found)

    def mapping(self, node: MappingNode, at: Key) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for name, value in node.value:
            key = (*at, str(name.value) if isinstance(name, ScalarNode) else "?")
            line, duplicate = name.start_mark.line + 1, key in self._lines
            self._lines.setdefault(key, line)
            if not isinstance(name, ScalarNode):
                self.problem(key, "a key must be a plain word")
            elif duplicate:
                self.problem(key, "this key stands here twice; the first one counts", line)
            else:
                data.update((str(name.value), read) for read in self._value(value, key))
        return data

    def _value(self, node: Node, at: Key) -> list[Any]:
        """One value in a list, or an empty list where it can't be taken."""
        self._lines.setdefault(at, node.start_mark.line + 1)
        if node.anchor:
            self.problem(at, "anchors and aliases are not supported; write the value out")
            return []
        if isinstance(node, MappingNode):
            return [self.mapping(node, at)]
        if isinstance(node, SequenceNode):
            return [[read for index, one in enumerate(node.value) for read in self._value(one, (*at, index))]]
        try:
            return [_scalar(str(node.tag).removeprefix("tag:yaml.org,2002:"), str(node.value))]
        except ValueError as wrong:
            self.problem(at, str(wrong))
            return []


def _scalar(tag: str, text: str) -> object:
    match tag:
        case "str" | "timestamp" | "merge" | "value":
            return text
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int" | "float" if len(text) > 40:
            raise ValueError("this number is too long")
        case "int":
            digits = text.replace("_", "")
            return int(digits, 0) if digits.lstrip("+-")[:2].lower() in ("0x", "0o", "0b") else int(digits)
        case "float" if "inf" in text.lower() or "nan" in text.lower():
            raise ValueError("must be an ordinary number")
        case "float":
            return float(text.replace("_", ""))
        case _:
            raise ValueError("YAML tags are not supported; write the plain value")


def _without(data: Any, key: Key) -> bool:
    """Take one value out of nested data; False where there is nothing to take."""
    for part in key[:-1]:
        try:
            data = data[part]
        except (LookupError, TypeError):
            return False
    if not key or not isinstance(data, dict | list):
        return False
    try:
        del data[key[-1]]
    except (LookupError, TypeError):
        return False
    return True


def _dotted(key: Key) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key)
    return text.removeprefix(".")[:120]


# ---- plain messages ------------------------------------------------------------------------------------------------

_PLAIN = {
    "missing": "is needed here",
    "string_type": "must be a text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "dataclass_type": "must be a mapping of keys",
    "string_pattern_mismatch": "has a form that can't be right here",
}


def _sentence(error: ErrorDetails, key: Key) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "unexpected_keyword_argument":
        return _unknown_key(key)
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind == "literal_error":
        return _one_of(str(context.get("expected", "")), error["input"])
    if kind == "value_error":
        return str(context.get("error", error["msg"]))
    return error["msg"].removeprefix("Input ").removeprefix("Value error, ").replace("should", "must")


def _one_of(expected: str, given: object) -> str:
    words = [word.strip("' ") for word in expected.replace(" or ", ",").split(",")]
    near = difflib.get_close_matches(str(given)[:60], words, n=1) if isinstance(given, str) else []
    return f"must be {' or '.join(words)}" + (f"; did you mean {near[0]}?" if near else "")


def _unknown_key(key: Key) -> str:
    known = _keys_at(key[:-1])
    near = difflib.get_close_matches(str(key[-1])[:60], known, n=1)
    return "is no key here" + (f"; did you mean {near[0]}?" if near else f"; the keys are {', '.join(known)}")


def _keys_at(key: Key) -> list[str]:
    shape: Any = RepoConfig
    for part in key:
        shape = get_args(shape)[0] if isinstance(part, int) else get_type_hints(shape)[part]
    return [one.name for one in dataclasses.fields(shape)]
