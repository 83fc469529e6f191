"""A check, before each post, that this process still holds the lease of a job."""

from dataclasses import dataclass
from math import inf
from typing import Self

from bridge.clock import Clock, boot_time
from bridge.db.inbox import Inbox
from bridge.errors import LeaseLost
from bridge.models.jobs import Job, JobId

SURE = 5.0
"""Seconds for which a check stays valid: a lease lasts for 15 and is renewed every 5."""


@dataclass(slots=True)
class LeaseGuard:
    """The lease of one job; this process may be suspended at any moment, and the lease expire meanwhile."""

    inbox: Inbox
    job: JobId
    clock: Clock = boot_time
    known: float = -inf
    """The last moment at which the lease was certainly ours, by `clock`."""

    @classmethod
    def of(cls, inbox: Inbox, job: Job) -> Self:
        """Return the guard of a job that knows when it was claimed."""
        return cls(inbox, job.id, known=job.held_at)

    async def require(self) -> None:
        """Return while the lease is ours; ask the database if the last check is too old.

        Raises `LeaseLost`, or `DatabaseUnavailable` if the database does not answer.
        """
        while self.clock() - self.known > SURE:
            asked = self.clock()
            if not await self.inbox.holds(self.job):
                raise LeaseLost
            self.known = asked
