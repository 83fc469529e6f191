"""The listener: from the socket into the inbox, and first of all what the socket missed.

A position only moves while nothing before it can be missing: after a loss the catch-up comes first
and live events wait in the socket's queue.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar, assert_never

import structlog

from bridge import retry
from bridge.catchup import CatchUp
from bridge.confirmations import Confirmations
from bridge.errors import DatabaseUnavailable, MattermostRefused, MattermostUnavailable
from bridge.intake import Intake
from bridge.mattermost.socket import Connected, Event, Seen, Socket
from bridge.metrics import Metrics
from bridge.models import Posted

log = structlog.get_logger(__name__)

T = TypeVar("T")

_PASSING = (DatabaseUnavailable, MattermostUnavailable, MattermostRefused)
"""A refusal too: of a token that somebody will replace, or by whoever stands in front of Mattermost."""


@dataclass(frozen=True, slots=True)
class Listener:
    socket: Socket
    intake: Intake
    catch_up: CatchUp
    confirmations: Confirmations
    metrics: Metrics

    async def run(self) -> None:
        """Listen until cancelled."""
        async for events in self.socket.batches():
            await self._take(events)

    async def _take(self, events: Sequence[Event]) -> None:
        posts: list[Posted] = []
        for event in events:
            match event:
                case Seen(posted):
                    posts.append(posted)
                case Connected(lost):
                    await self._store(posts)
                    posts = []
                    if lost:
                        await insist("catch_up", self._caught_up)
                case _:
                    assert_never(event)
        await self._store(posts)

    async def _store(self, posts: Sequence[Posted]) -> None:
        if theirs := list(self._confirmed(posts)):
            await insist("store", partial(self.intake.store, theirs))

    def _confirmed(self, posts: Sequence[Posted]) -> Iterator[Posted]:
        """Tell of the bot's own posts and pass on everybody else's."""
        for posted in posts:
            if posted.post.user_id == self.intake.me.user_id:
                self.confirmations.seen(posted.post)
            else:
                yield posted

    async def _caught_up(self) -> None:
        started = time.monotonic()
        posts, jobs = await self.catch_up.run(now=time.time_ns() // 1_000_000)
        self.metrics.caught_up(posts)
        log.info("caught_up", posts=posts, jobs=jobs, ms=round((time.monotonic() - started) * 1000))


async def insist(what: str, action: Callable[[], Awaitable[T]]) -> T:
    """Do it, however long the database or Mattermost is away."""
    for delay in retry.delays(0.2, 2, 30):
        try:
            return await action()
        except* _PASSING as errors:
            log.warning(
                "listener_waits", what=what, reason=str(errors.exceptions[0]), seconds=round(delay, 1)
            )
        await asyncio.sleep(delay)
    raise AssertionError("delays never end")
