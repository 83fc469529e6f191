"""Reactions below answers by which people rate them.

Every process stores what it hears. Nothing is read again after a loss: a reaction that is missed is not
counted.
"""

import asyncio
from dataclasses import dataclass, field
from functools import partial

from bridge.db.feedback import Feedback
from bridge.mattermost.websocket.changes import Change, ReactionAdded, ReactionRemoved
from bridge.models.chat import PostId, UserId
from bridge.outage import retry_until_available
from bridge.text.ratings import rating

_LATER = 5.0
"""Seconds after which a post that is no answer yet is looked at once more: its job may end after its post."""
_MOST_LATE = 200

_Reaction = tuple[PostId, UserId, str]


@dataclass(frozen=True, slots=True)
class Ratings:
    feedback: Feedback
    later: float = _LATER
    _late: dict[_Reaction, asyncio.Task[None]] = field(default_factory=dict)

    async def follow(self, change: Change) -> None:
        """Store or forget a rating, however long the database is away."""
        match change:
            case ReactionAdded(post, user, emoji) if rating(emoji):
                if not await self._add(change):
                    self._try_later((post, user, emoji), change)
            case ReactionRemoved(post, user, emoji) if rating(emoji):
                if late := self._late.pop((post, user, emoji), None):
                    late.cancel()
                await retry_until_available("rate", partial(self.feedback.remove, post, user, emoji))

    async def _add(self, reaction: ReactionAdded) -> bool:
        rate = rating(reaction.emoji)
        assert rate is not None
        add = partial(
            self.feedback.add, reaction.post_id, reaction.user_id, reaction.emoji, rate, reaction.at
        )
        return await retry_until_available("rate", add)

    def _try_later(self, key: _Reaction, reaction: ReactionAdded) -> None:
        if key not in self._late and len(self._late) < _MOST_LATE:
            self._late[key] = asyncio.create_task(self._tried_later(key, reaction), name="rate later")

    async def _tried_later(self, key: _Reaction, reaction: ReactionAdded) -> None:
        await asyncio.sleep(self.later)
        await self._add(reaction)
        self._late.pop(key, None)
