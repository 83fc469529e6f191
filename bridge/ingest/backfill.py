"""Channels that may hold unread posts, each read over REST by a task of its own once it is its turn.

Posts that the websocket delivers for such a channel are buffered behind the reading, in order. While the
channel cannot be read they are stored all the same, but its position stays before what is missing.
"""

import asyncio
import time
from asyncio import TaskGroup
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

import structlog

from bridge import retry
from bridge.errors import BridgeError, DatabaseUnavailable, MattermostRefused, TokenRefused
from bridge.ingest.catch_up import CatchUp
from bridge.ingest.paging import without_props
from bridge.ingest.reading_order import Courtesy, ReadingOrder
from bridge.mattermost.rest.refusals import is_absence
from bridge.metrics import Metrics
from bridge.models.chat import Channel, ChannelId, Posted
from bridge.outage import TRANSIENT, retry_until_available

log = structlog.get_logger(__name__)

_AT_ONCE = 32
"""Channels that are read at the same time."""

_OPENED_AT_ONCE = 1000

_BUFFER = 500
"""Posts of a channel that are buffered while it is read; later ones are read over REST instead."""

_BATCH = 100

_REFUSED_AGAIN = 600.0
"""Seconds until a channel is tried again that Mattermost does not let the bot read."""


@dataclass(slots=True, eq=False)
class _Unread:
    """A channel that may hold posts older than those that the websocket delivers."""

    id: ChannelId
    channel: Channel | None
    """None until the channel was looked up: its name or its team may have changed."""
    buffered: list[Posted] | None = field(default_factory=list)
    """Posts delivered while the channel is read; None while it cannot be read."""
    again: bool = False
    """The channel has to be read once more."""
    woken: asyncio.Event | None = None
    """Ends the wait for the next try; None while it does not wait for one."""
    delays: Iterator[float] = field(default_factory=partial(retry.delays, 0.5, 2, 30))
    reason: str = ""
    """Why the last try failed."""
    deaf: bool = False
    """Nothing may be heard from the channel until the connection's hearing is refreshed."""

    def read_again(self) -> None:
        """Read it once more, and now if it waits for the next try."""
        self.again = True
        if self.woken:
            self.woken.set()


@dataclass(slots=True)
class _Progress:
    """What the present run has brought so far."""

    untried: set[ChannelId] = field(default_factory=set)
    """Channels of this run that were not tried yet."""
    began: float = 0
    posts: int = 0
    jobs: int = 0


class Backfill:
    """Reads channels to their ends; every post that the websocket delivers passes through `divide`."""

    def __init__(self, catch_up: CatchUp, group: TaskGroup, metrics: Metrics) -> None:
        self._catch_up = catch_up
        self._group = group
        self._metrics = metrics
        self._order = ReadingOrder(_AT_ONCE)
        self._channels: dict[ChannelId, _Unread] = {}
        self._refused = set[ChannelId]()
        """Those that Mattermost does not let the bot read."""
        self._progress = _Progress()
        self._courtesy = Courtesy()
        self._going_on: asyncio.TimerHandle | None = None

    async def open(self, channels: Sequence[Channel]) -> None:
        """Read these channels from their positions to their ends, also if they are being read already.

        Others run in between: there may be ten thousand.
        """
        if not self._progress.untried:
            self._progress = _Progress(began=time.monotonic())
        self._progress.untried |= {channel.id for channel in channels}
        for number, channel in enumerate(channels):
            if number % _OPENED_AT_ONCE == 0:
                await asyncio.sleep(0)
            self._open(channel.id, channel)
        self._count()
        if not self._progress.untried:
            self._report()

    def reopen(self, channel_id: ChannelId, *, deaf: bool = False) -> None:
        """Look a channel up again and read it from its position, if the bot listens in it.

        `deaf`: the connection may not hear the channel, and is made to do so before.
        """
        self._open(channel_id, None).deaf |= deaf
        self._count()

    def _open(self, channel_id: ChannelId, channel: Channel | None) -> _Unread:
        if unread := self._channels.get(channel_id):
            unread.channel = channel
            unread.read_again()
        else:
            unread = self._channels[channel_id] = _Unread(channel_id, channel)
            self._queue(unread)
        return unread

    def _queue(self, unread: _Unread) -> None:
        """Read the channel when it is its turn; until then it has no task, for there may be ten thousand."""
        self._order.wait(unread.id, partial(self._begin, unread))
        if unread.buffered:
            self._order.hurry(unread.id)

    def _begin(self, unread: _Unread) -> None:
        self._group.create_task(self._fill(unread), name=f"read {unread.id}")

    def give_way(self) -> None:
        """Read slowly for a moment, for somebody has posted, who need not wait for what was asked before."""
        loop = asyncio.get_running_loop()
        if self._order.is_long and (seconds := self._courtesy.after(loop.time())):
            self._order.give_way()
            if self._going_on:
                self._going_on.cancel()
            self._going_on = loop.call_later(seconds, self._order.go_on)

    def is_reading(self, channel_id: ChannelId) -> bool:
        """Return whether the channel is read now or soon; not where Mattermost refuses that."""
        return channel_id in self._channels and channel_id not in self._refused

    def divide(self, posts: Iterable[Posted]) -> tuple[list[Posted], list[Posted]]:
        """Buffer the posts of channels that are being read.

        Returns the posts to store now, and separately those of channels that cannot be read.
        """
        now: list[Posted] = []
        behind: list[Posted] = []
        for posted in posts:
            unread = self._channels.get(posted.post.channel_id)
            if unread is None:
                now.append(posted)
            elif unread.buffered is None:
                behind.append(posted)
            elif len(unread.buffered) < _BUFFER:
                unread.buffered.append(replace(posted, post=without_props(posted.post)))
                self._order.hurry(unread.id)
            else:
                unread.read_again()
        return now, behind

    async def _fill(self, unread: _Unread) -> None:
        """Read the channel once; it gets another turn if something is left to read."""
        problem = await self._pass(unread)
        if problem:
            await self._wait(unread, problem, next(unread.delays))
        if problem or unread.again:
            self._queue(unread)
        else:
            del self._channels[unread.id]
            self._refused.discard(unread.id)
            self._count()

    async def _pass(self, unread: _Unread) -> BridgeError | None:
        """Read the channel once and store what was buffered; return why it could not be read.

        Without a problem, and unless it has to be read again, every post is stored then.
        """
        unread.again = False
        unread.buffered = unread.buffered or []
        problem = await self._read(unread)
        self._order.done()
        if not unread.again:
            self._tried(unread.id)
        if problem is None:
            await self._store(unread, unread.buffered, incomplete=False)
        elif not isinstance(problem, DatabaseUnavailable):
            await self._store(unread, unread.buffered, incomplete=True)
            unread.buffered = None
        return problem

    async def _read(self, unread: _Unread) -> BridgeError | None:
        try:
            await self._refresh_hearing(unread)
            unread.channel = unread.channel or await self._catch_up.resolve(unread.id)
            posts, jobs = await self._catch_up.read(unread.channel) if unread.channel else (0, 0)
        except TRANSIENT as error:
            self._note_refusal(unread, refused=_is_refusal(error))
            return error
        self._progress.posts += posts
        self._progress.jobs += jobs
        return None

    def _note_refusal(self, unread: _Unread, *, refused: bool) -> None:
        if refused:
            self._refused.add(unread.id)
        else:
            self._refused.discard(unread.id)
        self._count()

    async def _refresh_hearing(self, unread: _Unread) -> None:
        """Hear the channel from now on; what was posted before is read afterwards."""
        while unread.deaf:
            unread.deaf = False
            try:
                await self._catch_up.refresh_hearing(unread.id)
            except TRANSIENT:
                unread.deaf = True
                raise

    async def _store(self, unread: _Unread, buffered: list[Posted], *, incomplete: bool) -> None:
        """Store what was buffered; posts behind another loss stay until that was read too."""
        while buffered and (incomplete or not unread.again):
            batch = buffered[:_BATCH]
            store = partial(self._catch_up.intake.store, batch, incomplete=incomplete)
            await retry_until_available("store", store)
            del buffered[: len(batch)]

    async def _wait(self, unread: _Unread, problem: BridgeError, delay: float) -> None:
        refused = unread.id in self._refused
        seconds = _REFUSED_AGAIN if refused else retry.as_asked(delay, problem)
        if problem.message != unread.reason:
            unread.reason = problem.message
            event = "channel_refused" if refused else "channel_unread"
            log.warning(event, channel=unread.id, reason=unread.reason, seconds=round(seconds, 1))
        unread.woken = asyncio.Event()
        if unread.again:
            unread.woken.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await unread.woken.wait()
        unread.woken = None

    def _tried(self, channel: ChannelId) -> None:
        """Note that a channel was tried; report the run after its last channel."""
        if channel in self._progress.untried:
            self._progress.untried.discard(channel)
            if not self._progress.untried:
                self._report()

    def _report(self) -> None:
        progress = self._progress
        self._metrics.caught_up(progress.posts)
        ms = round((time.monotonic() - progress.began) * 1000)
        log.info("caught_up", posts=progress.posts, jobs=progress.jobs, unread=self._unread(), ms=ms)

    def _count(self) -> None:
        self._metrics.unread(self._unread())

    def _unread(self) -> int:
        return len(self._channels) - len(self._refused)


def _is_refusal(error: BridgeError) -> bool:
    """Tell whether Mattermost itself, and nobody in between, says that the bot cannot read the channel."""
    if not isinstance(error, MattermostRefused) or isinstance(error, TokenRefused):
        return False
    return is_absence(error) or (error.http_status == 403 and error.error_id != "")
