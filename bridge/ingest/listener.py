"""The listener: stores the posts that the websocket delivers, and has Backfill read those that it missed.

A position only moves while no earlier post can be missing: after a loss every channel with news is read to
its end first. Other channels do not wait for it.
"""

import asyncio
import time
from asyncio import TaskGroup
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import assert_never

import structlog

from bridge.ingest.approvals import ApprovalReactions
from bridge.ingest.backfill import Backfill
from bridge.ingest.batch import flooded
from bridge.ingest.catch_up import CatchUp
from bridge.ingest.hearing import Hearing
from bridge.ingest.intake import Intake
from bridge.ingest.interventions import Interventions
from bridge.ingest.post_acks import PostAcks
from bridge.ingest.ratings import Ratings
from bridge.ingest.tampering import Tampering
from bridge.mattermost.websocket.changes import (
    AccountRenamed,
    Change,
    ChannelChanged,
    ChannelUpdated,
    PostDeleted,
    PostEdited,
    ReactionAdded,
    ReactionRemoved,
    TeamChanged,
)
from bridge.mattermost.websocket.socket import Changed, Connected, Event, Seen, Socket
from bridge.metrics import Metrics
from bridge.models.chat import Channel, Post, Posted
from bridge.outage import retry_until_available

log = structlog.get_logger(__name__)

_REST_FACTOR = 20
"""How many times as long as a look takes the next one waits: with 60,000 channels a look is much to read."""


@dataclass(frozen=True, slots=True)
class Listener:
    socket: Socket
    intake: Intake
    catch_up: CatchUp
    post_acks: PostAcks
    metrics: Metrics
    renamed: Callable[[str], None] = lambda _username: None
    """Called with the account's new name."""
    tampering: Tampering | None = None
    hearing: Hearing | None = None
    look_every: float = 30
    """Least seconds between two looks for posts that the websocket did not deliver."""
    interventions: Interventions | None = None
    ratings: Ratings | None = None
    approvals: ApprovalReactions | None = None

    async def run(self) -> None:
        """Listen until cancelled; after the socket's end only what it missed is still read."""
        self.metrics.watch(lambda: self.socket.waiting, lambda: self.socket.last_frame)
        async with TaskGroup() as group:
            backfill = Backfill(self.catch_up, group, self.metrics)
            looking = group.create_task(self._look_for_unheard(backfill), name="look for unheard posts")
            async for events in self.socket.batches():
                await self._take(events, backfill)
            looking.cancel()

    async def _look_for_unheard(self, backfill: Backfill) -> None:
        """Read channels in which posts are made that do not come, and make the connection hear them."""
        took = 0.0
        while self.hearing:
            await asyncio.sleep(max(self.look_every, took * _REST_FACTOR))
            began = time.monotonic()
            if self.socket.state == "connected":
                for channel_id in await self.hearing.unheard(backfill.is_reading):
                    log.warning("channel_unheard", channel=channel_id)
                    backfill.reopen(channel_id, deaf=True)
            took = time.monotonic() - began

    async def _take(self, events: Sequence[Event], backfill: Backfill) -> None:
        posts: list[Posted] = []
        for event in events:
            if isinstance(event, Seen):
                posts.append(event.posted)
                self._note(event.posted.post)
                continue
            await self._store(posts, backfill)
            posts = []
            match event:
                case Connected(lost):
                    renamed = await self._rename(await retry_until_available("account", self._username))
                    heard = await self._channels()
                    await backfill.open(await self._news(heard, lost=lost or renamed))
                    await self._look_for_tampering(heard)
                    if lost:
                        self._read_reactions()
                case Changed(change):
                    await self._tell(change)
                    await self._follow(change, backfill)
                case _:
                    assert_never(event)
        await self._store(posts, backfill)

    def _read_reactions(self) -> None:
        for each in (self.ratings, self.approvals):
            if each:
                each.read_again()

    async def _tell(self, change: Change) -> None:
        if self.tampering:
            await self.tampering.follow(change)
        if self.interventions:
            await self.interventions.follow(change)
        if self.ratings:
            await self.ratings.follow(change)
        if self.approvals:
            await self.approvals.follow(change)
        if self.hearing and isinstance(change, PostEdited):
            self.hearing.note_edit(change.post, change.update_at)

    def _note(self, post: Post) -> None:
        if self.tampering:
            self.tampering.note(post)
        if self.hearing:
            self.hearing.note(post)

    async def _channels(self) -> Sequence[Channel]:
        return await retry_until_available("channels", self.catch_up.channels)

    async def _news(self, heard: Sequence[Channel], *, lost: bool) -> Sequence[Channel]:
        """Return the channels to read after a connection was established.

        A resume is no proof that nothing is missing: while the account's session was ended, or the account
        out of a channel, the server kept nothing for the connection.
        """
        now = time.time_ns() // 1_000_000
        news = partial(self.catch_up.news, heard, now, resumed=not lost)
        return await retry_until_available("catch_up", news)

    async def _look_for_tampering(self, heard: Sequence[Channel]) -> None:
        """Look whether the bot hears every organization: while it did not listen, no event reached it."""
        if self.tampering:
            await self.tampering.look(self.catch_up.channel_name, [channel.id for channel in heard])

    async def _follow(self, change: Change, backfill: Backfill) -> None:
        """Read channels again in which posts may have been missed, before any later post is stored."""
        match change:
            case ChannelChanged("entered" | "restored" | "converted" as what, channel_id):
                backfill.reopen(channel_id, deaf=what == "restored")
            case ChannelUpdated(channel):
                backfill.reopen(channel.id)
            case TeamChanged("entered" | "restored", team_id):
                channels = await retry_until_available("of_team", partial(self.catch_up.of_team, team_id))
                for channel in channels:
                    backfill.reopen(channel.id)
            case AccountRenamed(username):
                if await self._rename(username):
                    await backfill.open(await self._news(await self._channels(), lost=True))
            case (
                ChannelChanged()
                | TeamChanged()
                | ReactionAdded()
                | ReactionRemoved()
                | PostEdited()
                | PostDeleted()
            ):
                pass
            case _:
                assert_never(change)

    async def _username(self) -> str:
        """Return what the account is called: it may have been renamed while nothing was heard."""
        return (await self.catch_up.account()).username

    async def _rename(self, username: str) -> bool:
        """Follow the account's name; True if it is a new one, and the last minute has to be read again."""
        was = self.intake.me.username
        if username == was:
            return False
        await retry_until_available("rename", partial(self.intake.rename, username))
        log.warning("bot_renamed", username=username, was=was)
        self.renamed(username)
        return True

    async def _store(self, posts: Sequence[Posted], backfill: Backfill) -> None:
        acknowledged = list(self._acknowledged(posts))
        floods = flooded(acknowledged)
        for channel_id in floods:
            # Read by a task of its own, so that no other channel waits for it.
            backfill.reopen(channel_id)
        kept = [posted for posted in acknowledged if posted.post.channel_id not in floods]
        if kept:
            backfill.give_way()
        now, behind = backfill.divide(kept)
        if now:
            await retry_until_available("store", partial(self.intake.store, now))
        if behind:
            await retry_until_available("store", partial(self.intake.store, behind, incomplete=True))

    def _acknowledged(self, posts: Sequence[Posted]) -> Iterator[Posted]:
        """Acknowledge the bot's own posts and yield all others."""
        for posted in posts:
            if posted.post.user_id == self.intake.me.user_id:
                self.post_acks.seen(posted.post)
            else:
                yield posted
