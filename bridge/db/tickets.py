"""One-time tickets, stored by a digest so that nobody who reads the table can use one."""

from dataclasses import dataclass, field
from datetime import timedelta

from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.errors import NotAMember
from bridge.models.chat import UserId
from bridge.models.equa import OrganizationId, PersonId

LIFETIME = timedelta(seconds=60)

UNHURRIED = "set_config('synchronous_commit', 'off', true)"
"""Lets a statement return before a ticket is on disk.

A database that crashes may lose the last second's: whoever shows such a ticket gets a new one, as after
a minute.
"""


@dataclass(frozen=True, slots=True)
class Holder:
    """The person that a ticket was issued to, with everything that signs them in."""

    person: PersonId
    user_id: UserId
    sealed: str | None = field(repr=False)
    """Their sealed token, see `bridge.secrets.token_sealing`; None if it was dropped meanwhile."""
    team_name: str
    """As it was when it was last looked at; empty if it never was."""


@dataclass(frozen=True, slots=True)
class Tickets:
    pool: Pool

    @database_errors
    async def put(self, digest: bytes, organization: OrganizationId, person: PersonId) -> None:
        """Store a ticket; raise `NotAMember` unless the person is in the organization's team."""
        stored = await self.pool.fetchval(
            f"""
            insert into tickets (hash, organization_id, person_id, expires)
            select $1, organization_id, person_id, now() + $4::interval from memberships, {UNHURRIED}
            where organization_id = $2 and person_id = $3 and state = 'joined'
            returning true
            """,  # noqa: S608  # a constant
            digest,
            organization,
            person,
            LIFETIME,
        )
        if stored is None:
            raise NotAMember("You are not a member of this organization.")

    @database_errors
    async def take(self, digest: bytes) -> Holder | None:
        """Use a ticket up and return its holder; None if unknown, used, expired or its holder has left."""
        row = await self.pool.fetchrow(
            """
            with taken as (delete from tickets where hash = $1 returning *)
            select t.person_id, u.mattermost_user_id as user_id, u.personal_access_token as sealed,
                   coalesce(o.mattermost_team_name, '') as team_name
            from taken t
            join memberships m using (organization_id, person_id)
            join mattermost_org_mappings o using (organization_id)
            join mattermost_user_mappings u on u.id = t.person_id
            where t.expires > now() and m.state = 'joined'
            """,
            digest,
        )
        if row is None:
            return None
        return Holder(PersonId(row["person_id"]), UserId(row["user_id"]), row["sealed"], row["team_name"])

    @database_errors
    async def purge(self) -> int:
        """Delete expired tickets; return how many."""
        rows = await self.pool.fetch("delete from tickets where expires <= now() returning 1")
        return len(rows)
