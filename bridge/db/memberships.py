"""The people that the bridge has put into organizations' teams.

joining → joined → leaving → left: each state is written before Mattermost is called, so that a crash leaves
a row that says what may be so.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.models.chat import UserId
from bridge.models.equa import OrganizationId, PersonId
from bridge.models.jobs import MembershipState

REMEMBERED = timedelta(days=1)
"""How long it is known of somebody that they have left."""


@dataclass(frozen=True, slots=True)
class Known:
    """The accounts and memberships of some people."""

    accounts: Mapping[PersonId, UserId]
    states: Mapping[PersonId, MembershipState]


@dataclass(frozen=True, slots=True)
class Memberships:
    pool: Pool

    @database_errors
    async def now(self) -> datetime:
        """Return the database's time, which orders memberships and the reading of rosters."""
        moment: datetime = await self.pool.fetchval("select now()")
        return moment

    @database_errors
    async def state(self, organization: OrganizationId, person: PersonId) -> MembershipState | None:
        found: MembershipState | None = await self.pool.fetchval(
            "select state from memberships where organization_id = $1 and person_id = $2",
            organization,
            person,
        )
        return found

    @database_errors
    async def join(self, organization: OrganizationId, person: PersonId, *, verdict_age: timedelta) -> bool:
        """Note that the person is being put into the team.

        False when they have left since Equa said that they are a member, `verdict_age` ago at most.
        """
        joined = await self.pool.fetchval(
            """
            insert into memberships as m (organization_id, person_id, state) values ($1, $2, 'joining')
            on conflict (organization_id, person_id) do update
            set state = 'joining', modified = now()
            where m.state in ('joining', 'joined') or m.modified < now() - $3::interval
            returning true
            """,
            organization,
            person,
            verdict_age,
        )
        return joined is not None

    @database_errors
    async def joined(self, organization: OrganizationId, person: PersonId) -> bool:
        """Note that the person is in the team and its channels; False when they are leaving meanwhile."""
        found = await self.pool.fetchval(
            """update memberships set state = 'joined', modified = now()
               where organization_id = $1 and person_id = $2 and state in ('joining', 'joined')
               returning true""",
            organization,
            person,
        )
        return found is not None

    @database_errors
    async def leave(self, organization: OrganizationId, person: PersonId) -> None:
        """Note that the person is being taken out of the team; their tickets for it are void from now on."""
        await self.pool.execute(
            """
            with void as (delete from tickets where organization_id = $1 and person_id = $2)
            insert into memberships (organization_id, person_id, state) values ($1, $2, 'leaving')
            on conflict (organization_id, person_id) do update set state = 'leaving', modified = now()
            """,
            organization,
            person,
        )

    @database_errors
    async def left(self, organization: OrganizationId, person: PersonId) -> None:
        """Note that the person is out of the team."""
        await self.pool.execute(
            """update memberships set state = 'left', modified = now()
               where organization_id = $1 and person_id = $2 and state = 'leaving'""",
            organization,
            person,
        )

    @database_errors
    async def has_any(self, person: PersonId) -> bool:
        """Return whether the person is in, or being put into, a team of any organization."""
        found: bool = await self.pool.fetchval(
            "select exists (select from memberships where person_id = $1 and state in ('joining', 'joined'))",
            person,
        )
        return found

    @database_errors
    async def people(self, organization: OrganizationId) -> frozenset[PersonId]:
        """Return the people that the bridge has put into the organization's team and not taken out."""
        rows = await self.pool.fetch(
            "select person_id from memberships where organization_id = $1 and state <> 'left'", organization
        )
        return frozenset(PersonId(row["person_id"]) for row in rows)

    @database_errors
    async def known(self, organization: OrganizationId, people: Collection[PersonId]) -> Known:
        """Return accounts and states of these people, and of all that the bridge has put into the team."""
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
    async def joining_all(
        self, organization: OrganizationId, people: Collection[PersonId], *, read_at: datetime
    ) -> frozenset[PersonId]:
        """Note that people are being put into the team; return those who have not left since `read_at`."""
        rows = await self.pool.fetch(
            """
            insert into memberships as m (organization_id, person_id, state)
            select $1, person_id, 'joining' from unnest($2::uuid[]) as t(person_id) order by person_id
            on conflict (organization_id, person_id) do update
            set state = 'joining', modified = now()
            where m.state in ('joining', 'joined') or m.modified < $3
            returning person_id
            """,
            organization,
            list(people),
            read_at,
        )
        return frozenset(PersonId(row["person_id"]) for row in rows)

    @database_errors
    async def joined_all(self, organization: OrganizationId, people: Collection[PersonId]) -> None:
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
        """Return whether the person was put into the team, or confirmed there, at that moment or later."""
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
    async def purge(self) -> int:
        """Forget who left long ago; returns how many."""
        rows = await self.pool.fetch(
            "delete from memberships where state = 'left' and modified < now() - $1::interval returning 1",
            REMEMBERED,
        )
        return len(rows)
