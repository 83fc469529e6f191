"""One-time tickets as they are stored: by a hash, so that who reads the table cannot use one."""

from dataclasses import dataclass
from datetime import timedelta

from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.models.equa import OrganizationId, PersonId

LIFETIME = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose a ticket was, and for which organization's team."""

    person: PersonId
    team_name: str
    """As it was when it was last looked at; empty if it never was."""


@dataclass(frozen=True, slots=True)
class Tickets:
    pool: Pool

    @database_errors
    async def put(self, digest: bytes, organization: OrganizationId, person: PersonId) -> bool:
        """Store a ticket; False unless the person is in the organization's team."""
        stored = await self.pool.fetchval(
            """
            insert into tickets (hash, organization_id, person_id, expires)
            select $1, organization_id, person_id, now() + $4::interval from memberships
            where organization_id = $2 and person_id = $3 and state = 'joined'
            returning true
            """,
            digest,
            organization,
            person,
            LIFETIME,
        )
        return stored is not None

    @database_errors
    async def take(self, digest: bytes) -> Holder | None:
        """Use a ticket up and return whose it was; None if unknown, used, expired or its holder has left."""
        row = await self.pool.fetchrow(
            """
            with taken as (delete from tickets where hash = $1 returning *)
            select t.person_id, coalesce(o.mattermost_team_name, '') as team_name from taken t
            join memberships m using (organization_id, person_id)
            join mattermost_org_mappings o using (organization_id)
            where t.expires > now() and m.state = 'joined'
            """,
            digest,
        )
        return Holder(PersonId(row["person_id"]), row["team_name"]) if row else None

    @database_errors
    async def purge(self) -> int:
        """Delete what has expired; returns how many."""
        rows = await self.pool.fetch("delete from tickets where expires <= now() returning 1")
        return len(rows)
