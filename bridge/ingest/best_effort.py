"""What has to ask others first, done beside what is heard; best effort."""

import asyncio
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import structlog

from bridge.errors import BridgeError

log = structlog.get_logger(__name__)

_MOST_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class BestEffort:
    most: int = _MOST_AT_ONCE
    """More at once is not done."""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin the work, and log it if it fails."""
        if len(self._tasks) >= self.most:
            work.close()
            return
        task = asyncio.create_task(_tried(work), name="intervention")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _tried(work: Awaitable[None]) -> None:
    try:
        await work
    except BridgeError as error:
        log.warning("intervention_failed", reason=error.message)
