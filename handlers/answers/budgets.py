"""Ask no more than an organization's budget of the month allows."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import structlog
from cachetools import TTLCache

from bridge.db.budgets import Admission, Budgets, named, percent
from bridge.db.inbox import Inbox
from bridge.errors import BudgetReached, LeaseLost
from bridge.models.budgets import WARN_AT, month_after
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Entry, Job
from bridge.models.organization_settings import NO_BUDGET, Budget
from bridge.retry import delays

log = structlog.get_logger(__name__)

REACHED = "budget_reached"
"""Why a question was not asked."""

_PATIENCE = 60.0
"""Seconds for which a question waits for the answers to others; an agent may wait for people much longer."""


@dataclass(frozen=True, slots=True)
class BudgetGate:
    """Lets questions pass while their organization's budget has something left."""

    budgets: Budgets
    inbox: Inbox
    patience: float = _PATIENCE
    longest_pause: float = 2.0
    """Seconds between two looks whether there is room for a question that waits."""
    _impatient: TTLCache[OrganizationId, bool] = field(
        default_factory=lambda: TTLCache(10_000, _PATIENCE), repr=False
    )
    """The organizations of which a question went without room: the next one does so a while later."""
    _warned: TTLCache[str, bool] = field(default_factory=lambda: TTLCache(10_000, 3600), repr=False)

    async def admit(self, job: Job) -> None:
        """Return when the question of the job may be asked; raise `BudgetReached` if that is not this month.

        Without a budget nothing is looked up. A question that is being answered is never broken off.
        """
        organization = job.organization_id
        if organization is None or (budget := await self.budgets.of(organization)) == NO_BUDGET:
            return
        if not await self.inbox.on_disk(job.id):
            raise LeaseLost
        since = time.monotonic()
        for pause in delays(first=0.1, factor=1.5, cap=self.longest_pause):
            admission = await self.budgets.admit(
                organization, job, self.inbox.holder, budget, patient=self._is_patient(organization, since)
            )
            await self._warn(organization, budget, admission)
            if admission.verdict == "go":
                return
            if admission.verdict == "over":
                raise BudgetReached(sentence(month_after(admission.spent.month)))
            await asyncio.sleep(pause)

    def _is_patient(self, organization: OrganizationId, since: float) -> bool:
        """Return whether a question waits on. Of those that have waited too long, one at a time goes.

        All at once would use up what is left many times.
        """
        if time.monotonic() - since < self.patience or organization in self._impatient:
            return True
        self._impatient[organization] = True
        return False

    async def _warn(self, organization: OrganizationId, budget: Budget, admission: Admission) -> None:
        """Have the administrators told, once a month and budget, that most of it is used."""
        if admission.share < WARN_AT:
            return
        key = f"budget:{organization}:{admission.spent.month:%Y-%m}:{named(budget)}"
        if key not in self._warned:
            entry = Entry("budget_warning", key, organization, key, _warning(admission))
            await self.inbox.put_all([entry])
            self._warned[key] = True


def sentence(day: date) -> str:
    """Return what people hear until that day."""
    return (
        "Your organization has used up its budget for this month:"
        f" I can answer again from {day.day} {day:%B %Y} on."
    )


def _warning(admission: Admission) -> Mapping[str, Any]:
    return {"percent": percent(admission.share), "month": admission.spent.month.isoformat()}
