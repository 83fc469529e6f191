"""Work that goes on for a while after the request that asked for it has stopped waiting."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, TypeVar

import structlog

from bridge.errors import BridgeError

T = TypeVar("T")

log = structlog.get_logger(__name__)

_LIMIT = 60.0
"""Seconds after which work that nobody waits for any more is given up."""

_CLOSE_SECONDS = 2.0
"""Seconds that cancelled work has to end when the daemon stops; asyncpg waits for a database without end."""


class BackgroundTasks:
    """Runs work in tasks of its own, so that work that hangs, even while it is cancelled, delays no request.

    Equal requests share one piece of work. `close` ends all of it.
    """

    def __init__(self, limit: float = _LIMIT) -> None:
        self._limit = limit
        self._tasks: dict[Hashable, asyncio.Task[Any]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    async def result(self, key: Hashable, seconds: float, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return the result of the work under the key; begin it unless it is under way.

        Raises `TimeoutError` when it takes longer than `seconds`; the work goes on.
        """
        task: asyncio.Task[T] | None = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(self._limited(begin()), name="background work")
            task.add_done_callback(lambda done: self._ended(key, done))
        await asyncio.wait({task}, timeout=max(0.0, seconds))
        if not task.done():
            raise TimeoutError
        return task.result()

    async def close(self) -> None:
        """Cancel everything that is under way."""
        tasks = set(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSE_SECONDS)

    async def _limited(self, work: Coroutine[Any, Any, T]) -> T:
        async with asyncio.timeout(self._limit):
            return await work

    def _ended(self, key: Hashable, task: asyncio.Task[Any]) -> None:
        del self._tasks[key]
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, BridgeError | TimeoutError):
            log.error("background_work_failed", exc_info=error)
