"""Organizations' teams, and which of their channels is which."""

from collections.abc import Mapping
from dataclasses import dataclass

from asyncpg import Pool

from bridge.db.attempts import of_organization
from bridge.db.pool import database_errors
from bridge.models.chat import ChannelId, Team, TeamId
from bridge.models.equa import OrganizationId


@dataclass(frozen=True, slots=True)
class TeamMapping:
    team_id: TeamId
    name: str | None
    """The team's name when it was last looked at."""


@dataclass(frozen=True, slots=True)
class Teams:
    pool: Pool

    @database_errors
    async def find(self, organization: OrganizationId) -> TeamMapping | None:
        row = await self.pool.fetchrow(
            """select mattermost_team_id as team_id, mattermost_team_name as name
               from mattermost_org_mappings where organization_id = $1""",
            organization,
        )
        return TeamMapping(TeamId(row["team_id"]), row["name"]) if row else None

    @database_errors
    async def record(self, organization: OrganizationId, team: Team) -> None:
        """Say which team an organization has, and its present name."""
        await self.pool.execute(
            """
            with done as (delete from attempts where key = $4)
            insert into mattermost_org_mappings
                (organization_id, mattermost_team_id, mattermost_team_name)
            values ($1, $2, $3)
            on conflict (organization_id) do update
            set mattermost_team_id = excluded.mattermost_team_id,
                mattermost_team_name = excluded.mattermost_team_name,
                modified = now()
            """,
            organization,
            team.id,
            team.name,
            of_organization(organization),
        )

    @database_errors
    async def channels(self, organization: OrganizationId) -> Mapping[str, ChannelId]:
        """Return the organization's channels by the names that the bridge gave them."""
        rows = await self.pool.fetch(
            "select name, mattermost_channel_id from mattermost_channel_mappings where organization_id = $1",
            organization,
        )
        return {row["name"]: ChannelId(row["mattermost_channel_id"]) for row in rows}

    @database_errors
    async def record_channels(self, organization: OrganizationId, channels: Mapping[str, ChannelId]) -> None:
        """Say which channels these are."""
        await self.pool.execute(
            """
            insert into mattermost_channel_mappings (organization_id, name, mattermost_channel_id)
            select $1, * from unnest($2::text[], $3::text[])
            on conflict (organization_id, name) do update
            set mattermost_channel_id = excluded.mattermost_channel_id
            """,
            organization,
            list(channels),
            list(channels.values()),
        )
