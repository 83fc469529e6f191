"""Organizations' teams, and which of their channels is which."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from asyncpg import Pool

from bridge.db.attempts import of_organization
from bridge.db.inbox import CHANNEL
from bridge.db.pool import database_errors
from bridge.models.chat import ChannelId, ChannelProblem, Team, TeamId
from bridge.models.equa import OrganizationId, PersonId

_WELCOME = """
with team as (
    update mattermost_org_mappings set welcomed = true where organization_id = $1 and not welcomed
    returning organization_id, mattermost_team_id
), job as (
    insert into jobs (kind, lane, organization_id, dedupe, payload)
    select 'welcome', 'welcome:' || organization_id, organization_id,
           'welcome:' || organization_id || ':' || mattermost_team_id, '{}'
    from team
    on conflict (dedupe) do nothing
    returning id
)
select id, pg_notify($2, '') from job
"""


@dataclass(frozen=True, slots=True)
class TeamMapping:
    team_id: TeamId
    name: str | None
    """The team's name when it was last looked at."""
    shown_name: str | None = None
    """The display name that the bridge has set; None where somebody else has."""


@dataclass(frozen=True, slots=True)
class ChannelMapping:
    """Which channel is one of an organization's default channels."""

    id: ChannelId
    introduced: bool = False
    """Whether it has been given its title and purpose."""
    problem: ChannelProblem | None = None


@dataclass(frozen=True, slots=True)
class Teams:
    pool: Pool

    @database_errors
    async def find(self, organization: OrganizationId) -> TeamMapping | None:
        row = await self.pool.fetchrow(
            """select mattermost_team_id as team_id, mattermost_team_name as name, shown_name
               from mattermost_org_mappings where organization_id = $1""",
            organization,
        )
        return TeamMapping(TeamId(row["team_id"]), row["name"], row["shown_name"]) if row else None

    @database_errors
    async def named(self, name: str) -> list[OrganizationId]:
        """Return the organizations whose teams have this name, as in addresses or as it is shown."""
        rows = await self.pool.fetch(
            """select organization_id from mattermost_org_mappings
               where lower($1) in (lower(mattermost_team_name), lower(shown_name)) order by created""",
            name,
        )
        return [OrganizationId(row["organization_id"]) for row in rows]

    @database_errors
    async def first_with_team(
        self, person: PersonId, organizations: Collection[OrganizationId]
    ) -> OrganizationId | None:
        """Return one of these organizations that has a team, rather one whose team the person is in."""
        found = await self.pool.fetchval(
            """
            select o.organization_id from mattermost_org_mappings o
            left join memberships m
                on m.organization_id = o.organization_id and m.person_id = $1 and m.state = 'joined'
            where o.organization_id = any($2::uuid[])
            order by m.person_id is null, o.created, o.organization_id limit 1
            """,
            person,
            list(organizations),
        )
        return OrganizationId(found) if found else None

    @database_errors
    async def record(self, organization: OrganizationId, team: Team, shown_name: str | None) -> None:
        """Record an organization's team, its name, and the display name that the bridge has set."""
        await self.pool.execute(
            """
            with done as (delete from attempts where key = $4)
            insert into mattermost_org_mappings
                (organization_id, mattermost_team_id, mattermost_team_name, shown_name)
            values ($1, $2, $3, $5)
            on conflict (organization_id) do update
            set mattermost_team_id = excluded.mattermost_team_id,
                mattermost_team_name = excluded.mattermost_team_name,
                shown_name = excluded.shown_name,
                welcomed = mattermost_org_mappings.welcomed
                           and mattermost_org_mappings.mattermost_team_id = excluded.mattermost_team_id,
                modified = now()
            """,
            organization,
            team.id,
            team.name,
            of_organization(organization),
            shown_name,
        )

    @database_errors
    async def welcome(self, organization: OrganizationId) -> bool:
        """Have the bot greet the organization's team, once; False if it was greeted before."""
        welcomed = await self.pool.fetchval(_WELCOME, organization, CHANNEL)
        return welcomed is not None

    @database_errors
    async def channels(self, organization: OrganizationId) -> Mapping[str, ChannelMapping]:
        """Return the organization's channels by the names that the bridge gave them."""
        rows = await self.pool.fetch(
            """select name, mattermost_channel_id, introduced, problem
               from mattermost_channel_mappings where organization_id = $1""",
            organization,
        )
        return {
            row["name"]: ChannelMapping(
                ChannelId(row["mattermost_channel_id"]), row["introduced"], row["problem"]
            )
            for row in rows
        }

    @database_errors
    async def record_channels(
        self,
        organization: OrganizationId,
        channels: Mapping[str, tuple[ChannelId, ChannelProblem | None]],
    ) -> None:
        """Record the default channels and their problems; another channel is not introduced yet."""
        await self.pool.execute(
            """
            insert into mattermost_channel_mappings as c
                (organization_id, name, mattermost_channel_id, problem)
            select $1, * from unnest($2::text[], $3::text[], $4::text[])
            on conflict (organization_id, name) do update
            set mattermost_channel_id = excluded.mattermost_channel_id, problem = excluded.problem,
                introduced = c.introduced and c.mattermost_channel_id = excluded.mattermost_channel_id
            """,
            organization,
            list(channels),
            [channel for channel, _ in channels.values()],
            [problem for _, problem in channels.values()],
        )

    @database_errors
    async def introduced(self, organization: OrganizationId, name: str) -> None:
        """Record that a channel has its title and purpose."""
        await self.pool.execute(
            """update mattermost_channel_mappings set introduced = true
               where organization_id = $1 and name = $2""",
            organization,
            name,
        )

    @database_errors
    async def channel_problems(self) -> Mapping[ChannelProblem, int]:
        """Return how many default channels have each problem."""
        rows = await self.pool.fetch(
            "select problem, count(*) from mattermost_channel_mappings where problem is not null group by 1"
        )
        return {row["problem"]: row["count"] for row in rows}

    @database_errors
    async def organization_of_team(self, team: TeamId) -> OrganizationId | None:
        """Return the organization whose team it is."""
        found = await self.pool.fetchval(
            "select organization_id from mattermost_org_mappings where mattermost_team_id = $1", team
        )
        return OrganizationId(found) if found else None

    @database_errors
    async def is_synced(self, organization: OrganizationId) -> bool:
        """Return whether the organization's team follows its members; a future team will."""
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
