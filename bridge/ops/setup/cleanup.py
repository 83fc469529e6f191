"""Take the bridge's other accounts out of the agent's channel, where people complete the bot's name.

Mattermost puts everybody who joins a team into its default channels, and makes its creator a member.
An agent's channel with the bot in it marks a team of the bridge.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from bridge.mattermost.rest.server_admin import RestOperator
from bridge.models.chat import ChannelId, TeamId, User
from bridge.ops.findings import Finding, Mark

_Id = TypeVar("_Id", TeamId, ChannelId)

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Cleanup:
    operator: RestOperator
    """With the administrator's token."""
    agent_channel: str
    dry_run: bool

    async def accounts(self, bot: User | None, notices: User | None) -> list[Finding]:
        """Take the administrator out of these teams, and the notice account out of the agent's channels."""
        if bot is None:
            return []
        agent_channels = await self._agent_channels(bot)
        findings = [
            *await self._administrator(await self.operator.me(), agent_channels, {bot, notices}),
            *await self._notices(bot, notices, agent_channels),
        ]
        return findings or [Finding("other accounts", "good", f"none in #{self.agent_channel}")]

    async def _agent_channels(self, bot: User) -> Mapping[TeamId, ChannelId]:
        return {
            channel.team_id: channel.id
            for channel in await self.operator.channels_of(bot.id)
            if channel.name == self.agent_channel and channel.team_id
        }

    async def _administrator(
        self, me: User, agent_channels: Mapping[TeamId, ChannelId], bots: Iterable[User | None]
    ) -> list[Finding]:
        if any(bot and bot.id == me.id for bot in bots):
            return []
        teams = [team for team in await self.operator.teams_of(me.id) if team in agent_channels]
        await self._each(teams, lambda team: self.operator.admin.remove_from_team(team, me.id))
        return self._done(f"@{me.username}", "of", teams)

    async def _notices(
        self, bot: User, notices: User | None, agent_channels: Mapping[TeamId, ChannelId]
    ) -> list[Finding]:
        if notices is None or notices.id == bot.id:
            return []
        inside = {channel.id for channel in await self.operator.channels_of(notices.id)}
        channels = [channel for channel in agent_channels.values() if channel in inside]
        await self._each(
            channels, lambda channel: self.operator.admin.remove_from_channel(channel, notices.id)
        )
        return self._done(f"@{notices.username}", f"of #{self.agent_channel} in", channels)

    async def _each(self, items: Iterable[_Id], remove: Callable[[_Id], Awaitable[None]]) -> None:
        limit = asyncio.Semaphore(_AT_ONCE)

        async def one(item: _Id) -> None:
            async with limit:
                await remove(item)

        if self.dry_run:
            return
        async with asyncio.TaskGroup() as group:
            for item in items:
                group.create_task(one(item))

    def _done(self, name: str, place: str, items: list[TeamId] | list[ChannelId]) -> list[Finding]:
        if not items:
            return []
        teams = "1 team" if len(items) == 1 else f"{len(items)} teams"
        mark: Mark = "planned" if self.dry_run else "changed"
        return [Finding("other accounts", mark, f"{name} taken out {place} {teams}")]
