"""Which conversations an organization has with its agent: the threads in which it was asked."""

from dataclasses import dataclass

from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.models.conversations import Conversation


@dataclass(frozen=True, slots=True)
class Conversations:
    pool: Pool

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
