"""The job kind `notice`: post an event of the platform into a channel of its organization's team.

Posts of one channel are one lane, so they keep their order. Mattermost forgets a `pending_post_id` after
30 s: a second attempt first looks for the mark of the first among the channel's recent posts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid5

from bridge.db.inbox import Inbox
from bridge.db.organization_settings import SettingsOfOrganizations
from bridge.errors import MattermostRefused
from bridge.events.types import NOTICED
from bridge.models.chat import ChannelId, Draft, PostId
from bridge.models.jobs import Job
from bridge.notices.render import render
from bridge.reasons import NOTICE_MUTED
from handlers.posts.channel_posts import ChannelPosts, explained
from handlers.posts.lease_guard import LeaseGuard
from handlers.posts.parts import MARK


@dataclass(frozen=True, slots=True)
class Notices:
    posts: ChannelPosts
    inbox: Inbox
    settings: SettingsOfOrganizations

    async def post(self, job: Job) -> Mapping[str, Any]:
        """Post the notice once, unless the organization has muted its type since it was accepted.

        Raises `TeamNotMapped` while the organization has no team, and `ChannelNotUsable` while its channel
        is missing or closed; the worker retries both.
        """
        if await self._is_muted(job):
            return {"skipped": NOTICE_MUTED}
        name = job.payload["channel"]
        try:
            channel = await self._channel(job, name)
            post = await self.posts.joining(channel, partial(self._once, job, channel))
        except MattermostRefused as error:
            raise explained(error, name) from error
        return {"posts": [post]}

    async def _channel(self, job: Job, name: str) -> ChannelId:
        """Return the channel; after a failure as it is now."""
        if job.attempts == 1 and (known := self.posts.recent(job.organization_id, name)):
            return known
        return await self.posts.channel(job.organization_id, name)

    async def _is_muted(self, job: Job) -> bool:
        if job.organization_id is None:
            return False
        return job.payload["type"] in (await self.settings.effective(job.organization_id)).muted_notices

    async def _once(self, job: Job, channel: ChannelId) -> PostId:
        mark = {"notice": str(uuid5(job.key, "notice"))}
        poster = self.posts.poster
        async with poster.write_limit(channel):
            earlier = await self._posted_earlier(job, channel, mark) if job.attempts > 1 else None
            return earlier or await poster.create(_draft(job, channel, mark), LeaseGuard.of(self.inbox, job))

    async def _posted_earlier(self, job: Job, channel: ChannelId, mark: Mapping[str, str]) -> PostId | None:
        """Find the post of an earlier attempt."""
        async for post in self.posts.own_posts(channel, job.created):
            if post.props.get(MARK) == mark:
                return post.id
        return None


def _draft(job: Job, channel: ChannelId, mark: Mapping[str, str]) -> Draft:
    data = NOTICED[job.payload["type"]].model_validate(job.payload["data"])
    notice = render(data, datetime.fromisoformat(job.payload["time"]))
    return Draft(
        channel_id=channel,
        message=notice.message,
        props={"attachments": [notice.attachment], MARK: mark},
        pending_post_id=str(uuid5(job.key, "1")),
    )
