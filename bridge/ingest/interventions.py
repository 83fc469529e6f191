"""What people do to a question or its answer: stop it, correct it, ask for it once more.

Nothing is read again after a loss: whoever is not heard does it again, and every answer ends by itself.
"""

from dataclasses import dataclass, field
from functools import partial

import structlog
from cachetools import TTLCache

from bridge.db.repeats import Repeats
from bridge.db.stops import Stops
from bridge.ingest.intake import Intake
from bridge.mattermost.websocket.changes import Change, PostDeleted, PostEdited, ReactionAdded
from bridge.models.chat import Channel, ChannelId, Post, Posted, PostId, UserId
from bridge.outage import retry_until_available
from bridge.ports import MattermostApi
from bridge.text.mentions import mentions

log = structlog.get_logger(__name__)

STOP = "octagonal_sign"
REPEAT = "repeat"


@dataclass(frozen=True, slots=True)
class Interventions:
    stops: Stops
    repeats: Repeats
    intake: Intake
    api: MattermostApi
    _channels: TTLCache[ChannelId, Channel] = field(default_factory=lambda: TTLCache(1_000, 60))

    async def follow(self, change: Change) -> None:
        """Do what a person wants by it, however long the database is away."""
        match change:
            case ReactionAdded(post_id, user_id, emoji) if emoji == STOP:
                await self.intake.stopping.by_reaction(post_id, user_id)
            case ReactionAdded(post_id, user_id, emoji) if emoji == REPEAT:
                attempt = partial(self._repeat, post_id, user_id)
                if not await attempt():
                    self.intake.stopping.later.make(attempt)
            case PostDeleted(post_id):
                await retry_until_available("stop", partial(self.stops.of_deleted, post_id))
            case PostEdited(post) if post.user_id != self.intake.me.user_id:
                await self._edited(post)

    async def _repeat(self, answer: PostId, by: UserId) -> bool:
        """Ask once more if this person may; return whether the post is known as an answer."""
        policy = self.intake.policy
        find = partial(self.repeats.entry, answer, by, policy.at_once, policy.an_hour)
        if entry := await retry_until_available("repeat", find):
            await retry_until_available("repeat", partial(self.intake.inbox.put_all, [entry]))
            return True
        return await retry_until_available("repeat", partial(self.repeats.knows, answer))

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
