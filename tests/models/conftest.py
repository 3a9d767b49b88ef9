"""Both adapters against the scripted vendor, over real HTTP: every test that takes `model` runs once for each vendor."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field

import pytest

from bot.core.conversation import ModelRequest, ToolSpec, Turn, UserTurn
from bot.core.redact import Secret
from bot.models.anthropic import AnthropicModel
from bot.models.errors import Patience
from bot.models.openai import OpenAIModel
from bot.models.streaming import StreamingModel
from bot.playground.vendor import ANTHROPIC_KEY, OPENAI_KEY, Script, ScriptedVendor, start_vendor

NOW = 1_795_500_000.0
LONG_SYSTEM = "journeyman:work/task@v1\n" + "You work with care. " * 200


@dataclass
class Naps:
    """A sleep that only remembers how long it should have been."""

    taken: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


@dataclass(frozen=True)
class Side:
    name: str
    model: str
    make: Callable[..., StreamingModel]
    key: str

    def url(self, vendor: ScriptedVendor) -> str:
        return vendor.url_anthropic if self.name == "anthropic" else vendor.url_openai


SIDES = {
    "anthropic": Side("anthropic", "anthropic/claude-sonnet-5-5", AnthropicModel, ANTHROPIC_KEY),
    "openai": Side("openai", "openai/gpt-6.2-sol", OpenAIModel, OPENAI_KEY),
}
BASH = ToolSpec(
    "bash",
    "Run a command.",
    {
        "type": "object",
        "properties": {"command": {"type": "string"}},
        "required": ["command"],
        "additionalProperties": False,
    },
)
VERDICT = {
    "type": "object",
    "properties": {"verdict": {"type": "string"}},
    "required": ["verdict"],
    "additionalProperties": False,
}


@pytest.fixture(params=["anthropic", "openai"])
def side(request: pytest.FixtureRequest) -> Side:
    return SIDES[request.param]


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def vendor(script: Script) -> Iterator[ScriptedVendor]:
    running = start_vendor(script)
    yield running
    running.stop()


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
async def model(side: Side, vendor: ScriptedVendor, naps: Naps) -> AsyncIterator[StreamingModel]:
    adapter = side.make(Secret(side.key), side.url(vendor), patience=Patience(sleep=naps), now=lambda: NOW)
    yield adapter
    await adapter.aclose()


@pytest.fixture
def ask(side: Side) -> Callable[..., ModelRequest]:
    def build(*turns: Turn | str, system: str = LONG_SYSTEM, **more: object) -> ModelRequest:
        given = tuple(UserTurn(turn) if isinstance(turn, str) else turn for turn in turns)
        base = ModelRequest("work", side.model, system, given or (UserTurn("Fix the bug."),), max_tokens=1000)
        return ModelRequest(**{name: more.get(name, getattr(base, name)) for name in ModelRequest.__dataclass_fields__})

    return build
