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
    _reading: int = 0
    _urgent: OrderedDict[ChannelId, Begin] = field(default_factory=OrderedDict)
    _others: OrderedDict[ChannelId, Begin] = field(default_factory=OrderedDict)

    def wait(self, channel_id: ChannelId, begin: Begin) -> None:
        """Call `begin` as soon as it is the channel's turn, which is over with `done`."""
        self._others[channel_id] = begin
        self._next()

    def hurry(self, channel_id: ChannelId) -> None:
        """Let a channel that waits go before those in which nobody has posted."""
        if begin := self._others.pop(channel_id, None):
            self._urgent[channel_id] = begin

    def done(self) -> None:
        self._reading -= 1
        self._next()

    def _next(self) -> None:
        while self._reading < self.at_once and (waiting := self._urgent or self._others):
            self._reading += 1
            _, begin = waiting.popitem(last=False)
            begin()
