"""In what order channels are read, and how many at once. Pure: no I/O is imported here."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.models.chat import ChannelId

Begin = Callable[[], None]
"""Begins to read a channel."""


@dataclass(slots=True)
class ReadingOrder:
    """Channels that wait until they are read: those in which somebody has posted meanwhile come first."""

    at_once: int
    _gives_way: bool = field(default=False, init=False)
    """Whether one channel at a time is read, beside those in which somebody has posted."""
    _reading: int = 0
    _urgent: OrderedDict[ChannelId, Begin] = field(default_factory=OrderedDict)
    _others: OrderedDict[ChannelId, Begin] = field(default_factory=OrderedDict)

    @property
    def is_long(self) -> bool:
        """Whether channels wait."""
        return bool(self._others)

    def wait(self, channel_id: ChannelId, begin: Begin) -> None:
        """Call `begin` as soon as it is the channel's turn, which is over with `done`."""
        self._others[channel_id] = begin
        self._next()

    def hurry(self, channel_id: ChannelId) -> None:
        """Let a channel that waits go before those in which nobody has posted, at once if it can be."""
        if begin := self._others.pop(channel_id, None):
            self._urgent[channel_id] = begin
            self._next()

    def give_way(self) -> None:
        """Read one at a time."""
        self._gives_way = True

    def go_on(self) -> None:
        """Read as many as before."""
        self._gives_way = False
        self._next()

    def done(self) -> None:
        self._reading -= 1
        self._next()

    def _next(self) -> None:
        while waiting := self._may_begin():
            self._reading += 1
            _, begin = waiting.popitem(last=False)
            begin()

    def _may_begin(self) -> OrderedDict[ChannelId, Begin]:
        if self._urgent:
            return self._urgent if self._reading < 2 * self.at_once else OrderedDict()
        return self._others if self._reading < (1 if self._gives_way else self.at_once) else OrderedDict()


@dataclass(slots=True)
class Courtesy:
    """For how long the reading gives way to who posts: half of the time, whoever posts without an end."""

    seconds: float = 1.0
    """After a post."""
    longest: float = 5.0
    _until: float = 0
    _again: float = 0

    def after(self, now: float) -> float:
        """Return for how many seconds from a moment on it gives way; 0 if it does not."""
        if now >= self._again:
            self._until, self._again = now + self.longest, now + 2 * self.longest
        return max(0.0, min(self.seconds, self._until - now))
