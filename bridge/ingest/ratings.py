"""Reactions below answers by which people rate them.

Every process stores what it hears. After a loss the reactions below the last day's answers are read again.
"""

import asyncio
from dataclasses import dataclass, field
from functools import partial

import structlog

from bridge.db.feedback import Feedback
from bridge.errors import BridgeError, MattermostRefused, TokenRefused
from bridge.mattermost.websocket.changes import Change, ReactionAdded, ReactionRemoved
from bridge.models.chat import PostId, UserId
from bridge.outage import retry_until_available
from bridge.ports import MattermostApi
from bridge.text.ratings import rating

_LATER = 5.0
"""Seconds after which a post that is no answer yet is looked at once more: its job may end after its post."""
_MOST_LATE = 200
_MOST_READ = 200
"""Answers whose reactions are read after a loss, the newest ones."""

log = structlog.get_logger(__name__)

_Reaction = tuple[PostId, UserId, str]


@dataclass(frozen=True, slots=True)
class Ratings:
    feedback: Feedback
    api: MattermostApi
    later: float = _LATER
    _reading: list[asyncio.Task[None]] = field(default_factory=list)
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

    def read_again(self) -> None:
        """Read, beside all else, what may have been missed; best effort."""
        if not any(not task.done() for task in self._reading):
            self._reading[:] = [asyncio.create_task(self._read_all(), name="read ratings")]

    async def _read_all(self) -> None:
        try:
            for post in await self.feedback.recent(_MOST_READ):
                await self._read(post)
        except BridgeError as error:
            log.warning("ratings_unread", reason=error.message)

    async def _read(self, post: PostId) -> None:
        try:
            reactions = await self.api.reactions(post)
        except TokenRefused:
            raise
        except MattermostRefused:
            return
        await self.feedback.keep(post, reactions)
        for each in reactions:
            if rate := rating(each.emoji):
                await self.feedback.add(post, each.user_id, each.emoji, rate, each.create_at)

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
