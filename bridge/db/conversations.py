"""Which conversations there are with agents: the threads and direct channels in which they were asked."""

from dataclasses import dataclass

from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.models.chat import ChannelId, UserId
from bridge.models.conversations import Conversation
from bridge.models.equa import PersonId


@dataclass(frozen=True, slots=True)
class Conversations:
    pool: Pool

    async def has(self, conversation: Conversation) -> bool:
        """Return whether somebody has asked in the conversation; a key alone proves nothing."""
        if conversation.person_id is None:
            return await self.knows(conversation)
        return await self.direct_author(conversation.channel_id, conversation.person_id) is not None

    @database_errors
    async def knows(self, conversation: Conversation) -> bool:
        """Return whether somebody of the organization has asked in this thread in the last 90 days."""
        found: bool = await self.pool.fetchval(
            """select exists (
                   select from jobs
                   where lane = 'thread:' || $1 and kind = 'mention' and state <> 'refused'
                     and organization_id = $2 and payload ->> 'channel_id' = $3)""",
            conversation.thread,
            conversation.organization_id,
            conversation.channel_id,
        )
        return found

    @database_errors
    async def direct_author(self, channel: ChannelId, person: PersonId) -> UserId | None:
        """Return the account with which a person has written to the bot in this direct channel."""
        found: UserId | None = await self.pool.fetchval(
            """select author from jobs
               where lane = 'direct:' || $1 and kind = 'direct' and state <> 'refused'
                 and payload ->> 'person_id' = $2 and author is not null
               order by id desc limit 1""",
            channel,
            str(person),
        )
        return found
