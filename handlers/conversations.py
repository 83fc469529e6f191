"""Where an organization's posts may go: its team, and the conversations in it."""

from dataclasses import dataclass

from bridge.db.conversations import Conversations
from bridge.db.teams import TeamMapping, Teams
from bridge.errors import ChannelNotUsable, ConversationUnknown, MattermostRefused, TeamNotMapped
from bridge.models.chat import Channel, ChannelId
from bridge.models.conversations import Conversation
from bridge.models.equa import OrganizationId
from bridge.ports import MattermostApi


@dataclass(frozen=True, slots=True)
class ConversationCheck:
    """Decides where a conversation is, or that it is none of the organization's."""

    teams: Teams
    api: MattermostApi
    conversations: Conversations

    async def channel(self, organization: OrganizationId | None, conversation: Conversation) -> ChannelId:
        """Return the conversation's channel, which is in the organization's team.

        Raises `ConversationUnknown`, `TeamNotMapped`, or `ChannelNotUsable` if the channel is archived.
        """
        if conversation.organization_id != organization or not await self.conversations.knows(conversation):
            raise ConversationUnknown("The organization has no conversation of this key.")
        team = await team_of(self.teams, organization)
        channel = await existing_channel(self.api, conversation.channel_id)
        if channel is None or channel.team_id != team.team_id:
            raise ConversationUnknown(
                "The conversation's channel is not in the organization's team any more."
            )
        if channel.delete_at:
            raise ChannelNotUsable("The conversation's channel is archived.")
        return channel.id


async def team_of(teams: Teams, organization: OrganizationId | None) -> TeamMapping:
    """Return the organization's team; raise `TeamNotMapped`."""
    mapping = await teams.find(organization) if organization else None
    if mapping is None:
        raise TeamNotMapped("The organization has no team yet: nobody has opened Messaging there.")
    return mapping


async def existing_channel(api: MattermostApi, channel_id: ChannelId) -> Channel | None:
    """Return the channel; None if Mattermost says that there is none."""
    try:
        return await api.channel(channel_id)
    except MattermostRefused as error:
        # A 404 without an error id of Mattermost's comes from a proxy in between.
        if error.http_status != 404 or not error.error_id:
            raise
        return None
