"""Read over REST what the websocket missed: every `#agent` and every direct channel, from its position on.

Reading starts a minute before the position, because posts of one moment become visible in any order;
stored posts are recognized by their ids. `since=` is not used: Mattermost selects by the time of update
there and leaves out posts of a long absence (`GetPostsSince` in
server/channels/store/sqlstore/post_store.go).
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog

from bridge.db.positions import Positions
from bridge.errors import MattermostRefused, TokenRefused
from bridge.ingest.intake import AHEAD, Intake
from bridge.ingest.paging import Ask, page
from bridge.ingest.unanswered import Unanswered
from bridge.models.chat import Channel, ChannelId, Position, Post, Posted, PostId, TeamId, User
from bridge.ports import MattermostApi
from bridge.routing import OLDEST, is_heard

log = structlog.get_logger(__name__)

PAGE = 200
"""Posts in one answer of Mattermost, at most."""

OVERLAP = 60_000
"""Milliseconds before the position that are read again."""

_BEFORE = 60
"""Posts of one request when looking for the beginning of the overlap; a minute seldom has more."""

_LATEST = 30
"""Posts of the first request, which seldom leaves anything to read."""

_QUIET = 600_000
"""Milliseconds; a channel whose last post is stored and older than this is not read again."""


@dataclass(frozen=True, slots=True)
class CatchUp:
    """Stores every post of the channels that the bot answers in, up to now."""

    api: MattermostApi
    positions: Positions
    intake: Intake
    channel_name: str
    unanswered: Unanswered = field(default_factory=Unanswered)

    async def begin(self) -> bool:
        """Store where the channels end on the very first start; True then.

        Call it before the first connection: later posts are answered, earlier ones are history.
        """
        if await self.positions.started_at() is not None:
            return False
        channels, latest = await self.channels(), time.time_ns() // 1_000_000 + AHEAD
        ends = {channel.id: min(channel.last_post_at, latest) for channel in channels}
        await self.positions.begin(
            max(ends.values(), default=0),
            [Position(channel, PostId(""), end, end + 1) for channel, end in ends.items()],
        )
        log.info("first_start", channels=len(channels))
        return True

    async def account(self) -> User:
        """Return the bot's account as it is now."""
        return await self.api.me()

    async def channels(self) -> list[Channel]:
        """Return the channels that the bot listens in."""
        mine = await self.api.my_channels(self._is_heard)
        return [channel for channel in mine if self._is_ours(channel)]

    def _is_heard(self, name: str, team_id: str) -> bool:
        return is_heard(name, team_id, self.intake.me)

    def _is_ours(self, channel: Channel) -> bool:
        return self._is_heard(channel.name, channel.team_id) and not channel.delete_at

    async def news(self, heard: Sequence[Channel], now: int, *, resumed: bool = False) -> Sequence[Channel]:
        """Return those of the channels that are to be read, as of now (milliseconds).

        A position in the future hides posts until then: such a channel is read a day back. After a resume
        only channels with posts behind their positions are read: the server has sent the rest again.
        """
        if channels := await self.positions.put_back(after=now + AHEAD, to=now - OLDEST):
            log.warning("positions_from_the_future", channels=channels)
        known = await self.positions.all()
        return [
            channel
            for channel in heard
            if _has_news(channel, known.get(channel.id), now, quiet=0 if resumed else _QUIET)
        ]

    async def refresh_hearing(self, channel_id: ChannelId) -> None:
        """Make sure that later posts of a channel are heard; nothing to do where the bot is no member."""
        try:
            await self.api.refresh_hearing(channel_id, self.intake.me.user_id)
        except TokenRefused:
            raise
        except MattermostRefused as error:
            log.info("hearing_not_refreshed", channel=channel_id, reason=error.message)

    async def resolve(self, channel_id: ChannelId) -> Channel | None:
        """Return the channel if the bot listens in it, None otherwise."""
        channel = await self.api.channel(channel_id)
        return channel if self._is_ours(channel) else None

    async def of_team(self, team_id: TeamId) -> Sequence[Channel]:
        """Return the channel of a team that the bot listens in; none if it is missing or closed."""
        try:
            channel = await self.api.channel_by_name(team_id, self.channel_name)
        except TokenRefused:
            raise
        except MattermostRefused:
            return ()
        return (channel,) if channel and self._is_ours(channel) else ()

    async def read(self, channel: Channel) -> tuple[int, int]:
        """Read a channel from its position to its end; return the numbers of posts and of new jobs.

        A channel that appeared after the first start is read from its beginning.
        """
        position = await self.positions.of(channel.id)
        if position is None:
            position = Position(channel.id, PostId(""), 0, await self.positions.started_at() or 0)
        found = await page(self._latest(channel), _LATEST)
        if found.last or (found.posts and found.posts[-1].create_at < _bound(position)):
            return len(found.posts), await self._store(channel, found.posts[::-1], position, to_end=True)
        anchor = await self._anchor(channel, position)
        if anchor is None:
            return await self._read_back(channel, position)
        return await self._read_on(channel, position, anchor)

    async def _read_on(self, channel: Channel, position: Position, anchor: PostId) -> tuple[int, int]:
        read = jobs = number = 0
        while True:
            found = await page(partial(self.api.posts_after, channel.id, anchor), PAGE, number)
            read += len(found.posts)
            jobs += await self._store(channel, found.posts, position, to_end=found.last)
            if found.last:
                return read, jobs
            following = next_anchor(found.posts)
            anchor, number = (following, 0) if following else (anchor, number + 1)

    async def _anchor(self, channel: Channel, position: Position) -> PostId | None:
        """Return a post before the overlap to read after; None if there is none."""
        anchor = position.post_id
        while anchor:
            try:
                before = await page(partial(self.api.posts_before, channel.id, anchor), _BEFORE)
            except TokenRefused:
                raise
            except MattermostRefused:
                return None
            early = [post for post in before.posts if post.create_at < position.create_at - OVERLAP]
            if early:
                return early[0].id
            if before.last or not before.posts:
                return None
            anchor = next_anchor(before.posts) or before.posts[-1].id
        return None

    async def _read_back(self, channel: Channel, position: Position) -> tuple[int, int]:
        """Read from the end back to the overlap or the channel's beginning, then store oldest first.

        Page numbers do not do: each post that somebody deletes meanwhile moves the pages by one.
        """
        bound = _bound(position)
        posts: dict[PostId, Post] = {}
        ask, number = self._latest(channel), 0
        while True:
            found = await page(ask, PAGE, number)
            posts |= {post.id: post for post in found.posts}
            if found.last or (found.posts and found.posts[-1].create_at < bound):
                # Reversed, so that posts of one millisecond keep their order.
                oldest = list(reversed(posts.values()))
                return len(posts), await self._store(channel, oldest, position, to_end=True)
            following = next_anchor(found.posts)
            if following:
                ask, number = partial(self.api.posts_before, channel.id, following), 0
            else:
                number += 1

    def _latest(self, channel: Channel) -> Ask:
        async def ask(size: int, number: int) -> Sequence[Post]:
            return await self.api.latest_posts(channel.id, number, size)

        return ask

    async def _store(
        self, channel: Channel, posts: Sequence[Post], position: Position, *, to_end: bool
    ) -> int:
        """Store posts; `to_end` says whether the channel has no later ones."""
        if not posts:
            return 0
        sorted_posts = oldest_first(posts)
        if to_end:
            self.unanswered.note(sorted_posts, self.intake.me.user_id)
        posted = [Posted(post, channel.team_id, channel.name) for post in sorted_posts]
        return await self.intake.store_read(posted, position.begin_at)


def _bound(position: Position) -> int:
    """Return the moment before which every post is stored or history."""
    return max(position.create_at - OVERLAP, position.begin_at)


def oldest_first(posts: Sequence[Post]) -> list[Post]:
    """Sort posts by age, and a thread's root before its replies of the same millisecond."""
    return sorted(posts, key=lambda post: (post.create_at, post.root_id != ""))


def next_anchor(posts: Sequence[Post]) -> PostId | None:
    """Return the post to read on from, in either direction; None if the page holds no such post.

    Mattermost leaves out the posts of the anchor's own millisecond, so it is one of an earlier moment than
    the page's last. A page of a single moment has none.
    """
    others = (post for post in reversed(posts) if post.create_at != posts[-1].create_at)
    return next((post.id for post in others), None)


def _has_news(channel: Channel, position: Position | None, now: int, quiet: int) -> bool:
    read_to = position.create_at if position else 0
    return channel.last_post_at > read_to or now - channel.last_post_at < quiet
