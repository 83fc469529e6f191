"""How often somebody may ask, how many at once, and how long they wait."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address

from aiohttp import web
from cachetools import LRUCache

from bridge.errors import TooManyRequests

_NANO = 1_000_000_000
_MOST_TICKETS = 5_000
"""More than a process takes in within the deadline."""

_OF_ONE_HOLDER = 64
"""Bits of an IPv6 address: whoever has one address has all that begin like it."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds after which a browser is asked to come back, whatever hangs."""

    equa: float = 4.0
    visit: float = 6.5
    """In all, Equa included."""
    diagnosis: float = 2.5
    """To find out what a visit was waiting for."""
    login: float = 6.0
    session: float = 2.0
    """To find out whether a browser is signed in already."""
    sync: float = 20.0
    """For a sync to end before its request is answered."""
    body: float = 10.0
    """For a body to arrive."""


class RateLimiter:
    """For each key `burst` times at once and then `per_second`; in this process alone.

    It keeps one number for each of the `size` keys that were used last: the moment when everything used is
    regained (the generic cell rate algorithm of ITU-T I.371).
    """

    def __init__(
        self,
        *,
        burst: int,
        per_second: float,
        size: int = 10_000,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._interval = round(_NANO / per_second)
        self._slack = self._interval * (burst - 1)
        self._clock = clock
        self._regained: LRUCache[Hashable, int] = LRUCache(size)

    def __len__(self) -> int:
        return len(self._regained)

    def wait(self, key: Hashable) -> float:
        """Return the seconds until it may happen again, 0 for now."""
        return max(0, self._regained.get(key, 0) - self._clock() - self._slack) / _NANO

    def count(self, key: Hashable) -> None:
        """Note that it has happened."""
        self._regained[key] = max(self._clock(), self._regained.get(key, 0)) + self._interval

    def require(self, key: Hashable) -> None:
        """Raise `TooManyRequests` if it may not happen now."""
        wait = self.wait(key)
        if wait:
            raise TooManyRequests("That was too often; please wait a moment.", retry_after=wait)

    def give_back(self, key: Hashable) -> None:
        """Take back one `count`."""
        if key in self._regained:
            self._regained[key] -= self._interval

    def use(self, key: Hashable) -> None:
        """Let it happen: `require` and `count`."""
        self.require(key)
        self.count(key)


class WaitQueue:
    """Lets `at_once` pass at the same time, the others in the order in which they came; in this process.

    With `of_one` an origin, such as an address, has that many places at once and `longest_of_one` that wait,
    so that a crowd from one origin delays nobody else by much.
    """

    def __init__(
        self, *, at_once: int, longest: int, of_one: int | None = None, longest_of_one: int = 100
    ) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._longest = longest
        self._of_one = of_one
        self._longest_of_one = longest_of_one
        self._waiting = 0
        self._origins: dict[Hashable, _Origin] = {}

    def __len__(self) -> int:
        return self._waiting

    @asynccontextmanager
    async def passed(self, origin: Hashable | None = None) -> AsyncIterator[None]:
        """Hold a place inside; raise `TooManyRequests` where too many wait for one already."""
        if self._waiting >= self._longest:
            raise _crowded()
        self._waiting += 1
        try:
            async with self._own_place(origin):
                await self._places.acquire()
                self._waiting -= 1
                try:
                    yield
                finally:
                    self._places.release()
                    self._waiting += 1
        finally:
            self._waiting -= 1

    @asynccontextmanager
    async def _own_place(self, origin: Hashable | None) -> AsyncIterator[None]:
        if self._of_one is None or origin is None:
            yield
            return
        own = self._origins.setdefault(origin, _Origin(asyncio.Semaphore(self._of_one)))
        if own.people >= self._of_one + self._longest_of_one:
            raise _crowded()
        own.people += 1
        try:
            async with own.places:
                yield
        finally:
            own.people -= 1
            if not own.people:
                del self._origins[origin]


@dataclass(slots=True)
class _Origin:
    places: asyncio.Semaphore
    people: int = 0
    """Who wait for a place or have one."""


def _crowded() -> TooManyRequests:
    return TooManyRequests("Too many ask at the same time; please wait a moment.", retry_after=1.0)


@dataclass(frozen=True, slots=True)
class TicketLimits:
    """How much of the database tickets may take.

    All wait in a queue; those from an address that has brought too many bad ones wait in a narrow queue of
    their own. So a good ticket from an address that many browsers share is not refused for the bad ones.
    """

    bad: RateLimiter = field(default_factory=lambda: RateLimiter(burst=60, per_second=1))
    """By address; requests without a known one count as one."""
    queue: WaitQueue = field(default_factory=lambda: WaitQueue(at_once=4, longest=_MOST_TICKETS))
    narrow: WaitQueue = field(default_factory=lambda: WaitQueue(at_once=1, longest=_MOST_TICKETS))


def address_of(request: web.Request) -> str | None:
    """Return the public address that a request comes from, of IPv6 the network; None if none is known.

    Behind proxies it is the last public one in X-Forwarded-For: each proxy appends the address that it was
    asked from, and anybody may have invented the ones before. A public peer is no proxy of ours, and the
    header its own invention. Private networks are not public, nor is 100.64.0.0/10, which platforms share.
    """
    peer = _network(request.remote or "")
    if peer is None or peer.is_global:
        return str(peer) if peer else None
    chain = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
    hops = (_network(text.strip()) for text in reversed(chain))
    return next((str(hop) for hop in hops if hop and hop.is_global), None)


def _network(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address, of IPv6 the first one of its network; None if it is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or IPv6Address(int(address) >> _OF_ONE_HOLDER << _OF_ONE_HOLDER)
    return address
