"""How long an agent may be silent."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from types import TracebackType

from aiohttp import SocketTimeoutError


@dataclass(frozen=True, slots=True)
class SilenceLimit:
    """Seconds without a byte; while the agent waits for people they do not run."""

    seconds: float
    last_waited: Callable[[], float] = lambda: -inf
    """Returns the last moment at which the agent waited for somebody, by the loop's clock."""

    def watched(self) -> "Watched":
        """Raise `SocketTimeoutError` where the block waits for the agent for longer."""
        return Watched(self)


class Watched:
    """A block that waits for the agent; thousands do at once, so that it is a class and no generator."""

    __slots__ = ("_began", "_handle", "_limit", "_timeout")

    _began: float
    _handle: asyncio.TimerHandle

    def __init__(self, limit: SilenceLimit) -> None:
        self._limit = limit
        self._timeout = asyncio.timeout(None)

    async def __aenter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._began = loop.time()
        await self._timeout.__aenter__()
        self._handle = loop.call_at(self._began + self._limit.seconds, self._look)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._handle.cancel()
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            raise SocketTimeoutError("The agent is silent.") from None

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = max(self._began, self._limit.last_waited()) + self._limit.seconds
        if deadline > loop.time():
            self._handle = loop.call_at(deadline, self._look)
        else:
            self._timeout.reschedule(loop.time())
