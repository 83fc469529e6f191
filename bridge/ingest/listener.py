"""The listener: from the socket into the inbox, and first of all what the socket missed.

A position only moves while nothing before it can be missing: after a loss every channel with news is a
gap, and what is heard there waits until it was read to its end. Other channels do not wait for it.
"""

import time
from asyncio import TaskGroup
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import assert_never

from bridge.ingest.backfill import Backfill
from bridge.ingest.catch_up import CatchUp
from bridge.ingest.intake import Intake
from bridge.ingest.outage import retry_until_available
from bridge.ingest.post_acks import PostAcks
from bridge.mattermost.websocket.socket import Connected, Event, Seen, Socket
from bridge.metrics import Metrics
from bridge.models.chat import Channel, Posted


@dataclass(frozen=True, slots=True)
class Listener:
    socket: Socket
    intake: Intake
    catch_up: CatchUp
    post_acks: PostAcks
    metrics: Metrics

    async def run(self) -> None:
        """Listen until cancelled; if the socket ends, only what it missed is still read."""
        self.metrics.watch(lambda: self.socket.waiting, lambda: self.socket.last_frame)
        async with TaskGroup() as group:
            gaps = Backfill(self.catch_up, group, self.metrics)
            async for events in self.socket.batches():
                await self._take(events, gaps)

    async def _take(self, events: Sequence[Event], gaps: Backfill) -> None:
        posts: list[Posted] = []
        for event in events:
            match event:
                case Seen(posted):
                    posts.append(posted)
                case Connected(lost):
                    await self._store(posts, gaps)
                    posts = []
                    if lost:
                        gaps.open(await retry_until_available("catch_up", self._news))
                case _:
                    assert_never(event)
        await self._store(posts, gaps)

    async def _news(self) -> Sequence[Channel]:
        return await self.catch_up.news(now=time.time_ns() // 1_000_000)

    async def _store(self, posts: Sequence[Posted], gaps: Backfill) -> None:
        now, unread = gaps.sort(self._confirmed(posts))
        if now:
            await retry_until_available("store", partial(self.intake.store, now))
        if unread:
            await retry_until_available("store", partial(self.intake.store, unread, unread=True))

    def _confirmed(self, posts: Sequence[Posted]) -> Iterator[Posted]:
        """Tell of the bot's own posts and pass on everybody else's."""
        for posted in posts:
            if posted.post.user_id == self.intake.me.user_id:
                self.post_acks.seen(posted.post)
            else:
                yield posted
