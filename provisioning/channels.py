"""The default channels of a team, and the bots in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from bridge.errors import NameTaken
from bridge.models.chat import Channel, ChannelId, Team, UserId
from bridge.models.equa import OrganizationId
from bridge.ports import MattermostAdmin
from provisioning.names import channel_title
from provisioning.tables import Tables
from provisioning.team_bots import TOWN_SQUARE, TeamBots

log = structlog.get_logger(__name__)

_FIRST_TITLE = "Town Square"
"""What Mattermost calls town-square in a new team."""

_GENERAL = "General"


async def ensure_channels(
    admin: MattermostAdmin, tables: Tables, team_bots: TeamBots, organization: OrganizationId, team: Team
) -> Mapping[str, Channel]:
    """Return the default channels by name, open to all members, each with the bots that belong there.

    What is missing is created, what is archived restored, and a channel of ours that was given another name
    in addresses gets its own back, because links lead there; how it is shown is left to people. One bot that
    is in all of them makes this one call. A private channel of such a name is used, but nobody except bots is
    put into it.
    """
    places = await team_bots.places()
    seen = {user: _by_name(await admin.channels_of(user, team.id)) for user in places}
    mapped = await tables.teams.channels(organization)
    known = {name: channel for channels in seen.values() for name, channel in channels.items()}
    repair = _Repair(admin, team)
    found = {
        name: known.get(name) or await repair.channel(name, mapped.get(name)) for name in team_bots.channels
    }
    if any(mapped.get(name) != channel.id for name, channel in found.items()):
        await tables.teams.record_channels(organization, {name: each.id for name, each in found.items()})
    for user, names in places.items():
        await repair.place(user, [found[name] for name in sorted(names - seen[user].keys())])
    if found[TOWN_SQUARE].display_name == _FIRST_TITLE:
        await admin.rename_channel(found[TOWN_SQUARE].id, display_name=_GENERAL)
    return found


@dataclass(frozen=True, slots=True)
class _Repair:
    admin: MattermostAdmin
    team: Team

    async def channel(self, name: str, mapped: ChannelId | None) -> Channel:
        """Return the channel of that name, active; `mapped` is the one that had it when it was last seen."""
        channel = await self._own(name, mapped) or await self._named(name) or await self._created(name)
        if channel.delete_at:
            await self.admin.restore_channel(channel.id)
            channel = replace(channel, delete_at=0)
            log.info("channel_restored", team=self.team.id, channel=name)
        if channel.type != "O":
            log.warning("channel_is_private", team=self.team.id, channel=name)
        return channel

    async def place(self, user: UserId, channels: list[Channel]) -> None:
        """Put a bot into channels that it is not in."""
        if channels:
            await self.admin.add_to_team(self.team.id, user)
        for channel in channels:
            await self.admin.add_to_channel(channel.id, user)

    async def _own(self, name: str, mapped: ChannelId | None) -> Channel | None:
        """Return the channel that was ours under its name, unless another has taken the name."""
        channel = await self.admin.channel(mapped) if mapped else None
        if channel is None or channel.team_id != self.team.id:
            return None
        if channel.name != name:
            try:
                await self.admin.rename_channel(channel.id, name=name)
            except NameTaken:
                return None
            log.info("channel_renamed_back", team=self.team.id, channel=name, was=channel.name)
        return replace(channel, name=name)

    async def _named(self, name: str) -> Channel | None:
        return await self.admin.channel_by_name(self.team.id, name)

    async def _created(self, name: str) -> Channel:
        try:
            title = _GENERAL if name == TOWN_SQUARE else channel_title(name)
            return await self.admin.create_channel(self.team.id, name, title)
        except NameTaken:
            found = await self._named(name)
            if found is None:
                raise
            return found


def _by_name(channels: Sequence[Channel]) -> dict[str, Channel]:
    return {channel.name: channel for channel in channels}
