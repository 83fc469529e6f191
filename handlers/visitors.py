"""Who is there by their Equa session, and that a flood of bogus sessions does not become one upon Equa."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeVar

from aiohttp import web

from bridge.errors import EquaUnavailable, NotSignedIn
from bridge.models import Organization, OrganizationId, Person
from bridge.ports import EquaPlatform
from handlers.keys import SERVICES
from handlers.limits import DEADLINES, Allowance, address_of

T = TypeVar("T")

_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Turnstile:
    """Lets each session ask now and then, and each address bring only so many that are nobody's.

    A session counts as nobody's until Equa has said otherwise. One that was somebody's not long ago passes,
    whatever else its address brings: behind a proxy that does not say whom it speaks for, all have the same.
    """

    sessions: Allowance = field(default_factory=lambda: Allowance(burst=30, per_second=1))
    strangers: Allowance = field(default_factory=lambda: Allowance(burst=200, per_second=10))
    _known: dict[bytes, None] = field(default_factory=dict, repr=False)

    @asynccontextmanager
    async def passed(self, session: bytes, address: str) -> AsyncIterator[None]:
        """Ask Equa inside; raises `TooManyRequests` if it is not to be asked now."""
        self.sessions.use(session)
        counted = session not in self._known
        if counted:
            self.strangers.use(address)
        try:
            yield
            self._remember(session)
        except NotSignedIn:
            self._known.pop(session, None)
            counted = False
            raise
        finally:
            if counted:
                self.strangers.give_back(address)

    def _remember(self, session: bytes) -> None:
        self._known.pop(session, None)
        self._known[session] = None
        if len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]


TURNSTILE = web.AppKey("turnstile", Turnstile)


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
    services, turnstile = request.app[SERVICES], request.app[TURNSTILE]
    cookie = services.session_cookies("; ".join(request.headers.getall("Cookie", ())))
    if not cookie:
        raise NotSignedIn("Please sign in to Equa first.")
    if services.equa is None:
        raise EquaUnavailable("Equa cannot be asked: EQUA_API_URL is not configured.")
    session, address = sha256(cookie.encode(errors="surrogateescape")).digest(), address_of(request)
    async with turnstile.passed(session, address):
        return await _in_time(question(services.equa, cookie), request.app[DEADLINES].equa)


async def _in_time(asked: Awaitable[T], seconds: float) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await asked
    except TimeoutError:
        raise EquaUnavailable("Equa did not answer in time.") from None
