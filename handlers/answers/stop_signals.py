"""The running jobs of this process, each with the signal that somebody wants it to stop."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn

import structlog

from bridge.db.stops import Stops
from bridge.errors import DatabaseUnavailable
from bridge.models.jobs import JobId

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class StopSignals:
    stops: Stops
    notified: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when somebody, in whichever process, has asked for a stop."""
    _wanted: frozenset[JobId] = field(default=frozenset(), init=False)
    """The jobs that are to stop, here or elsewhere."""
    _running: dict[JobId, Callable[[], None]] = field(default_factory=dict, init=False)

    @contextmanager
    def of(self, job: JobId, stop: Callable[[], None]) -> Iterator[None]:
        """Call `stop` when the job is to stop, as long as the block lasts."""
        self._running[job] = stop
        if job in self._wanted:
            stop()
        try:
            yield
        finally:
            if self._running.get(job) is stop:
                del self._running[job]

    def forget(self, job: JobId) -> None:
        """Forget the wish to stop a job that has stopped: what it does next is to go on."""
        self._wanted -= {job}

    async def watch(self, every: float = 5.0) -> NoReturn:
        """Give the signals until cancelled; look every so many seconds although nobody has told."""
        while True:
            await _set_within(self.notified, every)
            self.notified.clear()
            await self._look()

    async def _look(self) -> None:
        try:
            self._wanted = await self.stops.requested()
        except DatabaseUnavailable as error:
            log.warning("stops_unread", reason=error.message)
            return
        for job in self._wanted:
            if stop := self._running.get(job):
                stop()


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
