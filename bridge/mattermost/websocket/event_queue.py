"""The queue between the websocket and the listener."""

import asyncio
from collections import deque
from collections.abc import Sequence

from bridge.mattermost.websocket.resume_state import ConnectionEnded, Event


class EventQueue:
    """A bounded queue; `put` never waits."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._events: deque[Event] = deque()
        self._some, self._none = asyncio.Event(), asyncio.Event()
        self._none.set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._events)

    def put(self, events: Sequence[Event]) -> None:
        """Add all events, or none and raise `ConnectionEnded("full")` when they do not fit."""
        if len(self._events) + len(events) > self._capacity:
            raise ConnectionEnded("full")
        self._events.extend(events)
        self._some.set()
        self._none.clear()

    async def take(self, most: int) -> Sequence[Event]:
        """Return at least one event and at most so many; an empty list once the queue is closed and empty."""
        await self._some.wait()
        taken = [self._events.popleft() for _ in range(min(most, len(self._events)))]
        if not self._events:
            self._none.set()
            if not self._closed:
                self._some.clear()
        return taken

    async def emptied(self) -> None:
        """Wait until the queue is empty."""
        await self._none.wait()

    def close(self) -> None:
        """Let `take` return what is left, then empty lists."""
        self._closed = True
        self._some.set()
