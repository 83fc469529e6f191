"""Something that begins after some seconds. Until then it is a timer and no task: thousands wait at once."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Later:
    work: Callable[[], Coroutine[Any, Any, None]]
    _timer: asyncio.TimerHandle | None = field(default=None, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def begin_after(self, seconds: float) -> None:
        """Begin so many seconds from now; the work itself may call it, to be done once more."""
        self._timer = asyncio.get_running_loop().call_later(seconds, self._begin)

    async def end(self) -> None:
        """Do not begin any more, and cancel what has begun."""
        if self._timer:
            self._timer.cancel()
        if task := self._task:
            task.cancel()
            await asyncio.wait({task})

    def _begin(self) -> None:
        self._task = asyncio.create_task(self._work(), name=self.work.__name__)

    async def _work(self) -> None:
        try:
            await self.work()
        finally:
            self._task = None
