"""Who is there by their Equa session, and that a flood of bogus sessions does not become one upon Equa."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeVar

from aiohttp import web

from bridge.errors import EquaUnavailable, NotSignedIn
from bridge.models.equa import Organization, OrganizationId, Person
from bridge.ports import EquaPlatform
from handlers.http.app_keys import SERVICES
from handlers.http.limits import TIMEOUTS, RateLimiter, WaitQueue, address_of

T = TypeVar("T")

_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class EquaThrottle:
    """Lets each session ask now and then, and each address bring only so many that are nobody's.

    A session counts as nobody's until Equa has said otherwise, and such ones ask a few at a time. One that
    was somebody's not long ago passes, whatever else comes. Behind a proxy that does not say whom it speaks
    for, all would have one address: there nobody is refused for what others bring.
    """

    sessions: RateLimiter = field(default_factory=lambda: RateLimiter(burst=30, per_second=1))
    strangers: RateLimiter = field(default_factory=lambda: RateLimiter(burst=200, per_second=10))
    line: WaitQueue = field(default_factory=lambda: WaitQueue(at_once=20, longest=1000))
    _known: dict[bytes, None] = field(default_factory=dict, repr=False)

    @asynccontextmanager
    async def passed(self, session: bytes, address: str | None) -> AsyncIterator[None]:
        """Ask Equa inside; raises `TooManyRequests` if it is not to be asked now."""
        self.sessions.use(session)
        async with nullcontext() if session in self._known else self._as_a_stranger(address):
            try:
                yield
            except NotSignedIn:
                self._known.pop(session, None)
                raise
            self._remember(session)

    @asynccontextmanager
    async def _as_a_stranger(self, address: str | None) -> AsyncIterator[None]:
        with nullcontext() if address is None else self._counted(address):
            async with self.line.passed():
                yield

    @contextmanager
    def _counted(self, address: str) -> Iterator[None]:
        self.strangers.use(address)
        nobodys = False
        try:
            yield
        except NotSignedIn:
            nobodys = True
            raise
        finally:
            if not nobodys:
                self.strangers.give_back(address)

    def _remember(self, session: bytes) -> None:
        self._known.pop(session, None)
        self._known[session] = None
        if len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]


EQUA_THROTTLE = web.AppKey("turnstile", EquaThrottle)


async def person(request: web.Request) -> Person:
    """Return who is signed in; raise `NotSignedIn`, `EquaUnavailable` and `TooManyRequests`."""
    return await _asked(request, lambda equa, cookie: equa.person(cookie))


async def member(request: web.Request, organization: OrganizationId) -> tuple[Person, Organization]:
    """Return who is signed in and the organization; raise `NotAMember` besides."""
    return await _asked(request, lambda equa, cookie: equa.member(cookie, organization))


async def admin(request: web.Request, organization: OrganizationId) -> Person:
    """Return who is signed in; raise `NotAnAdmin` besides."""
    return await _asked(request, lambda equa, cookie: equa.admin(cookie, organization))


async def organization_name(request: web.Request, organization: OrganizationId) -> str:
    """Return the organization's name as a member sees it."""
    return await _asked(request, lambda equa, cookie: equa.organization_name(cookie, organization))


async def _asked(request: web.Request, question: Callable[[EquaPlatform, str], Awaitable[T]]) -> T:
    services, equa_throttle = request.app[SERVICES], request.app[EQUA_THROTTLE]
    cookie = services.session_cookies("; ".join(request.headers.getall("Cookie", ())))
    if not cookie:
        raise NotSignedIn("Please sign in to Equa first.")
    if services.equa is None:
        raise EquaUnavailable("Equa cannot be asked: EQUA_API_URL is not configured.")
    session, address = sha256(cookie.encode(errors="surrogateescape")).digest(), address_of(request)
    try:
        async with asyncio.timeout(request.app[TIMEOUTS].equa), equa_throttle.passed(session, address):
            return await question(services.equa, cookie)
    except TimeoutError:
        raise EquaUnavailable("Equa did not answer in time.") from None
