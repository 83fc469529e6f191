"""The default channels of a team, and the bridge's accounts in them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bridge.db.teams import ChannelMapping
from bridge.models.chat import Channel, ChannelId, ChannelProblem, Team, TeamId, UserId
from bridge.models.equa import OrganizationId
from bridge.ports import MattermostAdmin
from provisioning.channel_introduction import ChannelIntroduction
from provisioning.channel_repair import ChannelRepair
from provisioning.own_accounts import OwnAccounts
from provisioning.parallel import each
from provisioning.tables import Tables
from provisioning.team_bots import TeamBots
from provisioning.tolerance import tolerated

_AT_ONCE = 4

Inside = Mapping[UserId, Mapping[ChannelId, Channel]]
"""The channels of the team that each bot is a member of."""


@dataclass(frozen=True, slots=True)
class DefaultChannels:
    """The default channels by name, and what had to be repaired."""

    by_name: Mapping[str, Channel]
    repairs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChannelProvisioner:
    admin: MattermostAdmin
    tables: Tables
    team_bots: TeamBots

    async def ensure(
        self, organization: OrganizationId, team: Team, *, thorough: bool = False
    ) -> DefaultChannels:
        """Return the default channels, repaired: active, under their names, with the bots that belong there.

        One bot that is in all of them makes this one call. Title and purpose are set once, and people may
        change them. `thorough` also takes the administrator's account out of a team that it was left in.
        """
        stored = await self.tables.teams.channels(organization)
        places = await self.team_bots.places()
        inside = await self._inside(team, places)
        repair = ChannelRepair(self.admin, team, {mapping.id for mapping in stored.values()})
        channels = {
            name: await repair.ensure(name, await _own(self.admin, team, inside, stored.get(name)))
            for name in self.team_bots.channels
        }
        new = [name for name, channel in channels.items() if not _is_introduced(stored.get(name), channel)]
        accounts = OwnAccounts(self.admin, team, channels, self.team_bots.agent_channel)
        for user, names in places.items():
            await accounts.place(user, names, inside[user])
        if thorough or new:
            await self._dismiss_administrator(accounts)
        await _record(self.tables, organization, channels, stored)
        if new:
            await self._introduce(organization, {name: channels[name] for name in new})
        return DefaultChannels(channels, (*repair.done, *accounts.done))

    async def are_intact(self, organization: OrganizationId, team_id: TeamId) -> bool:
        """Return whether the bots are where they belong and the channels have their names; one call a bot."""
        stored = await self.tables.teams.channels(organization)
        agent_channel = self.team_bots.agent_channel
        for user, names in (await self.team_bots.places()).items():
            channels = await self.admin.channels_of(user, team_id)
            inside = {channel.id: channel.name for channel in channels}
            if any(name not in stored or inside.get(stored[name].id) != name for name in names):
                return False
            if agent_channel not in names and agent_channel in stored and stored[agent_channel].id in inside:
                return False
        return True

    async def _inside(self, team: Team, users: Iterable[UserId]) -> Inside:
        return {
            user: {channel.id: channel for channel in await self.admin.channels_of(user, team.id)}
            for user in users
        }

    async def _dismiss_administrator(self, accounts: OwnAccounts) -> None:
        administrator = await self.team_bots.administrator()
        if administrator is not None:
            places = await self.team_bots.places()
            await accounts.dismiss(administrator, places.get(administrator, frozenset()))

    async def _introduce(self, organization: OrganizationId, channels: Mapping[str, Channel]) -> None:
        accounts = {*await self.team_bots.places(), await self.team_bots.administrator()} - {None}
        introduction = ChannelIntroduction(self.admin, accounts)

        async def introduce(name: str) -> None:
            with tolerated("channel_not_introduced", organization=str(organization), channel=name):
                await introduction.describe(name, channels[name])
                await introduction.tidy(channels[name])
                await self.tables.teams.introduced(organization, name)

        await each(channels, introduce, at_once=_AT_ONCE)


async def _own(
    admin: MattermostAdmin, team: Team, inside: Inside, mapping: ChannelMapping | None
) -> Channel | None:
    """Return the stored channel as it is now, None if it does not exist any more."""
    if mapping is None:
        return None
    for channels in inside.values():
        if mapping.id in channels:
            return channels[mapping.id]
    channel = await admin.channel(mapping.id)
    return channel if channel is not None and channel.team_id == team.id else None


def _is_introduced(mapping: ChannelMapping | None, channel: Channel) -> bool:
    return mapping is not None and mapping.id == channel.id and mapping.introduced


async def _record(
    tables: Tables,
    organization: OrganizationId,
    channels: Mapping[str, Channel],
    stored: Mapping[str, ChannelMapping],
) -> None:
    found = {name: (channel.id, _problem(name, channel)) for name, channel in channels.items()}
    if found != {name: (mapping.id, mapping.problem) for name, mapping in stored.items() if name in found}:
        await tables.teams.record_channels(organization, found)


def _problem(name: str, channel: Channel) -> ChannelProblem | None:
    if channel.type != "O":
        return "private"
    return None if channel.name == name else "renamed"
