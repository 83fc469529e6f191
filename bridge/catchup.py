"""Reading over REST what the socket missed: every `#agent` channel, from its stored position on.

It starts a little before the position and not at it, because posts of one moment become visible in
any order; what was stored already is recognized by its id. `since=` is not used: Mattermost selects
by the time of update there, and leaves out posts of a large gap (`GetPostsSince` in
server/channels/store/sqlstore/post_store.go).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from bridge.db.positions import Positions
from bridge.errors import MattermostRefused, TokenRefused
from bridge.intake import Intake
from bridge.models import Channel, Position, Post, Posted, PostId
from bridge.ports import MattermostApi

log = structlog.get_logger(__name__)

PAGE = 200
"""Posts that Mattermost gives at most in one answer."""

OVERLAP = 60_000
"""Milliseconds before the position that are read again."""

_BEFORE = 60
"""Posts that are asked for at once to find what is that early; a minute seldom has more."""

_SETTLED = 600_000
"""A channel whose last post is stored and this old (milliseconds) needs no second look."""

_CHANNELS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class CatchUp:
    """Makes the inbox hold everything that was posted up to now."""

    api: MattermostApi
    positions: Positions
    intake: Intake
    channel_name: str

    async def begin(self) -> bool:
        """Remember where the channels are, so that history stays history; True on the very first start.

        It comes before the first connection: what is posted from then on is answered.
        """
        if await self.positions.started_at() is not None:
            return False
        channels = await self.channels()
        now = max((channel.last_post_at for channel in channels), default=0)
        await self.positions.begin(
            now, [Position(c.id, PostId(""), c.last_post_at, c.last_post_at + 1) for c in channels]
        )
        log.info("first_start", channels=len(channels))
        return True

    async def channels(self) -> list[Channel]:
        """Return the channels that the bot listens in."""
        return [
            channel
            for channel in await self.api.my_channels()
            if channel.name == self.channel_name and channel.team_id and not channel.delete_at
        ]

    async def run(self, now: int) -> tuple[int, int]:
        """Read every channel up to now (milliseconds); returns how many posts were read and jobs were new.

        A channel that appeared after the first start is read from its beginning.
        """
        started_at = await self.positions.started_at() or 0
        known = await self.positions.all()
        places = [
            (channel, known.get(channel.id) or Position(channel.id, PostId(""), 0, started_at))
            for channel in await self.channels()
        ]
        gate = asyncio.Semaphore(_CHANNELS_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            reads = [
                group.create_task(self._guarded(gate, channel, position))
                for channel, position in places
                if _may_have_news(channel, position, now)
            ]
        counts = [read.result() for read in reads]
        return sum(posts for posts, _ in counts), sum(jobs for _, jobs in counts)

    async def _guarded(
        self, gate: asyncio.Semaphore, channel: Channel, position: Position
    ) -> tuple[int, int]:
        async with gate:
            try:
                return await self._read(channel, position)
            except TokenRefused:
                raise
            except MattermostRefused as error:
                log.warning("channel_left_out", channel=channel.id, reason=error.message)
                return 0, 0

    async def _read(self, channel: Channel, position: Position) -> tuple[int, int]:
        anchor = await self._anchor(channel, position)
        if anchor is None:
            return await self._read_back(channel, position)
        read = jobs = 0
        while True:
            posts = await self.api.posts_after(channel.id, anchor)
            read += len(posts)
            jobs += await self._store(channel, posts, position)
            if len(posts) < PAGE:
                return read, jobs
            anchor = next_anchor(posts)

    async def _anchor(self, channel: Channel, position: Position) -> PostId | None:
        """Return a post from before the overlap to read after, None if there is none."""
        anchor = position.post_id
        while anchor:
            try:
                before = await self.api.posts_before(channel.id, anchor, _BEFORE)
            except TokenRefused:
                raise
            except MattermostRefused:
                return None
            early = [post for post in before if post.create_at < position.create_at - OVERLAP]
            if early:
                return early[0].id
            anchor = next_anchor(before) if len(before) == _BEFORE else ""
        return None

    async def _read_back(self, channel: Channel, position: Position) -> tuple[int, int]:
        """Read from the end back to the overlap or the channel's beginning, then store oldest first.

        Not by page number: with every post that somebody deletes meanwhile the pages move by one.
        """
        bound = max(position.create_at - OVERLAP, position.begin_at)
        found: dict[PostId, Post] = {}
        posts = await self.api.latest_posts(channel.id, page=0)
        while True:
            found |= {post.id: post for post in posts}
            if len(posts) < PAGE or posts[-1].create_at < bound:
                return len(found), await self._store(channel, list(found.values()), position)
            posts = await self.api.posts_before(channel.id, next_anchor(posts), PAGE)

    async def _store(self, channel: Channel, posts: Sequence[Post], position: Position) -> int:
        if not posts:
            return 0
        return await self.intake.store(
            [Posted(post, channel.team_id, channel.name) for post in oldest_first(posts)],
            begin_at=position.begin_at,
        )


def oldest_first(posts: Sequence[Post]) -> list[Post]:
    """Order posts by age, and a thread's root before its replies of the same millisecond."""
    return sorted(posts, key=lambda post: (post.create_at, post.root_id != ""))


def next_anchor(posts: Sequence[Post]) -> PostId:
    """Return the post to read on from, in either direction: those of its own millisecond would be skipped."""
    last = posts[-1].create_at
    others = [post for post in posts if post.create_at != last]
    return (others or posts)[-1].id


def _may_have_news(channel: Channel, position: Position, now: int) -> bool:
    return channel.last_post_at > position.create_at or now - channel.last_post_at < _SETTLED
