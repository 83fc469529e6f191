"""Long work on the event loop, cut into slices."""

import asyncio
import time
from dataclasses import dataclass, field

_SLICE = 0.01
"""Seconds; what comes between two calls of `give_way` is added to it."""


@dataclass(slots=True)
class LoopBudget:
    """Lets others run between the steps of long work, but not after each of many short ones."""

    _since: float = field(default_factory=time.perf_counter, init=False)

    async def give_way(self) -> None:
        """Let others run if this work has held the event loop for a while."""
        if time.perf_counter() - self._since > _SLICE:
            await asyncio.sleep(0)
            self._since = time.perf_counter()
