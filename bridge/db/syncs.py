"""Syncs that were asked for: each is a line here and a job, `sync:<id>`, that does it.

A roster is kept no longer than its sync takes; an outcome names people by their ids in Equa only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.models.equa import Member, Organization, OrganizationId, PersonId, Roster
from bridge.models.jobs import JobState, SyncId

KEEP = timedelta(days=90)
"""How long the outcome of a sync can be asked for."""

_STALE = timedelta(days=1)
"""How long the roster of a sync that never ends is kept."""


@dataclass(frozen=True, slots=True)
class SyncInput:
    """What a sync goes by, and what earlier attempts at it have done."""

    organization: Organization
    roster: Roster
    read_at: datetime
    created: int = 0
    added: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """How far a sync is."""

    job: JobState
    done: int
    total: int
    outcome: Mapping[str, Any] | None
    """The report or the error; None while the sync runs, and if it ended by a fault of ours."""


@dataclass(frozen=True, slots=True)
class Syncs:
    pool: Pool

    @database_errors
    async def store(self, organization: Organization, roster: Roster, read_at: datetime) -> SyncId:
        """Store what a sync goes by; its job is to be put into the inbox then."""
        sync = SyncId(uuid4())
        await self.pool.execute(
            """insert into syncs (id, organization_id, organization_name, roster, read_at)
               values ($1, $2, $3, $4, $5)""",
            sync,
            organization.id,
            organization.name,
            _json(roster),
            read_at,
        )
        return sync

    @database_errors
    async def unfinished(self, organization: OrganizationId) -> SyncId | None:
        """Return the organization's sync that waits or runs."""
        found: UUID | None = await self.pool.fetchval(
            """select s.id from syncs s join jobs j on j.dedupe = 'sync:' || s.id
               where s.organization_id = $1 and s.outcome is null and j.state in ('waiting', 'running')
               order by s.requested limit 1""",
            organization,
        )
        return SyncId(found) if found else None

    @database_errors
    async def input(self, sync: SyncId) -> SyncInput | None:
        """Return the input of a sync, None when it has ended."""
        row = await self.pool.fetchrow(
            """select organization_id, organization_name, roster, read_at, created, added, removed
               from syncs where id = $1 and outcome is null and roster is not null""",
            sync,
        )
        if row is None:
            return None
        organization = Organization(OrganizationId(row["organization_id"]), row["organization_name"])
        counts = (row["created"], row["added"], row["removed"])
        return SyncInput(organization, _roster(row["roster"]), row["read_at"], *counts)

    @database_errors
    async def progress(self, sync: SyncId, *, done: int, total: int, counts: tuple[int, int, int]) -> None:
        """Note how far it is; `counts` are of those created, added and removed, earlier attempts included."""
        await self.pool.execute(
            """update syncs
               set done = $2, total = $3, created = $4, added = $5, removed = $6, modified = now()
               where id = $1""",
            sync,
            done,
            total,
            *counts,
        )

    @database_errors
    async def end(self, sync: SyncId, outcome: Mapping[str, Any]) -> None:
        """Store the outcome and forget the roster."""
        await self.pool.execute(
            "update syncs set outcome = $2, roster = null, modified = now() where id = $1",
            sync,
            dict(outcome),
        )

    @database_errors
    async def look(self, sync: SyncId, organization: OrganizationId) -> State | None:
        """Return how far an organization's sync is, None if there is none of this id."""
        row = await self.pool.fetchrow(
            """select j.state as job, s.done, s.total, s.outcome
               from syncs s join jobs j on j.dedupe = 'sync:' || s.id
               where s.id = $1 and s.organization_id = $2""",
            sync,
            organization,
        )
        return State(**dict(row.items())) if row else None

    @database_errors
    async def purge(self) -> int:
        """Forget syncs of long ago, and rosters of those that never end; returns how many of the former."""
        rows = await self.pool.fetch(
            """with stale as (
                   update syncs set roster = null
                   where roster is not null
                     and requested between now() - $1::interval and now() - $2::interval
               )
               delete from syncs where requested < now() - $1::interval returning 1""",
            KEEP,
            _STALE,
        )
        return len(rows)


def _json(roster: Roster) -> dict[str, Any]:
    return {"members": [_line(member) for member in roster.members], "problems": list(roster.problems)}


def _line(member: Member) -> list[Any]:
    person = str(member.person_id or "")
    return [person, member.email, member.name, member.is_individual, member.email_of_account]


def _roster(stored: Mapping[str, Any]) -> Roster:
    return Roster(tuple(map(_member, stored["members"])), tuple(stored["problems"]))


def _member(line: Sequence[Any]) -> Member:
    person, *rest = line
    return Member(PersonId(UUID(person)) if person else None, *rest)
