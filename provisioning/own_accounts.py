"""The bridge's own accounts in a team: the bots where they belong, and nobody where they do not.

Mattermost puts everybody who joins a team into its default channels, and whoever creates a team or a channel
becomes a member. In the agent's channel no account but the bot may stand: people complete its name.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from bridge.models.chat import Channel, ChannelId, Team, UserId
from bridge.ports import MattermostAdmin
from provisioning.default_channels import TOWN_SQUARE
from provisioning.tolerance import tolerated

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OwnAccounts:
    admin: MattermostAdmin
    team: Team
    channels: Mapping[str, Channel]
    """The default channels."""
    agent_channel: str
    done: list[str] = field(default_factory=list)

    async def place(self, user: UserId, names: Collection[str], inside: Collection[ChannelId]) -> None:
        """Put a bot into its channels, and take it out of the agent's channel unless it belongs there."""
        missing = [self.channels[name] for name in sorted(names) if self.channels[name].id not in inside]
        if missing:
            await self._join(user, missing)
        agent = self.channels[self.agent_channel]
        is_new = bool(missing) and self.channels[TOWN_SQUARE].id not in inside
        if self.agent_channel not in names and (is_new or agent.id in inside):
            await self._remove(user, [agent])

    async def dismiss(self, user: UserId, names: Collection[str]) -> None:
        """Take an account out of the team, or, if it is a bot as well, out of channels that are not its own.

        Every member of a team is in town-square.
        """
        inside = {channel.id for channel in await self.admin.channels_of(user, self.team.id)}
        if not names and self.channels[TOWN_SQUARE].id in inside:
            with tolerated("account_not_removed", team=self.team.id, user=user):
                await self.admin.remove_from_team(self.team.id, user)
                self._note("account_left_team", user)
            return
        others = [each for name, each in self.channels.items() if name not in names and name != TOWN_SQUARE]
        await self._remove(user, [channel for channel in others if channel.id in inside])

    async def _join(self, user: UserId, channels: Sequence[Channel]) -> None:
        await self.admin.add_to_team(self.team.id, user)
        for channel in channels:
            await self.admin.add_to_channel(channel.id, user)
            self._note("bot_added", user, channel=channel.name)

    async def _remove(self, user: UserId, channels: Sequence[Channel]) -> None:
        for channel in channels:
            with tolerated("account_not_removed", team=self.team.id, user=user, channel=channel.name):
                await self.admin.remove_from_channel(channel.id, user)
                self._note("account_removed", user, channel=channel.name)

    def _note(self, event: str, user: UserId, **more: str) -> None:
        self.done.append(event)
        log.info(event, team=self.team.id, user=user, **more)
