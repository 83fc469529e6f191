"""What has to ask others first, done beside what is heard; best effort."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import structlog

from bridge.errors import BridgeError

log = structlog.get_logger(__name__)

_MOST_AT_ONCE = 20
_MOST_LATE = 200
"""These wait, and cost nothing meanwhile."""
_LATER = (0.5, 1.5, 4.0)
"""Seconds between attempts: a post is there before the database knows whose answer it is."""


@dataclass(frozen=True, slots=True)
class BestEffort:
    most: int = _MOST_AT_ONCE
    """More is not done."""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin the work, and log it if it fails."""
        if len(self._tasks) >= self.most:
            work.close()
            return
        task = asyncio.create_task(_tried(work), name="intervention")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@dataclass(frozen=True, slots=True)
class LaterAttempts:
    """What people did to a post that nothing was known of; best effort."""

    _effort: BestEffort = field(default_factory=lambda: BestEffort(_MOST_LATE))

    def make(self, attempt: Callable[[], Awaitable[bool]]) -> None:
        """Make it some times more, until one says that it was of use."""
        self._effort.do(_until_of_use(attempt))


async def _until_of_use(attempt: Callable[[], Awaitable[bool]]) -> None:
    for pause in _LATER:
        await asyncio.sleep(pause)
        if await attempt():
            return


async def _tried(work: Awaitable[None]) -> None:
    try:
        await work
    except BridgeError as error:
        log.warning("intervention_failed", reason=error.message)
