"""What people do to a question or its answer: stop it, correct it, ask for it once more.

Nothing is read again after a loss: whoever is not heard does it again, and every answer ends by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import structlog
from cachetools import TTLCache

from bridge.db.repeats import Repeats
from bridge.db.stops import Stops
from bridge.ingest.best_effort import BestEffort
from bridge.ingest.intake import Intake
from bridge.mattermost.websocket.changes import Change, PostDeleted, PostEdited, ReactionAdded
from bridge.models.chat import Channel, ChannelId, Post, Posted, PostId, UserId
from bridge.outage import retry_until_available
from bridge.ports import MattermostApi
from bridge.text.mentions import mentions

log = structlog.get_logger(__name__)

STOP = "octagonal_sign"
REPEAT = "repeat"

_LATER = (0.5, 1.5, 4.0)
"""Seconds between looks at a post that is not recorded yet: people see it before the database does."""
_MOST_LATE = 200
"""Reactions that wait for that, which costs little."""


@dataclass(frozen=True, slots=True)
class Interventions:
    stops: Stops
    repeats: Repeats
    intake: Intake
    api: MattermostApi
    _late: BestEffort = field(default_factory=lambda: BestEffort(_MOST_LATE))
    _channels: TTLCache[ChannelId, Channel] = field(default_factory=lambda: TTLCache(1_000, 60))

    async def follow(self, change: Change) -> None:
        """Do what a person wants by it, however long the database is away."""
        match change:
            case ReactionAdded(post_id, user_id, emoji) if emoji == STOP:
                stop = partial(self.intake.stopping.by_reaction, post_id, user_id)
                await self._once_recorded(post_id, stop)
            case ReactionAdded(post_id, user_id, emoji) if emoji == REPEAT:
                await self._once_recorded(post_id, partial(self._repeat, post_id, user_id))
            case PostDeleted(post_id):
                await retry_until_available("stop", partial(self.stops.of_deleted, post_id))
            case PostEdited(post) if post.user_id != self.intake.me.user_id:
                await self._edited(post)

    async def _once_recorded(self, post: PostId, act: Callable[[], Awaitable[None]]) -> None:
        if not await self._acted(post, act):
            self._late.do(self._try_later(post, act))

    async def _try_later(self, post: PostId, act: Callable[[], Awaitable[None]]) -> None:
        for pause in _LATER:
            await asyncio.sleep(pause)
            if await self._acted(post, act):
                return

    async def _acted(self, post: PostId, act: Callable[[], Awaitable[None]]) -> bool:
        """Act if the post is recorded; return whether it is.

        Nothing is tried later for one that is: it could stop what is asked for meanwhile.
        """
        recorded = await retry_until_available("look up post", partial(self.stops.knows, post))
        if recorded:
            await act()
        return recorded

    async def _repeat(self, answer: PostId, by: UserId) -> None:
        policy = self.intake.policy
        find = partial(self.repeats.entry, answer, by, policy.at_once, policy.an_hour)
        if entry := await retry_until_available("repeat", find):
            await retry_until_available("repeat", partial(self.intake.inbox.put_all, [entry]))

    async def _edited(self, post: Post) -> None:
        """Correct a question without an answer; take one that has become a question by the edit."""
        if await retry_until_available("correct", partial(self.stops.correct, post.id, post.message)):
            log.info("question_corrected", post=post.id)
        elif mentions(post.message, self.intake.me.username):
            self.intake.stopping.beside.do(self._take(post))

    async def _take(self, post: Post) -> None:
        channel = self._channels.get(post.channel_id)
        if channel is None:
            channel = self._channels[post.channel_id] = await self.api.channel(post.channel_id)
        posted = Posted(post, channel.team_id, channel.name)
        await retry_until_available("take", partial(self.intake.reconsider, posted))
