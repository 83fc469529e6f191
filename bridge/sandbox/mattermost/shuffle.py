"""Faults in the order of events: some come twice, some let another pass."""

import asyncio
from collections.abc import Callable

from bridge.sandbox.mattermost.events import Event
from bridge.sandbox.mattermost.faults import Faults

LONGEST_WAIT = 0.1
"""Seconds after which a held event is delivered although nothing passed it."""


class Shuffle:
    """Holds back at most one event; the order within a thread is never changed."""

    def __init__(self, faults: Faults, deliver: Callable[[Event], None]) -> None:
        self._faults = faults
        self._deliver = deliver
        self._held: Event | None = None
        self._timer: asyncio.TimerHandle | None = None

    def arrange(self, event: Event) -> list[Event]:
        """Return what is to be delivered now, in order."""
        held = self._release()
        if held is not None:
            passes = event.name == "posted" and event.thread != held.thread
            return [event, held] if passes else [held, event]
        if event.name != "posted":
            return [event]
        if self._faults.happens(self._faults.reorder_posted):
            self._hold(event)
            return []
        return [event, event] if self._faults.happens(self._faults.duplicate_posted) else [event]

    def _hold(self, event: Event) -> None:
        self._held = event
        self._timer = asyncio.get_running_loop().call_later(LONGEST_WAIT, self._expire)

    def _release(self) -> Event | None:
        if self._timer is not None:
            self._timer.cancel()
        held, self._held, self._timer = self._held, None, None
        return held

    def _expire(self) -> None:
        held = self._release()
        if held is not None:
            self._deliver(held)
