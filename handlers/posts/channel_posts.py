"""Posts into a channel of an organization's team: which channel that is, and what stands there already."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from cachetools import TTLCache

from bridge.db.teams import TeamMapping, Teams
from bridge.errors import BridgeError, ChannelNotUsable, MattermostRefused
from bridge.models.chat import Channel, ChannelId, Post
from bridge.models.equa import OrganizationId
from handlers.conversations import existing_channel, team_of
from handlers.posts.posting import Poster
from handlers.posts.refusals import ARCHIVED

log = structlog.get_logger(__name__)

T = TypeVar("T")

_RECENT = 2.0
"""Seconds for which notices go to a channel without another look: many often come together."""
_PAGE = 50
_PAGES = 40
"""Pages of posts that a second attempt looks through at most."""
_LOOK_BACK = timedelta(days=1)
"""An attempt may have posted this long before the job's creation time: a job waits for so long through an
outage, and its time begins anew when it is woken."""


@dataclass(frozen=True, slots=True)
class ChannelPosts:
    """Posts as the account of `poster`, which joins a channel only if it may not post there otherwise."""

    teams: Teams
    poster: Poster
    found: TTLCache[tuple[OrganizationId | None, str], ChannelId] = field(
        default_factory=lambda: TTLCache(10_000, _RECENT), repr=False
    )
    """What `channel` has found in the last seconds."""

    def recent(self, organization: OrganizationId | None, name: str) -> ChannelId | None:
        """Return the channel if it was found in the last seconds; a post into it may fail by now."""
        return self.found.get((organization, name))

    async def channel(self, organization: OrganizationId | None, name: str) -> ChannelId:
        """Return the channel that the bridge created under this name, whatever it is called now.

        Another channel of that name is used only while no channel of ours is known: a member may have renamed
        ours and made one of their own. Raises `TeamNotMapped` or `ChannelNotUsable`.
        """
        self.found.pop((organization, name), None)
        mapping = await team_of(self.teams, organization)
        assert organization is not None
        channel = await self._own(organization, mapping, name)
        channel = channel or await self._open_channel(mapping, name)
        if channel is None:
            raise ChannelNotUsable(f"The organization's team has no channel {name}: archived or renamed?")
        if channel.delete_at:
            raise _archived(name)
        self.found[organization, name] = channel.id
        return channel.id

    async def joining(self, channel: ChannelId, post: Callable[[], Awaitable[T]]) -> T:
        """Post, and once more as a member of the channel if the account may not post there otherwise."""
        try:
            return await post()
        except MattermostRefused as error:
            if error.http_status != 403:
                raise
        await self.poster.api.join_channel(channel, self.poster.me)
        log.info("joined_to_post", channel=channel)
        return await post()

    async def own_posts(self, channel: ChannelId, created: datetime) -> AsyncIterator[Post]:
        """Yield what earlier attempts of a job that was created then may have posted; newest first."""
        since = (created - _LOOK_BACK).timestamp() * 1000
        for page in range(_PAGES):
            posts = await self.poster.api.latest_posts(channel, page, _PAGE)
            for post in posts:
                if post.user_id == self.poster.me:
                    yield post
            if len(posts) < _PAGE or posts[-1].create_at < since:
                return

    async def _open_channel(self, mapping: TeamMapping, name: str) -> Channel | None:
        """Return the channel of that name unless it is private: what is posted is for the whole team."""
        channel = await self.poster.api.channel_by_name(mapping.team_id, name)
        return channel if channel is not None and channel.type == "O" else None

    async def _own(self, organization: OrganizationId, mapping: TeamMapping, name: str) -> Channel | None:
        stored = (await self.teams.channels(organization)).get(name)
        channel = await existing_channel(self.poster.api, stored.id) if stored else None
        return channel if channel is not None and channel.team_id == mapping.team_id else None


def explained(error: MattermostRefused, name: str) -> BridgeError:
    """Return an error that says what an operator can do, where there is something."""
    if error.http_status == 403:
        return ChannelNotUsable(f"The bridge's account may neither post in {name} nor join it.")
    return _archived(name) if error.error_id == ARCHIVED else error


def _archived(name: str) -> ChannelNotUsable:
    return ChannelNotUsable(f"The channel {name} is archived.")
