"""The connections of the HTTP server: none waits for ever, and no number of them keeps the probes out."""

import asyncio
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)

_MOST = 10_000
_OTHER_FILES = 256
"""Descriptors that the database, websockets and outgoing requests may need."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How many connections there may be at once, and how many seconds each may take."""

    most: int
    spare: int = 32
    """How many more there may be while all others are busy; they get the probes only."""
    headers: float = 10.0
    """To send the head of a request, from the connection's beginning or from its first byte."""
    exchange: float = 120.0
    """From the head of a request to the end of its response."""
    look_every: float = 1.0


def limits_of_process() -> ConnectionLimits:
    """Return limits that leave the process enough descriptors for everything else."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return ConnectionLimits(_MOST)
    return ConnectionLimits(min(_MOST, max(files - _OTHER_FILES, files // 2)))


class Connection(Protocol):
    """A connection as `Connections` sees it."""

    waits_since: float | None
    """When the head of a request began that is not complete; None if none has."""
    busy_since: float | None
    """When the head of the request was complete that is being answered; None if none is."""

    @property
    def owes_body(self) -> bool:
        """Whether the request that is being answered is not complete."""

    def give_up(self, *, late: bool) -> None:
        """Close the connection; `late` if it took too long."""


class Connections:
    """Closes connections that are late, and where there are too many, those that are missed the least.

    These are, the oldest first: those that have brought no request yet, idle ones, and those whose body
    is still on its way.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._new: dict[Connection, None] = {}
        self._idle: dict[Connection, None] = {}
        self._busy: dict[Connection, None] = {}

    def __len__(self) -> int:
        return len(self._new) + len(self._idle) + len(self._busy)

    def add(self, connection: Connection) -> bool:
        """Take a connection in; return whether it may request everything, and not the probes alone."""
        if len(self) < self.limits.most or self._make_room():
            self._new[connection] = None
            return True
        if len(self) < self.limits.most + self.limits.spare:
            self._new[connection] = None
        else:
            connection.give_up(late=False)
        return False

    def becomes_busy(self, connection: Connection) -> None:
        """Note that the connection, an idle one or a new one, has brought a request."""
        if connection in self._idle:
            del self._idle[connection]
        else:
            self._new.pop(connection, None)
        self._busy[connection] = None

    def becomes_idle(self, connection: Connection) -> None:
        """Note that the connection's request is answered."""
        self._busy.pop(connection, None)
        self._idle[connection] = None

    def remove(self, connection: Connection) -> None:
        """Forget a connection."""
        for kind in (self._new, self._idle, self._busy):
            kind.pop(connection, None)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Close what is late, while the context lasts."""
        watch = asyncio.create_task(self._watch(), name="watch connections")
        try:
            yield
        finally:
            watch.cancel()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self.limits.look_every)
            late = list(self._late(asyncio.get_running_loop().time()))
            for connection in late:
                self._close(connection, late=True)
            if late:
                log.info("late_connections_closed", closed=len(late), open=len(self))

    def _late(self, now: float) -> Iterator[Connection]:
        for each in chain(self._new, self._idle):
            if each.waits_since is not None and now - each.waits_since > self.limits.headers:
                yield each
        for each in self._busy:
            if each.busy_since is not None and now - each.busy_since > self.limits.exchange:
                yield each

    def _make_room(self) -> bool:
        """Close the connection that is missed the least; False if all are at work."""
        owing = (each for each in self._busy if each.owes_body)
        least = next(chain(self._new, self._idle, owing), None)
        if least is None:
            return False
        self._close(least, late=False)
        return True

    def _close(self, connection: Connection, *, late: bool) -> None:
        self.remove(connection)
        connection.give_up(late=late)
