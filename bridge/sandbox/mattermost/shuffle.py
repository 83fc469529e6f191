"""Faults in the order of events: some come twice, some let another pass."""

import asyncio
from collections.abc import Callable

from bridge.sandbox.mattermost.events import Event
from bridge.sandbox.mattermost.faults import Faults

LONGEST_WAIT = 0.1
"""Seconds after which a delayed event is delivered although nothing passed it."""


class Shuffle:
    """Holds back at most one event; the order within a thread is never changed."""

    def __init__(self, faults: Faults, deliver: Callable[[Event], None]) -> None:
        self._faults = faults
        self._deliver = deliver
        self._delayed: Event | None = None
        self._timer: asyncio.TimerHandle | None = None

    def arrange(self, event: Event) -> list[Event]:
        """Return what is to be delivered now, in order."""
        delayed = self._release()
        if delayed is not None:
            passes = event.name == "posted" and event.thread != delayed.thread
            return [event, delayed] if passes else [delayed, event]
        if event.name != "posted":
            return [event]
        if self._faults.happens(self._faults.reorder_posted):
            self._delay(event)
            return []
        return [event, event] if self._faults.happens(self._faults.duplicate_posted) else [event]

    def _delay(self, event: Event) -> None:
        self._delayed = event
        self._timer = asyncio.get_running_loop().call_later(LONGEST_WAIT, self._expire)

    def _release(self) -> Event | None:
        if self._timer is not None:
            self._timer.cancel()
        delayed, self._delayed, self._timer = self._delayed, None, None
        return delayed

    def _expire(self) -> None:
        delayed = self._release()
        if delayed is not None:
            self._deliver(delayed)
