"""One `ports.Model` for all vendors: the part of a model's name before the slash says whose it is."""

from collections.abc import Mapping

from bot.core.conversation import ModelAnswer, ModelRequest
from bot.models.errors import ANTHROPIC, OPENAI
from bot.ports import Model, UserFacing

_VARIABLES = {vendor.name: vendor for vendor in (ANTHROPIC, OPENAI)}


class Models:
    """Routes a request to its vendor's adapter. Raises UserFacing where that vendor has no key."""

    def __init__(self, adapters: Mapping[str, Model]) -> None:
        self._adapters = dict(adapters)

    async def complete(self, request: ModelRequest) -> ModelAnswer:
        """See `ports.Model`."""
        return await self._of(request.model).complete(request)

    def worst_case(self, request: ModelRequest) -> int:
        """See `ports.Model`."""
        return self._of(request.model).worst_case(request)

    def _of(self, model: str) -> Model:
        name = model.partition("/")[0]
        adapter = self._adapters.get(name)
        if adapter is not None:
            return adapter
        vendor = _VARIABLES.get(name)
        if vendor is None:
            raise UserFacing(
                f"`{model}` names no vendor that Journeyman knows: use anthropic/… or openai/… in JOURNEYMAN_MODELS."
            )
        raise UserFacing(
            f"`{model}` needs a key for {vendor.title}: set {vendor.key_variable} and restart Journeyman, then say `/agent resume`."
        )
