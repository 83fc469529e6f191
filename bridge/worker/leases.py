"""Keep the leases of running jobs, and free the jobs of processes that died."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

import structlog

from bridge.db.inbox import Inbox
from bridge.errors import DatabaseUnavailable
from bridge.models.jobs import JobId

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Leases:
    inbox: Inbox
    running: Mapping[JobId, object]
    """The attempts that run here, as they are at any moment."""
    lost: Callable[[JobId], None]
    """Called for a job that another process has now."""
    freed: Callable[[], None]
    """Called when there is something to claim again."""

    async def renew(self, every: float) -> NoReturn:
        """Renew the running jobs' leases every so many seconds, until cancelled."""
        while True:
            await asyncio.sleep(every)
            running = dict(self.running)
            if not running:
                continue
            try:
                ours = await self.inbox.renew(running.keys())
            except DatabaseUnavailable as error:
                log.warning("renew_failed", reason=error.message)
                continue
            for job in running.keys() - ours:
                # A job that waited for its next attempt just then is ours again by now.
                if self.running.get(job) is running[job]:
                    self.lost(job)

    async def release_expired(self, every: float) -> NoReturn:
        """Free the jobs of dead processes every so many seconds, until cancelled."""
        while True:
            try:
                if freed := await self.inbox.release_expired(self.running.keys()):
                    log.warning("leases_expired", jobs=freed)
                    self.freed()
            except DatabaseUnavailable as error:
                log.warning("release_expired_failed", reason=error.message)
            await asyncio.sleep(every)
