"""One default channel of a team: found, repaired or created.

The channel that the bridge has stored is the default channel, whatever it is called by now. Another channel
of its name is never used instead: a member may have made it to read what is posted there.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import structlog

from bridge.errors import NameTaken
from bridge.models.chat import Channel, ChannelId, Team
from bridge.ports import MattermostAdmin
from provisioning.default_channels import description
from provisioning.names import LONGEST_CHANNEL_NAME
from provisioning.tolerance import tolerated

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ChannelRepair:
    admin: MattermostAdmin
    team: Team
    stored: Collection[ChannelId]
    """The default channels of the team that are known already."""
    done: list[str] = field(default_factory=list)
    """What was repaired, for the log and for whoever asked for it."""

    async def ensure(self, name: str, own: Channel | None) -> Channel:
        """Return the default channel, active and under its name; `own` is the one that is stored.

        It keeps another name only where Mattermost refuses to give the name back, and it stays private where
        somebody has made it so.
        """
        channel = own or await self._adopted(name) or await self._created(name)
        if channel.delete_at:
            await self.admin.restore_channel(channel.id)
            channel = replace(channel, delete_at=0)
            self._note("channel_restored", name)
        return channel if channel.name == name else await self._renamed(channel, name)

    async def _adopted(self, name: str) -> Channel | None:
        """Return the channel of that name if it is open to the team and is no other default channel."""
        found = await self.admin.channel_by_name(self.team.id, name)
        return found if found and found.type == "O" and found.id not in self.stored else None

    async def _created(self, name: str) -> Channel:
        try:
            return await self._create(name, name)
        except NameTaken:
            # Another process has created it just now, or it is a channel that must not be used.
            found = await self._adopted(name)
        if found is None and not await self._free(name):
            return await self._create(name, _other_name(name, self.team.id[:8]))
        return found or await self._create(name, name)

    async def _create(self, name: str, handle: str) -> Channel:
        shown = description(name)
        return await self.admin.create_channel(self.team.id, handle, shown.title, shown.purpose)

    async def _renamed(self, channel: Channel, name: str) -> Channel:
        """Give a channel its name back, because links lead there and the agent listens there."""
        with tolerated("channel_not_renamed", team=self.team.id, channel=name):
            if await self._rename(channel, name) or (
                await self._free(name) and await self._rename(channel, name)
            ):
                self._note("channel_renamed_back", name, was=channel.name)
                return replace(channel, name=name)
        log.warning("channel_name_taken", team=self.team.id, channel=name, shown=channel.name)
        return channel

    async def _rename(self, channel: Channel, name: str) -> bool:
        try:
            await self.admin.rename_channel(channel.id, name)
        except NameTaken:
            return False
        return True

    async def _free(self, name: str) -> bool:
        """Give the channel that has a default channel's name another one; return whether the name is free."""
        holder = await self.admin.channel_by_name(self.team.id, name)
        if holder is None:
            return True
        with tolerated("channel_name_not_freed", team=self.team.id, channel=name):
            other = await self._moved_away(holder, name)
            if other:
                self._note("channel_name_taken_back", name, holder=holder.id, now=other, type=holder.type)
                return True
        return False

    async def _moved_away(self, holder: Channel, name: str) -> str:
        """Return the other name of a channel; empty if its members have taken those as well.

        An archived channel cannot be renamed before it is restored (`updateChannelT` in
        server/channels/store/sqlstore/channel_store.go).
        """
        if holder.delete_at:
            await self.admin.restore_channel(holder.id)
        try:
            for other in (_other_name(name, holder.id[:8]), _other_name(name, holder.id)):
                if await self._rename(holder, other):
                    return other
        finally:
            if holder.delete_at:
                await self.admin.archive_channel(holder.id)
        return ""

    def _note(self, event: str, name: str, **more: str) -> None:
        self.done.append(event)
        log.info(event, team=self.team.id, channel=name, **more)


def _other_name(name: str, distinct: str) -> str:
    return f"{name[: LONGEST_CHANNEL_NAME - len(distinct) - 1]}-{distinct}"
