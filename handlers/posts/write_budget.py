"""How much of Mattermost growing answers may use: what is exact goes first."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from math import inf

from bridge.clock import Clock, boot_time
from bridge.errors import MattermostUnavailable

_AT_ONCE = 8
"""Writes of growing answers that are under way at once; others queue."""
_URGENT = 4
"""So many whole answers and notices on their way hold growing ones back."""
_HELD_BACK = 2.0
"""Seconds for which they do so at most."""
_QUICK = 0.5
"""Seconds; a server that takes longer for a write gets fewer."""
_SLOWEST = 10.0
"""How many times longer the pauses between edits become at most."""
_PAUSE = 5.0
"""Seconds without writes after a refusal that names no time."""


@dataclass(slots=True)
class WriteBudget:
    """One a process. Times by `clock`."""

    clock: Clock = boot_time
    slowdown: float = 1.0
    """How many times longer than usual an answer waits for its next edit."""
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE), init=False)
    _urgent: int = field(default=0, init=False)
    _calm: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    """Set while few urgent writes are under way."""
    _closed_until: float = field(default=-inf, init=False)

    def __post_init__(self) -> None:
        self._calm.set()

    @contextmanager
    def first(self) -> Iterator[None]:
        """Count a write that goes before all edits of growing answers."""
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    @asynccontextmanager
    async def turn(self, over: asyncio.Event) -> AsyncIterator[bool]:
        """Wait for a growing answer's turn to be written. Gives False, at once, when `over` is set first."""
        if not await self._slot_before(over):
            yield False
            return
        try:
            yield True
        except MattermostUnavailable as error:
            self._closed_until = self.clock() + max(error.retry_after or 0, _PAUSE)
            raise
        finally:
            self._slots.release()

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Learn from how long an edit takes."""
        began = self.clock()
        try:
            yield
        finally:
            now = min(max(1.0, (self.clock() - began) / _QUICK), _SLOWEST)
            self.slowdown = max(now, (self.slowdown + now) / 2)

    def _count(self, more: int) -> None:
        self._urgent += more
        if self._urgent < _URGENT:
            self._calm.set()
        else:
            self._calm.clear()

    async def _slot_before(self, over: asyncio.Event) -> bool:
        taking, ending = asyncio.create_task(self._take_slot()), asyncio.create_task(over.wait())
        try:
            await asyncio.wait({taking, ending}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if taking.done():
                self._slots.release()
            raise
        finally:
            ending.cancel()
            is_taken = taking.done()
            taking.cancel()
        return is_taken

    async def _take_slot(self) -> None:
        await self._slots.acquire()
        try:
            await self._let_others_pass()
        except BaseException:
            self._slots.release()
            raise

    async def _let_others_pass(self) -> None:
        await asyncio.sleep(self._closed_until - self.clock())
        with suppress(TimeoutError):
            async with asyncio.timeout(_HELD_BACK):
                await self._calm.wait()
