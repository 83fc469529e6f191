"""The job kind `notice`: post an event of the platform into a channel of its organization's team.

Posts of one channel are one lane, so they keep their order. Mattermost forgets a `pending_post_id` after
30 s: a second attempt first looks for the mark of the first among the channel's recent posts.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid5

import structlog

from bridge.db.inbox import Inbox
from bridge.db.teams import TeamMapping, Teams
from bridge.errors import BridgeError, ChannelNotUsable, MattermostRefused, TeamNotMapped
from bridge.events.types import TYPES
from bridge.models.chat import Channel, ChannelId, Draft, Post, PostId
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Job
from bridge.notices.render import render
from handlers.jobs.lease_guard import LeaseGuard
from handlers.jobs.posting import ARCHIVED, MARK, Poster

log = structlog.get_logger(__name__)

_PAGE = 50
_PAGES = 40
"""Pages of posts that a second attempt looks through at most."""

_LOOK_BACK = timedelta(days=1)
"""An attempt may have posted this long before the job's creation time: a job waits for so long through an
outage, and its time begins anew when it is woken."""


@dataclass(frozen=True, slots=True)
class Notices:
    """Posts as the account of `poster`, which joins a channel only if it may not post there otherwise."""

    teams: Teams
    poster: Poster
    inbox: Inbox

    async def post(self, job: Job) -> Mapping[str, Any]:
        """Post the notice once.

        Raises `TeamNotMapped` while the organization has no team, and `ChannelNotUsable` while its channel
        is missing or closed; the worker retries both.
        """
        name = job.payload["channel"]
        try:
            channel = await self._channel(job.organization_id, name)
            post = await self._posted(job, channel)
        except MattermostRefused as error:
            raise _explained(error, name) from error
        return {"posts": [post]}

    async def _channel(self, organization: OrganizationId | None, name: str) -> ChannelId:
        """Return the channel that the bridge created under this name, whatever it is called now.

        Another channel of that name is used only while no channel of ours is known: a member may have renamed
        ours and made one of their own.
        """
        mapping = await self.teams.find(organization) if organization else None
        if mapping is None or organization is None:
            raise TeamNotMapped("The organization has no team yet: nobody has opened Messaging there.")
        channel = await self._own(organization, mapping, name)
        channel = channel or await self._open_channel(mapping, name)
        if channel is None:
            raise ChannelNotUsable(f"The organization's team has no channel {name}: archived or renamed?")
        if channel.delete_at:
            raise _archived(name)
        return channel.id

    async def _open_channel(self, mapping: TeamMapping, name: str) -> Channel | None:
        """Return the channel of that name unless it is private: what is posted is for the whole team."""
        channel = await self.poster.api.channel_by_name(mapping.team_id, name)
        return channel if channel is not None and channel.type == "O" else None

    async def _own(self, organization: OrganizationId, mapping: TeamMapping, name: str) -> Channel | None:
        stored = (await self.teams.channels(organization)).get(name)
        if stored is None:
            return None
        try:
            channel = await self.poster.api.channel(stored.id)
        except MattermostRefused as error:
            # A 404 without an error id of Mattermost's comes from a proxy in between.
            if error.http_status != 404 or not error.error_id:
                raise
            return None
        return channel if channel.team_id == mapping.team_id else None

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
        async with self.poster.write_limit(channel):
            earlier = await self._posted_earlier(job, channel, mark) if job.attempts > 1 else None
            return earlier or await self.poster.create(
                _draft(job, channel, mark), LeaseGuard(self.inbox, job.id)
            )

    async def _posted_earlier(self, job: Job, channel: ChannelId, mark: Mapping[str, str]) -> PostId | None:
        """Find the post of an earlier attempt."""
        async for post in self._recent(channel, job.created - _LOOK_BACK):
            if post.user_id == self.poster.me and post.props.get(MARK) == mark:
                return post.id
        return None

    async def _recent(self, channel: ChannelId, since: datetime) -> AsyncIterator[Post]:
        """Yield the channel's latest posts, newest first."""
        for page in range(_PAGES):
            posts = await self.poster.api.latest_posts(channel, page, _PAGE)
            for post in posts:
                yield post
            if len(posts) < _PAGE or posts[-1].create_at < since.timestamp() * 1000:
                return


def _draft(job: Job, channel: ChannelId, mark: Mapping[str, str]) -> Draft:
    data = TYPES[job.payload["type"]].model_validate(job.payload["data"])
    notice = render(data, datetime.fromisoformat(job.payload["time"]))
    return Draft(
        channel_id=channel,
        message=notice.message,
        props={"attachments": [notice.attachment], MARK: mark},
        pending_post_id=str(uuid5(job.key, "1")),
    )


def _explained(error: MattermostRefused, name: str) -> BridgeError:
    """Return an error that says what an operator can do, where there is something."""
    if error.http_status == 403:
        return ChannelNotUsable(f"The account that posts notices may neither post in {name} nor join it.")
    return _archived(name) if error.error_id == ARCHIVED else error


def _archived(name: str) -> ChannelNotUsable:
    return ChannelNotUsable(f"The channel {name} is archived.")
