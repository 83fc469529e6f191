"""How long an agent may be silent."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import inf

from aiohttp import SocketTimeoutError


@dataclass(frozen=True, slots=True)
class SilenceLimit:
    """Seconds without a byte; while the agent waits for people they do not run."""

    seconds: float
    last_waited: Callable[[], float] = lambda: -inf
    """Returns the last moment at which the agent waited for somebody, by the loop's clock."""

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Raise `SocketTimeoutError` where the block waits for the agent for longer."""
        loop = asyncio.get_running_loop()
        began, timeout = loop.time(), asyncio.timeout(None)
        handle: asyncio.TimerHandle

        def look() -> None:
            nonlocal handle
            deadline = max(began, self.last_waited()) + self.seconds
            if deadline > loop.time():
                handle = loop.call_at(deadline, look)
            else:
                timeout.reschedule(loop.time())

        handle = loop.call_at(began + self.seconds, look)
        try:
            async with timeout:
                yield
        except TimeoutError:
            if not timeout.expired():
                raise
            raise SocketTimeoutError("The agent is silent.") from None
        finally:
            handle.cancel()
