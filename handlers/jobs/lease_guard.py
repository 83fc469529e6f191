"""Whether a job is still ours: asked again before something is posted that others may have posted by now."""

from dataclasses import dataclass
from math import inf

from bridge.clock import Clock, boot_time
from bridge.db.inbox import Inbox
from bridge.models.jobs import JobId
from bridge.worker import LeaseLostError

SURE = 5.0
"""Seconds for which a job that was ours stays it: a lease lasts for 15 and is renewed every 5."""


@dataclass(slots=True)
class LeaseGuard:
    """One job in the hands of this process, which may be stopped or suspended at any moment."""

    inbox: Inbox
    job: JobId
    clock: Clock = boot_time
    known: float = -inf
    """When it surely was ours, by the clock."""

    async def require(self) -> None:
        """Return only while the job is ours; a proof that is fresh enough costs nothing.

        Raises `LeaseLostError`, and `DatabaseUnavailable` when it cannot be told.
        """
        while self.clock() - self.known > SURE:
            asked = self.clock()
            if not await self.inbox.holds(self.job):
                raise LeaseLostError
            self.known = asked
