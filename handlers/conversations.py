"""Where an organization's posts may go: its team, and the conversations with its agent."""

from dataclasses import dataclass
from typing import Literal

from bridge.db.conversation_starts import ConversationStarts
from bridge.db.conversations import Conversations
from bridge.db.teams import TeamMapping, Teams
from bridge.errors import ChannelNotUsable, ConversationUnknown, MattermostRefused, TeamNotMapped
from bridge.models.chat import Channel, ChannelId, PostId
from bridge.models.conversations import Conversation
from bridge.models.equa import OrganizationId, PersonId
from bridge.ports import MattermostApi
from provisioning.member_check import MemberCheck

_NOW = 2**62
"""Milliseconds: behind every beginning."""


@dataclass(frozen=True, slots=True)
class PostTarget:
    """Where something is posted."""

    channel_id: ChannelId
    root_id: PostId | Literal[""] = ""
    """Empty for the channel itself."""
    direct: int | None = None
    """The number of the conversation in a direct channel; None elsewhere."""


@dataclass(frozen=True, slots=True)
class ConversationCheck:
    """Decides where a conversation is, or that it is none of the organization's."""

    teams: Teams
    api: MattermostApi
    conversations: Conversations
    starts: ConversationStarts
    member_check: MemberCheck

    async def target(self, organization: OrganizationId | None, conversation: Conversation) -> PostTarget:
        """Return where the conversation is held.

        Raises `ConversationUnknown`, `TeamNotMapped`, or `ChannelNotUsable` if the channel is archived; for
        direct messages also `EquaUnavailable` while nobody can say who is a member.
        """
        if conversation.organization_id != organization:
            raise ConversationUnknown("The organization has no conversation of this key.")
        if conversation.person_id:
            await self._check_direct(conversation, conversation.person_id)
            return PostTarget(conversation.channel_id, direct=conversation.generation)
        await self._check_thread(conversation)
        return PostTarget(conversation.channel_id, conversation.thread)

    async def _check_thread(self, conversation: Conversation) -> None:
        """Raise unless the thread is in the organization's team, and somebody has asked there."""
        if not await self.conversations.knows(conversation):
            raise ConversationUnknown("The organization has no conversation of this key.")
        team = await team_of(self.teams, conversation.organization_id)
        channel = await existing_channel(self.api, conversation.channel_id)
        if channel is None or channel.team_id != team.team_id:
            raise ConversationUnknown(
                "The conversation's channel is not in the organization's team any more."
            )
        if channel.delete_at:
            raise ChannelNotUsable("The conversation's channel is archived.")

    async def _check_direct(self, conversation: Conversation, person: PersonId) -> None:
        """Raise unless the person's direct messages belong to the organization now, and the person to it."""
        user = await self.conversations.direct_author(conversation.channel_id, person)
        start = await self.starts.at(conversation.lane, _NOW)
        begun = (start.organization_id, start.generation) if start else None
        if user is None or begun != (conversation.organization_id, conversation.generation):
            raise ConversationUnknown(
                "The person's conversation with the organization's agent is another one."
            )
        known = await self.starts.candidates(person, user)
        here = [each for each in known if each.organization_id == conversation.organization_id]
        if not await self.member_check.among(here, person, user):
            raise ConversationUnknown("The person is no member of the organization any more.")


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
