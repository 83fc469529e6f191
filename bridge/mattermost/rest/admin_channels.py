"""Channels and their members, as a system administrator manages them."""

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.mattermost.rest.endpoints import ChannelCalls, PostCalls
from bridge.mattermost.rest.objects import parse_named_channel
from bridge.mattermost.rest.outcomes import explaining, found_or_none, repeatable, unless_absent
from bridge.mattermost.rest.transport import Transport
from bridge.mattermost.wire import identifier, parse_list, parse_page
from bridge.models.chat import PAGE_SIZE, Channel, ChannelId, Post, PostId, TeamId, UserId


@dataclass(frozen=True)
class ChannelAdmin:
    transport: Transport

    async def channels_of(self, user_id: UserId, team_id: TeamId) -> Sequence[Channel]:
        """Return the channels of the team that the account is a member of, without archived ones.

        The server adds direct channels, and answers 404 where there is nothing (`GetChannels` in
        server/channels/store/sqlstore/channel_store.go).
        """
        listed = await found_or_none(self._channels.of_user(user_id, team_id), parse_list) or ()
        channels = map(parse_named_channel, listed)
        return [channel for channel in channels if channel.team_id == team_id and not channel.delete_at]

    async def channel(self, channel_id: ChannelId) -> Channel | None:
        return await found_or_none(self._channels.get(channel_id), parse_named_channel)

    async def channel_by_name(self, team_id: TeamId, name: str) -> Channel | None:
        reply = self._channels.by_name(team_id, name, archived=True)
        return await found_or_none(reply, parse_named_channel)

    async def create_channel(self, team_id: TeamId, name: str, display_name: str, purpose: str) -> Channel:
        body = {"team_id": identifier(team_id), "name": name, "type": "O"}
        shown = {"display_name": display_name, "purpose": purpose}
        with explaining("channels"):
            return parse_named_channel(await self._repeatable_channels.create(body | shown))

    async def archive_channel(self, channel_id: ChannelId) -> None:
        with unless_absent():
            await self._channels.archive(channel_id)

    async def restore_channel(self, channel_id: ChannelId) -> None:
        with unless_absent():
            await self._repeatable_channels.restore(channel_id)

    async def rename_channel(self, channel_id: ChannelId, name: str) -> None:
        with explaining("channels"):
            await self._channels.patch(channel_id, {"name": name})

    async def describe_channel(self, channel_id: ChannelId, display_name: str, purpose: str) -> None:
        await self._channels.patch(channel_id, {"display_name": display_name, "purpose": purpose})

    async def add_to_channel(self, channel_id: ChannelId, user_id: UserId) -> None:
        await self._repeatable_channels.add_member(channel_id, user_id)

    async def remove_from_channel(self, channel_id: ChannelId, user_id: UserId) -> None:
        with unless_absent():
            await self._channels.remove_member(channel_id, user_id)

    async def system_posts(self, channel_id: ChannelId) -> Sequence[Post]:
        page = parse_page(await PostCalls(self.transport).page(channel_id, {"per_page": PAGE_SIZE}))
        return [post for post in page if post.type.startswith("system_")]

    async def delete_post(self, post_id: PostId) -> None:
        with unless_absent():
            await PostCalls(self.transport).delete(post_id)

    @property
    def _channels(self) -> ChannelCalls:
        return ChannelCalls(self.transport)

    @property
    def _repeatable_channels(self) -> ChannelCalls:
        return ChannelCalls(repeatable(self.transport))
