"""A request goes to the vendor that its model's name begins with."""

import pytest
from inline_snapshot import snapshot

from bot.core.conversation import ModelRequest, UserTurn
from bot.models.router import Models
from bot.ports import UserFacing

pytestmark = pytest.mark.fast


class Named:
    """A model that answers with its own name."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def complete(self, request):
        return self.name

    def worst_case(self, request):
        return len(self.name)


def asking(model: str) -> ModelRequest:
    return ModelRequest("work", model, "journeyman:work/task@v1", (UserTurn("Go."),))


async def test_the_prefix_chooses_the_adapter():
    models = Models({"anthropic": Named("a"), "openai": Named("oo")})
    assert await models.complete(asking("openai/gpt-6.2-sol")) == "oo"
    assert models.worst_case(asking("anthropic/claude-opus-5-5")) == 1


async def test_a_vendor_without_a_key_names_its_variable():
    with pytest.raises(UserFacing) as caught:
        await Models({"anthropic": Named("a")}).complete(asking("openai/gpt-6.2-sol"))
    assert caught.value.message == snapshot(
        "`openai/gpt-6.2-sol` needs a key for OpenAI: set OPENAI_API_KEY and restart Journeyman, then say `/agent resume`."
    )


async def test_an_unknown_vendor_names_the_setting():
    with pytest.raises(UserFacing) as caught:
        await Models({"anthropic": Named("a")}).complete(asking("acme/one"))
    assert caught.value.message == snapshot(
        "`acme/one` names no vendor that Journeyman knows: use anthropic/… or openai/… in JOURNEYMAN_MODELS."
    )
