"""Whom the bridge has put into which organization's team.

joining → joined → leaving → left: each is written before Mattermost is told, so that a crash in between
leaves a line that says what may be so.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.models.equa import OrganizationId, PersonId

State = Literal["joining", "joined", "leaving", "left"]

REMEMBERED = timedelta(days=1)
"""How long it is known of somebody that they have left."""


@dataclass(frozen=True, slots=True)
class Memberships:
    pool: Pool

    @database_errors
    async def state(self, organization: OrganizationId, person: PersonId) -> State | None:
        found: State | None = await self.pool.fetchval(
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
            set state = 'joining', modified = now(),
                since = case when m.state in ('joining', 'joined') then m.since else now() end
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
        """Tell whether the person is in, or being put into, a team of any organization."""
        found: bool = await self.pool.fetchval(
            "select exists (select from memberships where person_id = $1 and state in ('joining', 'joined'))",
            person,
        )
        return found

    @database_errors
    async def people(self, organization: OrganizationId) -> frozenset[PersonId]:
        """Return whom the bridge has put into the organization's team and has not taken out."""
        rows = await self.pool.fetch(
            "select person_id from memberships where organization_id = $1 and state <> 'left'", organization
        )
        return frozenset(PersonId(row["person_id"]) for row in rows)

    @database_errors
    async def purge(self) -> int:
        """Forget who left long ago; returns how many."""
        rows = await self.pool.fetch(
            "delete from memberships where state = 'left' and modified < now() - $1::interval returning 1",
            REMEMBERED,
        )
        return len(rows)
