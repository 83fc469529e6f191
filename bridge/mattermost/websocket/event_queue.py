"""Where the websocket's events wait to be taken."""

import asyncio
from collections import deque
from collections.abc import Sequence

from bridge.mattermost.websocket.resume_state import ConnectionEnded, Event


class EventQueue:
    """A bounded queue that is never waited for by who puts something in."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._events: deque[Event] = deque()
        self._some, self._none = asyncio.Event(), asyncio.Event()
        self._none.set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._events)

    def put(self, events: Sequence[Event]) -> None:
        """Put all of them in; raises `Over("full")` when they do not fit, and then puts in none."""
        if len(self._events) + len(events) > self._capacity:
            raise ConnectionEnded("full")
        self._events.extend(events)
        self._some.set()
        self._none.clear()

    async def take(self, most: int) -> Sequence[Event]:
        """Return what is there, at least one and at most so many; nothing only once it is closed."""
        await self._some.wait()
        taken = [self._events.popleft() for _ in range(min(most, len(self._events)))]
        if not self._events:
            self._none.set()
            if not self._closed:
                self._some.clear()
        return taken

    async def emptied(self) -> None:
        """Wait until everything was taken."""
        await self._none.wait()

    def close(self) -> None:
        """Let `take` give what is left and then nothing."""
        self._closed = True
        self._some.set()
