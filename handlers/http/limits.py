"""How often somebody may ask, how many at once, and how long they wait."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from aiohttp import web
from cachetools import LRUCache

from bridge.errors import TooManyRequests

_NANO = 1_000_000_000
_OF_ONE_HOLDER = 64
"""Bits of an IPv6 address: whoever has one address has all that begin like it."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds after which a browser hears that it has to come back, whatever hangs."""

    equa: float = 4.0
    visit: float = 6.5
    """In all, Equa included."""
    diagnosis: float = 2.5
    """To find out what a visit has waited for."""
    login: float = 6.0


TIMEOUTS = web.AppKey("deadlines", Timeouts)


class RateLimiter:
    """For each key `burst` times at once and then `per_second`; in this process alone.

    Kept is for each key one number, when all that it has used is regained (the generic cell rate algorithm
    of ITU-T I.371), and that for the `size` keys that were used last.
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
        """Return in how many seconds it may happen again, 0 for now."""
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
    """Lets `at_once` pass at the same time, others in the order in which they came; in this process."""

    def __init__(self, *, at_once: int, longest: int) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._longest = longest
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    @asynccontextmanager
    async def passed(self) -> AsyncIterator[None]:
        """Hold a place inside; raises `TooManyRequests` where `longest` wait for one already."""
        if self._waiting >= self._longest:
            raise TooManyRequests("Too many ask at the same time; please wait a moment.", retry_after=1.0)
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._places.release()


def address_of(request: web.Request) -> str | None:
    """Return the public address that a request comes from, of IPv6 the network; None if none is known.

    Behind proxies it is the last public one in X-Forwarded-For: each proxy appends whom it was asked by, and
    what stands further in front anybody may have invented. A public peer is no proxy of ours, and the header
    its own invention. Not public are private networks, and 100.64.0.0/10, which platforms share.
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


PEOPLE = web.AppKey("people", RateLimiter)
"""By person: how often they may open Messaging."""
