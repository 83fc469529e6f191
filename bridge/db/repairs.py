"""Requests to repair an organization's team: one job at a time, and slower the more often it is needed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from asyncpg import Pool

from bridge.db.inbox import CHANNEL
from bridge.db.pool import database_errors
from bridge.models.chat import Channel, ChannelId, TeamId, UserId
from bridge.models.equa import OrganizationId
from bridge.models.jobs import RepairCause

_REQUEST = """
with place as (
    select o.organization_id, o.mattermost_team_id as team_id, c.name
    from mattermost_org_mappings o
    left join mattermost_channel_mappings c
           on c.organization_id = o.organization_id and c.mattermost_channel_id = $1
    where c.name is not null or o.mattermost_team_id = $2
    limit 1
), wrong as (
    select * from place where $3::text is null or name is distinct from $3 or $4
), before as (
    select w.*, count(j.id) filter (where j.created > now() - interval '1 hour') as lately,
           max(coalesce(j.finished, now())) as last, coalesce(max(j.id), 0) as newest
    from wrong w
    left join jobs j on j.lane = 'repair:' || w.organization_id and j.kind = 'repair' and j.state <> 'waiting'
    group by w.organization_id, w.team_id, w.name
), requested as (
    insert into jobs (kind, lane, organization_id, dedupe, payload, run_at)
    select 'repair', 'repair:' || b.organization_id, b.organization_id,
           'repair:' || b.organization_id || ':' || b.newest,
           $5::jsonb || jsonb_build_object('team_id', b.team_id, 'channel', b.name),
           case when b.lately < $6 then now() + $7::interval else b.last + $8::interval end
    from before b
    where not exists (select from jobs w
                      where w.lane = 'repair:' || b.organization_id and w.state = 'waiting')
    on conflict (dedupe) do nothing
    returning organization_id, run_at, payload ->> 'channel' as channel
)
select r.*, pg_notify($9, '') from requested r
"""
"""Request a repair because of the channel $1 or of the team $2; none if the channel has its own name, $3, and
is not closed, $4.

A job that waits already is enough. The id of the last one that does not wait makes the key, so that two
processes request one.
"""

_MISSING = """
select mattermost_channel_id from mattermost_channel_mappings
where name = $1 and mattermost_channel_id <> all($2::text[])
"""

_QUICK = 5
"""Repairs in an hour that are done at once."""

_AT_ONCE = timedelta(milliseconds=300)
"""Until several changes at once, and the news of them in other processes, are one request."""

_SLOW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class RepairRequest:
    """A repair that was requested just now."""

    organization_id: OrganizationId
    channel: str | None
    """The name that the bridge gave the channel."""


@dataclass(frozen=True, slots=True)
class RepairRequests:
    pool: Pool

    async def of_channel(
        self, channel_id: ChannelId, cause: RepairCause, by: UserId | Literal[""]
    ) -> RepairRequest | None:
        """Request the repair of the team of a default channel; None for another channel, or if one waits."""
        return await self._request(channel_id, None, None, False, {"cause": cause, "by": by})

    async def of_update(self, channel: Channel) -> RepairRequest | None:
        """Request a repair if a default channel has lost its name or is closed."""
        closed = channel.type != "O"
        cause: RepairCause = "converted" if closed else "renamed"
        return await self._request(channel.id, None, channel.name, closed, {"cause": cause, "by": ""})

    @database_errors
    async def missing(self, name: str, heard: Collection[ChannelId]) -> Sequence[ChannelId]:
        """Return the default channels that the bridge called `name` and that are not among those heard."""
        rows = await self.pool.fetch(_MISSING, name, list(heard))
        return [ChannelId(row["mattermost_channel_id"]) for row in rows]

    async def of_team(self, team_id: TeamId) -> RepairRequest | None:
        """Request a repair because the bot is out of a team."""
        return await self._request(None, team_id, None, False, {"cause": "out_of_team", "by": ""})

    @database_errors
    async def _request(
        self,
        channel_id: ChannelId | None,
        team_id: TeamId | None,
        name: str | None,
        closed: bool,  # noqa: FBT001
        payload: Mapping[str, Any],
    ) -> RepairRequest | None:
        row = await self.pool.fetchrow(
            _REQUEST, channel_id, team_id, name, closed, payload, _QUICK, _AT_ONCE, _SLOW, CHANNEL
        )
        return RepairRequest(OrganizationId(row["organization_id"]), row["channel"]) if row else None
