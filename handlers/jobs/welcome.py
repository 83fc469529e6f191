"""The job kind `welcome`: greet a new team in its `#agent`, once, and pin that."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid5

import structlog

from bridge.db.inbox import Inbox
from bridge.errors import MattermostRefused, TokenRefused
from bridge.models.chat import ChannelId, Draft, PostId
from bridge.models.jobs import Job
from handlers.posts.channel_posts import ChannelPosts, explained
from handlers.posts.lease_guard import LeaseGuard
from handlers.posts.parts import MARK

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Welcomes:
    posts: ChannelPosts
    inbox: Inbox
    channel: str
    """The name of the channel in which the bot listens."""
    text: str

    async def post(self, job: Job) -> Mapping[str, Any]:
        """Post the text and pin it; may be repeated.

        Raises `TeamNotMapped` and `ChannelNotUsable`, which the worker retries.
        """
        try:
            channel = await self.posts.channel(job.organization_id, self.channel)
            post = await self.posts.joining(channel, partial(self._once, job, channel))
        except MattermostRefused as error:
            raise explained(error, self.channel) from error
        return {"posts": [post], "pinned": await self._pinned(post)}

    async def _once(self, job: Job, channel: ChannelId) -> PostId:
        mark = {"welcome": str(uuid5(job.key, "welcome")), "remark": True}
        draft = Draft(channel, self.text, props={MARK: mark}, pending_post_id=str(uuid5(job.key, "1")))
        poster = self.posts.poster
        async with poster.write_limit(channel):
            if job.attempts > 1:
                async for post in self.posts.own_posts(channel, job.created):
                    if post.props.get(MARK) == mark:
                        return post.id
            return await poster.create(draft, LeaseGuard(self.inbox, job.id))

    async def _pinned(self, post: PostId) -> bool:
        """Pin the post; one that Mattermost does not pin greets all the same."""
        try:
            await self.posts.poster.api.pin_post(post)
        except TokenRefused:
            raise
        except MattermostRefused as error:
            log.warning("welcome_not_pinned", post=post, reason=error.message)
            return False
        return True
