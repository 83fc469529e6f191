"""Budgets of organizations: which hold, what was used of them, and which questions may be asked."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import NoReturn, Protocol
from weakref import WeakValueDictionary

import structlog
from asyncpg import Pool, Record

from bridge.db.audit import Audit
from bridge.db.pool import database_errors
from bridge.db.usage import KEEP
from bridge.errors import DatabaseUnavailable, LeaseLost
from bridge.models.audit import AuditEntry, AuditKind
from bridge.models.budgets import WARN_AT, Spent, Use, Verdict, share, verdict
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Job
from bridge.models.organization_settings import NO_BUDGET, Bounds, Budget, OrganizationSettings, effective

_log = structlog.get_logger(__name__)

_SPENT = """
with answer as (
    select began >= m.month::timestamp at time zone 'UTC' as mine, runs, unreported, cost,
           coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0) as tokens,
           case when cost is null then runs else unreported end as unpriced
    from usage,
         lateral (select date_trunc('month', now() at time zone 'UTC')::date as month) m
    where organization_id = $1 and runs > 0
      and began >= (m.month - interval '1 month')::timestamp at time zone 'UTC'
)
select date_trunc('month', now() at time zone 'UTC')::date as month,
       coalesce(sum(tokens) filter (where mine), 0) as tokens,
       coalesce(sum(unreported) filter (where mine), 0) as unreported,
       coalesce(sum(tokens) filter (where unreported = 0) / sum(runs) filter (where unreported = 0), 0)
           as usual_tokens,
       coalesce(max(tokens), 0) as most_tokens,
       count(*) filter (where unreported = 0) as known,
       coalesce(sum(cost) filter (where mine), 0) as cost,
       coalesce(sum(unpriced) filter (where mine), 0) as unpriced,
       coalesce(sum(cost) filter (where unpriced = 0) / sum(runs) filter (where unpriced = 0), 0)
           as usual_cost,
       coalesce(max(cost), 0) as most_cost,
       count(*) filter (where unpriced = 0) as priced,
       (select count(*)::int from jobs
        where state = 'running' and organization_id = $1 and admitted = attempts and answer is null
          and id <> $2) as running
from answer
"""
"""What the organization $1 has used, and how many questions but the job $2 it has that are being answered."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a question may be asked, and what was used of the budget until then."""

    verdict: Verdict
    spent: Spent
    share: Decimal
    """Of the budget that is used."""


class _Connection(Protocol):
    async def fetchval(self, query: str, *args: object) -> object: ...

    async def execute(self, query: str, *args: object) -> str: ...


@dataclass(slots=True)
class Budgets:
    pool: Pool
    operators: Budget = NO_BUDGET
    """What each organization may use at most."""
    _own: Mapping[OrganizationId, Budget] | None = field(default=None, init=False, repr=False)
    """Those of organizations that have set one; None: not read yet."""
    _turns: WeakValueDictionary[OrganizationId, asyncio.Lock] = field(
        default_factory=WeakValueDictionary, init=False, repr=False
    )

    async def watch(self, every: float = 2.0) -> NoReturn:
        """Read again and again which budgets organizations have set, until cancelled.

        So a question needs no statement to find that there is none.
        """
        while True:
            try:
                await self.refresh()
            except DatabaseUnavailable as error:
                _log.warning("budgets_unread", reason=error.message)
            await asyncio.sleep(every)

    @database_errors
    async def refresh(self) -> None:
        """Read which budgets organizations have set."""
        self._own = await self._read()

    async def _read(self) -> Mapping[OrganizationId, Budget]:
        rows = await self.pool.fetch(
            """select organization_id, budget_tokens, budget_cost from organization_settings
               where budget_tokens is not null or budget_cost is not null"""
        )
        bounds = Bounds(budget=self.operators)
        return {
            OrganizationId(row["organization_id"]): effective(bounds, _settings(row)).budget for row in rows
        }

    @database_errors
    async def of(self, organization: OrganizationId) -> Budget:
        """Return the budget of an organization, as it was some seconds ago."""
        if self._own is None:
            self._own = await self._read()
        return self._own.get(organization, self.operators)

    @database_errors
    async def admit(
        self, organization: OrganizationId, job: Job, holder: object, budget: Budget, *, patient: bool = True
    ) -> Admission:
        """Decide whether the question of a running job may be asked now; raise `LeaseLost`.

        One process decides at a time about an organization. `patient`: rather wait than ask too many at once.
        """
        turn = self._turns.setdefault(organization, asyncio.Lock())
        # Whoever waits here takes no connection from the questions of others.
        async with turn, self.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "select pg_advisory_xact_lock(hashtextextended('budget:' || $1::text, 0))", str(organization)
            )
            (row,) = await connection.fetch(_SPENT, organization, job.id)
            spent = _spent(row)
            found = verdict(budget, spent, row["running"])
            if found == "go" or (found == "wait" and not patient):
                await _admit(connection, job, holder)
                found = "go"
            admission = Admission(found, spent, share(budget, spent))
            await self._mark(connection, organization, budget, admission)
        return admission

    @database_errors
    async def spent(self, organization: OrganizationId) -> Spent:
        """Return what the organization has used this month, as its budget counts it."""
        (row,) = await self.pool.fetch(_SPENT, organization, None)
        return _spent(row)

    async def _mark(
        self, connection: _Connection, organization: OrganizationId, budget: Budget, admission: Admission
    ) -> None:
        """Note that most of a budget, or all of it, is used, with a row of the audit: once a month."""
        marks: dict[str, AuditKind] = {}
        if admission.share >= WARN_AT:
            marks["warned"] = "budget_warned"
        if admission.verdict == "over":
            marks["reached"] = "budget_hit"
        for mark, kind in marks.items():
            is_new = await connection.fetchval(
                """insert into budget_marks (organization_id, month, mark, budget) values ($1, $2, $3, $4)
                   on conflict do nothing returning true""",
                organization,
                admission.spent.month,
                mark,
                named(budget),
            )
            if is_new:
                _log.warning(kind, organization=str(organization), percent=percent(admission.share))
                await Audit(self.pool).add(_entry(organization, kind, budget, admission), connection)

    @database_errors
    async def purge(self, older_than: timedelta = KEEP) -> None:
        """Forget what was told long ago."""
        await self.pool.execute("delete from budget_marks where marked < now() - $1::interval", older_than)


def named(budget: Budget) -> str:
    """Return a budget as a key."""
    parts = {"tokens": budget.tokens, "cost": budget.cost}
    return ",".join(f"{name}:{value}" for name, value in parts.items() if value is not None)


def percent(part: Decimal) -> int:
    """Return a part as whole hundredths, rounded down."""
    return int(part * 100)


async def _admit(connection: _Connection, job: Job, holder: object) -> None:
    admitted = await connection.fetchval(
        """update jobs set admitted = attempts where id = $1 and holder = $2 and state = 'running'
           returning true""",
        job.id,
        holder,
    )
    if not admitted:
        raise LeaseLost


def _spent(row: Record) -> Spent:
    return Spent(
        row["month"],
        Use(
            row["tokens"] + row["unreported"] * row["usual_tokens"], Decimal(row["most_tokens"]), row["known"]
        ),
        Use(row["cost"] + row["unpriced"] * row["usual_cost"], row["most_cost"], row["priced"]),
    )


def _settings(row: Record) -> OrganizationSettings:
    return OrganizationSettings(budget=Budget(row["budget_tokens"], row["budget_cost"]))


def _entry(organization: OrganizationId, kind: AuditKind, budget: Budget, admission: Admission) -> AuditEntry:
    details = {
        "percent": percent(admission.share),
        "budget.tokens": budget.tokens,
        "budget.cost": None if budget.cost is None else str(budget.cost),
    }
    month = f"month:{admission.spent.month:%Y-%m}"
    return AuditEntry(organization, kind, "used", "bridge", subject=month, details=details)
