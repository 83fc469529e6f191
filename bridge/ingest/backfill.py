"""Channels in which something may be unread, each read by a task of its own, so that none waits for another.

What is heard in a channel while it is read waits for that, in order. When it cannot be read, what is heard
there is answered all the same, but the channel's position stays before what is missing.
"""

import asyncio
import time
from asyncio import TaskGroup
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import structlog

from bridge import retry
from bridge.errors import BridgeError, DatabaseUnavailable, MattermostRefused, TokenRefused
from bridge.ingest.catch_up import CatchUp
from bridge.ingest.outage import TRANSIENT, retry_until_available
from bridge.ingest.paging import without_props
from bridge.mattermost.rest.refusals import is_absence
from bridge.metrics import Metrics
from bridge.models.chat import Channel, ChannelId, Posted

log = structlog.get_logger(__name__)

_AT_ONCE = 8
"""Channels that are read at the same time."""

_MOST_HELD = 500
"""Posts of a channel that wait for its reading; those beyond are read instead."""

_BATCH = 100

_REFUSED_AGAIN = 600.0
"""Seconds until a channel is tried again that Mattermost itself does not let us read."""


@dataclass(slots=True, eq=False)
class ChannelBackfill:
    """A channel in which something older than what is heard may be unread."""

    channel: Channel
    held: list[Posted] | None = field(default_factory=list)
    """Heard while it is read; None while it is not."""
    again: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when what was read so far is not all."""
    refused: bool = False
    """Whether Mattermost itself does not let us read it."""
    reason: str = ""
    """Why it could not be read the last time."""


@dataclass(slots=True)
class _Tally:
    """What a catch-up has brought so far."""

    untried: set[ChannelId] = field(default_factory=set)
    """Neither read, nor could they not be."""
    began: float = 0
    posts: int = 0
    jobs: int = 0


class Backfill:
    """The channels that are being read or still have to be; whatever is heard passes through `sort`."""

    def __init__(self, catch_up: CatchUp, group: TaskGroup, metrics: Metrics) -> None:
        self._catch_up = catch_up
        self._group = group
        self._metrics = metrics
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._gaps: dict[ChannelId, ChannelBackfill] = {}
        self._tally = _Tally()

    def open(self, channels: Sequence[Channel]) -> None:
        """Read these channels from their positions to their ends, also if they are being read already."""
        if not self._tally.untried:
            self._tally = _Tally(began=time.monotonic())
        self._tally.untried |= {channel.id for channel in channels}
        for channel in channels:
            if gap := self._gaps.get(channel.id):
                gap.channel = channel
                gap.again.set()
            else:
                gap = self._gaps[channel.id] = ChannelBackfill(channel)
                self._group.create_task(self._fill(gap), name=f"read {channel.id}")
        self._count()
        if not self._tally.untried:
            self._tell()

    def sort(self, posts: Iterable[Posted]) -> tuple[list[Posted], list[Posted]]:
        """Take what has to wait; return what is to be stored now, and apart what is of channels not read."""
        now: list[Posted] = []
        unread: list[Posted] = []
        for posted in posts:
            gap = self._gaps.get(posted.post.channel_id)
            if gap is None:
                now.append(posted)
            elif gap.held is None:
                unread.append(posted)
            elif len(gap.held) < _MOST_HELD:
                gap.held.append(replace(posted, post=without_props(posted.post)))
            else:
                gap.again.set()
        return now, unread

    async def _fill(self, gap: ChannelBackfill) -> None:
        delays = retry.delays(0.5, 2, 30)
        while (problem := await self._pass(gap)) or gap.again.is_set():
            if problem:
                await self._wait(gap, problem, next(delays))
        del self._gaps[gap.channel.id]
        self._count()

    async def _pass(self, gap: ChannelBackfill) -> BridgeError | None:
        """Read the channel once, and store what was heard meanwhile; returns why it could not be read.

        No problem, and no need to do it again: then everything that was heard is stored.
        """
        gap.again.clear()
        gap.held = gap.held or []
        problem = await self._read(gap)
        if not gap.again.is_set():
            self._tried(gap.channel.id)
        if problem is None:
            await self._let_go(gap, gap.held, unread=False)
        elif not isinstance(problem, DatabaseUnavailable):
            await self._let_go(gap, gap.held, unread=True)
            gap.held = None
        return problem

    async def _read(self, gap: ChannelBackfill) -> BridgeError | None:
        try:
            async with self._gate:
                posts, jobs = await self._catch_up.read(gap.channel)
        except TRANSIENT as error:
            gap.refused = _says_no(error)
            self._count()
            return error
        self._tally.posts += posts
        self._tally.jobs += jobs
        return None

    async def _let_go(self, gap: ChannelBackfill, held: list[Posted], *, unread: bool) -> None:
        """Store what was heard; but what came behind another loss only once that was read too."""
        while held and (unread or not gap.again.is_set()):
            batch = held[:_BATCH]
            await retry_until_available("store", partial(self._catch_up.intake.store, batch, unread=unread))
            del held[: len(batch)]

    async def _wait(self, gap: ChannelBackfill, problem: BridgeError, delay: float) -> None:
        seconds = _REFUSED_AGAIN if gap.refused else retry.as_asked(delay, problem)
        if problem.message != gap.reason:
            gap.reason = problem.message
            event = "channel_left_out" if gap.refused else "channel_unread"
            log.warning(event, channel=gap.channel.id, reason=gap.reason, seconds=round(seconds, 1))
        try:
            async with asyncio.timeout(seconds):
                await gap.again.wait()
        except TimeoutError:
            pass

    def _tried(self, channel: ChannelId) -> None:
        """Note that a channel was read or could not be; tell of the catch-up when it was the last."""
        if channel in self._tally.untried:
            self._tally.untried.discard(channel)
            if not self._tally.untried:
                self._tell()

    def _tell(self) -> None:
        progress = self._tally
        self._metrics.caught_up(progress.posts)
        ms = round((time.monotonic() - progress.began) * 1000)
        log.info("caught_up", posts=progress.posts, jobs=progress.jobs, unread=self._unread(), ms=ms)

    def _count(self) -> None:
        self._metrics.unread(self._unread())

    def _unread(self) -> int:
        return sum(not gap.refused for gap in self._gaps.values())


def _says_no(error: BridgeError) -> bool:
    """Tell whether Mattermost itself says that the bot cannot read the channel."""
    if not isinstance(error, MattermostRefused) or isinstance(error, TokenRefused):
        return False
    return is_absence(error) or (error.http_status == 403 and error.error_id != "")
