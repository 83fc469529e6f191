"""Say every few seconds that this process is alive and how its websocket is."""

import asyncio
import os
import socket
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NoReturn
from uuid import UUID

import structlog

from bridge import __version__
from bridge.db.processes import Processes
from bridge.errors import DatabaseUnavailable
from bridge.metrics import Metrics
from bridge.models.status import Heartbeat
from bridge.runtime.health import BotState

log = structlog.get_logger(__name__)

_EVERY = 5.0


@dataclass(frozen=True, slots=True)
class Heart:
    processes: Processes
    id: UUID
    """The holder of this process's jobs."""
    state: BotState
    metrics: Metrics
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    async def beat(self) -> NoReturn:
        """Store how this process is, again and again until cancelled."""
        while True:
            await self._unless_away(self.processes.beat(self._now()))
            await asyncio.sleep(_EVERY)

    async def stop(self) -> None:
        """Let nobody take this process for alive any more."""
        await self._unless_away(self.processes.forget(self.id))

    async def _unless_away(self, write: Awaitable[None]) -> None:
        try:
            await write
        except DatabaseUnavailable as error:
            log.info("heartbeat_failed", reason=error.message)

    def _now(self) -> Heartbeat:
        connection = self.state.socket
        return Heartbeat(
            id=self.id,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=__version__,
            started=self.started,
            socket=connection.state if connection else "",
            last_frame=_moment(connection.last_frame) if connection else None,
            queue=connection.waiting if connection else 0,
            unread=self.metrics.unread_channels,
        )


def _moment(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
