"""What both vendors' adapters share: patience, the clock on a whole call, and the way from a read stream to an answer."""

import asyncio
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

from bot.core.budget import Usage
from bot.core.conversation import AssistantTurn, Json, ModelAnswer, ModelRequest, Stop, ToolCall
from bot.core.redact import Secret
from bot.models import prices
from bot.models.errors import Failure, Patience, Vendor, judge
from bot.ports import Permanent, PortError, Transient

EFFORTS = ("low", "medium", "high", "xhigh", "max")
"""Efforts that both vendors take under the same name."""


@dataclass(slots=True)
class Reading:
    """What one stream held when it ended. `final` is the text that a structured answer is parsed from."""

    stop: Stop = "cut"
    text: str = ""
    final: str = ""
    calls: tuple[ToolCall, ...] = ()
    raw: list[Json] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    request_id: str = ""
    detail: str = ""


class StreamError(Exception):
    """A call failed in a way that the vendor, or the network, described."""

    def __init__(self, failure: Failure, usage: Usage | None = None) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.usage = usage or Usage()


class StreamingModel(ABC):
    """A `ports.Model` over one vendor's SDK. The SDK is imported at the first call: it costs a second and 100 MB."""

    vendor: Vendor

    def __init__(
        self,
        api_key: Secret,
        base_url: str,
        *,
        patience: Patience | None = None,
        now: Callable[[], float] = time.time,
        connect: float = 5.0,
        silence: float = 300.0,
    ) -> None:
        self.api_key = api_key
        self.base_url = base_url
        self.connect = connect
        self.silence = silence
        """Longest gap between two events in seconds: both vendors think for minutes, but not that long without a sign."""
        self._patience = patience or Patience()
        self._now = now
        # A connection belongs to the loop that opened it, and an engine may run phases on more than one.
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, object] = WeakKeyDictionary()

    @abstractmethod
    def make_client(self) -> object:
        """A new SDK client."""

    @abstractmethod
    async def read(self, client: object, request: ModelRequest) -> Reading:
        """Send once and read the stream to its end. Raises StreamError."""

    @abstractmethod
    async def close_client(self, client: object) -> None:
        """Close its connections."""

    async def complete(self, request: ModelRequest) -> ModelAnswer:
        """Stream one call to its end; see `ports.Model`. The request's timeout covers the tries and the waits between them."""
        if request.effort not in EFFORTS:
            raise Permanent(f"unknown effort {request.effort!r}: one of {', '.join(EFFORTS)}")
        lost: list[Usage] = []
        try:
            async with asyncio.timeout(request.timeout):
                answer = await self._patience.call(lambda: self._once(request, lost), now=self._now)
        except TimeoutError as error:
            said = f"{self.vendor.title} took longer than {request.timeout:.0f} s for one call"
            raise Transient(said) from error
        for usage in lost:
            # Tries that broke off were billed as far as they came.
            micros = answer.micros + prices.price(request.model, usage)
            answer = replace(answer, usage=answer.usage + usage, micros=micros)
        return answer

    def worst_case(self, request: ModelRequest) -> int:
        """Upper bound of the call's cost in micros."""
        return prices.worst_case(request)

    async def aclose(self) -> None:
        """Close this loop's client."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await self.close_client(client)

    async def _once(self, request: ModelRequest, lost: list[Usage]) -> ModelAnswer:
        client = await self._client()
        try:
            reading = await self.read(client, request)
        except StreamError as error:
            verdict = judge(self.vendor, error.failure, model=request.model, now=self._now())
            if isinstance(verdict, PortError):
                lost.append(error.usage)
                raise verdict from error
            failure = error.failure
            reading = Reading(verdict, usage=error.usage, request_id=failure.request_id, detail=failure.message[:500])
        return self._answer(request, reading)

    async def _client(self) -> object:
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            # The import takes a second or two, which heartbeats on this loop can't wait for.
            made = await asyncio.to_thread(self.make_client)
            self._clients.setdefault(loop, made)
        return self._clients[loop]

    def _answer(self, request: ModelRequest, reading: Reading) -> ModelAnswer:
        stop, detail, parsed = reading.stop, reading.detail, None
        if request.schema is not None and stop == "end":
            parsed = json_object(reading.final)
            if parsed is None:
                stop, detail = "other", "the structured answer is not a JSON object"
        return ModelAnswer(
            stop=stop,
            text=reading.text,
            calls=reading.calls if stop == "tool" else (),
            turn=AssistantTurn(self.vendor.name, tuple(reading.raw)),
            usage=reading.usage,
            micros=prices.price(request.model, reading.usage),
            model=request.model,
            request_id=reading.request_id,
            parsed=parsed,
            detail=detail,
        )


def json_object(text: str) -> Json | None:
    """The JSON object that `text` is, or None."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def seconds(header: str | None) -> float | None:
    """A retry-after header's seconds, None where there is none or it is a date."""
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:
        return None
