"""Every six hours each team is made to match its organization's roster, by one process for all of them.

This repairs what a lost or missing event of the platform has left; the metrics show how much that was, and
with it whether the events arrive.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn

import structlog

from bridge.db.periodic_tasks import PeriodicTasks
from bridge.errors import BridgeError, DatabaseUnavailable, Unavailable
from bridge.metrics import Metrics
from bridge.models.equa import OrganizationId
from provisioning.roster_reader import RosterReader
from provisioning.sync import TeamSync

log = structlog.get_logger(__name__)

_RUN, _SUCCESS, _BEGUN = "reconcile", "reconcile without failure", "reconcile begun"
"""Names of chores; the first is also that of the lock, the last is never done, only begun."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    every: timedelta = timedelta(hours=6)
    look: timedelta = timedelta(minutes=10)
    """How often each process looks whether it is time; somewhat less at random, so that they differ."""


@dataclass(frozen=True, slots=True)
class Reconciler:
    sync: TeamSync
    roster_reader: RosterReader
    periodic_tasks: PeriodicTasks
    metrics: Metrics
    rhythm: Rhythm = Rhythm()

    async def run(self) -> NoReturn:
        """Report when it was done, then check now and then whether it is due, until cancelled."""
        await self._try(self._report_age)
        while True:
            await asyncio.sleep(self.rhythm.look.total_seconds() * random.uniform(0.5, 1))  # noqa: S311 - jitter
            await self._try(self.look)

    async def _try(self, step: Callable[[], Awaitable[object]]) -> None:
        try:
            await step()
        except Unavailable as error:
            log.warning("reconcile_put_off", reason=error.message)

    async def look(self) -> bool:
        """Reconcile if it is due and nobody else does; return whether it was done.

        Raises `Unavailable`, also while another process is at it.
        """
        await self._report_age()
        if not await self._is_due():
            return False
        async with self.sync.provisioner.locks.acquire(_RUN):
            if not await self._is_due():
                return False
            await self._all()
        await self._report_age()
        return True

    async def _all(self) -> None:
        organizations = await self.sync.provisioner.tables.teams.synced()
        done = [await self._one(organization) for organization in organizations]
        log.info("reconciled", organizations=len(done), failed=done.count(False))
        if any(done) or not done:
            await self.periodic_tasks.done(_RUN)
        if all(done):
            await self.periodic_tasks.done(_SUCCESS)

    async def _one(self, organization: OrganizationId) -> bool:
        """Reconcile one organization; return False if it failed, so that the others go on."""
        try:
            named, snapshot = await self.roster_reader.named(organization)
            report = await self.sync.run(named, snapshot)
            # No permission keeps whoever knows an invite id from joining, so no id lives long.
            await self.sync.provisioner.renew_invite(organization)
        except DatabaseUnavailable:
            raise
        except BridgeError as error:
            log.error(
                "not_reconciled", organization=str(organization), error=error.code, reason=error.message
            )
            self.metrics.reconciled(error.code)
            return False
        counts = report.counts
        self.metrics.drift(created=counts.created, added=counts.added, removed=counts.removed)
        self.metrics.reconciled("done")
        return True

    async def _is_due(self) -> bool:
        age = await self.periodic_tasks.age(_RUN)
        return age is None or age >= self.rhythm.every

    async def _report_age(self) -> None:
        """Record when all was well, and since when it should be: where that never was the age grows too."""
        begun, success = await self.periodic_tasks.since(_BEGUN), await self.periodic_tasks.age(_SUCCESS)
        self.metrics.reconcile_begun(begun.total_seconds())
        if success is not None:
            self.metrics.reconciled_all(success.total_seconds())
