"""The people of an organization, many at once: who they are in Mattermost, and who of them is in its team.

The states are those of `bridge.db.memberships`; what is written here is what is written there, for many.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.models.chat import UserId
from bridge.models.equa import OrganizationId, PersonId
from bridge.models.jobs import JobId, MembershipState


@dataclass(frozen=True, slots=True)
class Known:
    """What the tables say of some people."""

    accounts: Mapping[PersonId, UserId]
    states: Mapping[PersonId, MembershipState]


@dataclass(frozen=True, slots=True)
class Rosters:
    pool: Pool

    @database_errors
    async def now(self) -> datetime:
        """Return the database's time, by which it is told what was before a roster was read."""
        moment: datetime = await self.pool.fetchval("select now()")
        return moment

    @database_errors
    async def known(self, organization: OrganizationId, people: Collection[PersonId]) -> Known:
        """Return what is known of these people, and of all whom the bridge has put into the team."""
        rows = await self.pool.fetch(
            """
            with them as (
                select unnest($2::uuid[]) as id
                union select person_id from memberships where organization_id = $1 and state <> 'left'
            )
            select them.id, u.mattermost_user_id as user_id, m.state from them
            left join mattermost_user_mappings u on u.id = them.id
            left join memberships m on m.organization_id = $1 and m.person_id = them.id
            """,
            organization,
            list(people),
        )
        return Known(
            {PersonId(row["id"]): UserId(row["user_id"]) for row in rows if row["user_id"]},
            {PersonId(row["id"]): row["state"] for row in rows if row["state"]},
        )

    @database_errors
    async def joining(
        self, organization: OrganizationId, people: Collection[PersonId], *, read_at: datetime
    ) -> frozenset[PersonId]:
        """Note that people are being put into the team; return those who have not left since `read_at`."""
        rows = await self.pool.fetch(
            """
            insert into memberships as m (organization_id, person_id, state)
            select $1, person_id, 'joining' from unnest($2::uuid[]) as t(person_id) order by person_id
            on conflict (organization_id, person_id) do update
            set state = 'joining', modified = now(),
                since = case when m.state in ('joining', 'joined') then m.since else now() end
            where m.state in ('joining', 'joined') or m.modified < $3
            returning person_id
            """,
            organization,
            list(people),
            read_at,
        )
        return frozenset(PersonId(row["person_id"]) for row in rows)

    @database_errors
    async def joined(self, organization: OrganizationId, people: Collection[PersonId]) -> None:
        """Note that people are in the team and its channels, but for those who are leaving meanwhile."""
        await self.pool.execute(
            """
            with them as materialized (
                select person_id from memberships
                where organization_id = $1 and person_id = any($2::uuid[]) and state in ('joining', 'joined')
                order by person_id for update
            )
            update memberships m set state = 'joined', modified = now() from them
            where m.organization_id = $1 and m.person_id = them.person_id
            """,
            organization,
            list(people),
        )

    @database_errors
    async def is_joined_since(self, organization: OrganizationId, person: PersonId, moment: datetime) -> bool:
        """Tell whether the person has been put into the team, or confirmed there, at that moment or later."""
        found: bool = await self.pool.fetchval(
            """select exists (
                   select from memberships
                   where organization_id = $1 and person_id = $2
                     and state in ('joining', 'joined') and modified >= $3)""",
            organization,
            person,
            moment,
        )
        return found

    @database_errors
    async def confirm(self, organization: OrganizationId, person: PersonId) -> None:
        """Note that the person belongs there as of now, so that no older roster takes them out."""
        await self.pool.execute(
            """update memberships set modified = now()
               where organization_id = $1 and person_id = $2 and state = 'joined'""",
            organization,
            person,
        )

    @database_errors
    async def is_synced(self, organization: OrganizationId) -> bool:
        """Tell whether the organization's team follows its members; one without a team will."""
        follows: bool | None = await self.pool.fetchval(
            "select auto_sync from mattermost_org_mappings where organization_id = $1", organization
        )
        return follows is not False

    @database_errors
    async def synced(self) -> list[OrganizationId]:
        """Return the organizations whose teams follow their members."""
        rows = await self.pool.fetch(
            "select organization_id from mattermost_org_mappings where auto_sync order by created"
        )
        return [OrganizationId(row["organization_id"]) for row in rows]

    @database_errors
    async def is_superseded(self, job: JobId) -> bool:
        """Tell whether the platform has told something newer of the same membership, done or waiting."""
        found: bool = await self.pool.fetchval(
            """
            with told as (
                select id, lane, coalesce((payload ->> 'happened')::timestamptz, created) as happened
                from jobs where kind = 'membership' and lane = (select lane from jobs where id = $1)
                  and (state <> 'dead' or id = $1)
            )
            select exists (
                select from told this join told other on other.id <> this.id
                where this.id = $1 and (other.happened, other.id) > (this.happened, this.id))
            """,
            job,
        )
        return found
