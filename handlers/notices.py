"""The job kind `notice`: tell a channel of its organization's team what the platform has told.

Posts of one channel are one lane, so they keep their order. Mattermost forgets a `pending_post_id` after
30 s: a second attempt first looks for the mark of the first among the channel's recent posts.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid5

import structlog

from bridge.db.teams import Teams
from bridge.errors import BridgeError, ChannelNotUsable, MattermostRefused, TeamNotMapped
from bridge.events.types import TYPES
from bridge.models import ChannelId, Draft, Job, OrganizationId, Post, PostId
from bridge.notices.render import render
from handlers.posting import MARK, Poster

log = structlog.get_logger(__name__)

_PAGE = 200
_PAGES = 10
"""How many pages of posts a second attempt looks through at most."""

_LOOK_BACK = timedelta(days=1)
"""How long before a job's time an attempt at it may have posted: an outage is waited for so long, and a
woken job's time begins anew."""

_ARCHIVED = "api.post.create_post.can_not_post_to_deleted.error"


@dataclass(frozen=True, slots=True)
class Notices:
    """Posts as the account of `poster`: without joining where its roles allow that, else as a member."""

    teams: Teams
    poster: Poster

    async def post(self, job: Job) -> Mapping[str, Any]:
        """Post the notice once.

        Raises `TeamNotMapped` while the organization has no team and `ChannelNotUsable` while its channel is
        missing or closed; both are worth waiting for.
        """
        name = job.payload["channel"]
        try:
            channel = await self._channel(job.organization_id, name)
            post = await self._posted(job, channel)
        except MattermostRefused as error:
            raise _explained(error, name) from error
        return {"posts": [post]}

    async def _channel(self, organization: OrganizationId | None, name: str) -> ChannelId:
        mapping = await self.teams.find(organization) if organization else None
        if mapping is None:
            raise TeamNotMapped("The organization has no team yet: nobody has opened Messaging there.")
        channel = await self.poster.api.channel_by_name(mapping.team_id, name)
        if channel is None:
            raise ChannelNotUsable(f"The organization's team has no channel {name}: archived or renamed?")
        return channel.id

    async def _posted(self, job: Job, channel: ChannelId) -> PostId:
        try:
            return await self._once(job, channel)
        except MattermostRefused as error:
            if error.http_status != 403:
                raise
        await self.poster.api.join_channel(channel, self.poster.me)
        log.info("joined_to_post", channel=channel)
        return await self._once(job, channel)

    async def _once(self, job: Job, channel: ChannelId) -> PostId:
        mark = {"notice": str(uuid5(job.key, "notice"))}
        if job.attempts > 1:
            async for post in self._recent(channel, job.created - _LOOK_BACK):
                if post.user_id == self.poster.me and post.props.get(MARK) == mark:
                    return post.id
        return await self.poster.create(_draft(job, channel, mark))

    async def _recent(self, channel: ChannelId, since: datetime) -> AsyncIterator[Post]:
        """Yield the channel's latest posts, newest first."""
        for page in range(_PAGES):
            posts = await self.poster.api.latest_posts(channel, page)
            for post in posts:
                yield post
            if len(posts) < _PAGE or posts[-1].create_at < since.timestamp() * 1000:
                return


def _draft(job: Job, channel: ChannelId, mark: Mapping[str, str]) -> Draft:
    data = TYPES[job.payload["type"]].model_validate(job.payload["data"])
    attachment = render(data, datetime.fromisoformat(job.payload["time"]))
    return Draft(
        channel_id=channel,
        message="",
        props={"attachments": [attachment], MARK: mark},
        pending_post_id=str(uuid5(job.key, "1")),
    )


def _explained(error: MattermostRefused, name: str) -> BridgeError:
    """Return what an operator can do about it, if anything."""
    if error.http_status == 403:
        return ChannelNotUsable(f"The account that posts notices may neither post in {name} nor join it.")
    if error.error_id == _ARCHIVED:
        return ChannelNotUsable(f"The channel {name} is archived.")
    return error
