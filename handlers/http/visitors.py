"""Who is there by their Equa session, and what Equa says of them."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from aiohttp import web

from bridge.errors import EquaUnavailable, NotSignedIn
from bridge.models.equa import Organization, OrganizationId, Organizations, Person, Roster
from bridge.ports import EquaPlatform
from handlers.http.app_keys import LIMITS, SERVICES
from handlers.http.limits import address_of

T = TypeVar("T")

Question = Callable[[EquaPlatform, str], Awaitable[T]]


async def person(request: web.Request) -> Person:
    """Return who is signed in; raise `NotSignedIn`, `EquaUnavailable` and `TooManyRequests`."""
    return await _within_time(request, _identified(request))


async def organizations(request: web.Request) -> tuple[Person, Organizations]:
    """Return who is signed in, and all that they belong to."""
    people = await person(request)
    return people, await _known(request, lambda equa, cookie: equa.organizations(cookie))


async def member(request: web.Request, organization: OrganizationId) -> tuple[Person, Organization]:
    """Return who is signed in and the organization; raise what `person` raises, and `NotAMember`."""
    return await _known(request, lambda equa, cookie: equa.member(cookie, organization))


async def admin(request: web.Request, organization: OrganizationId, *, afresh: bool = False) -> Person:
    """Return who is signed in; raise what `person` raises, and `NotAnAdmin`.

    `afresh`: for what an administrator decides, of which a role of some seconds ago is not enough.
    """
    return await _known(request, lambda equa, cookie: equa.admin(cookie, organization, afresh=afresh))


async def organization_name(request: web.Request, organization: OrganizationId) -> str:
    """Return the organization's name as a member sees it."""
    return await _known(request, lambda equa, cookie: equa.organization_name(cookie, organization))


async def roster(request: web.Request, organization: OrganizationId) -> Roster:
    """Return the organization's roster as a member who has just been identified sees it."""
    equa, cookie = _session(request)
    return await equa.roster(cookie, organization)


async def _known(request: web.Request, question: Question[T]) -> T:
    """Identify the person, then ask."""

    async def asked() -> T:
        await _identified(request)
        return await question(*_session(request))

    return await _within_time(request, asked())


async def _identified(request: web.Request) -> Person:
    equa, cookie = _session(request)
    limits, address = request.app[LIMITS], address_of(request)
    found = await limits.equa.identified(cookie, address, partial(equa.person, cookie))
    people, addresses = limits.crowd.note(found.id, address)
    request.app[SERVICES].metrics.visitors(people=people, addresses=addresses)
    return found


def _session(request: web.Request) -> tuple[EquaPlatform, str]:
    """Return Equa and those of the request's cookies that may go there."""
    services = request.app[SERVICES]
    cookie = services.equa_session("; ".join(request.headers.getall("Cookie", ())))
    if not cookie:
        raise NotSignedIn("Please sign in to Equa first.")
    if services.equa is None:
        raise EquaUnavailable("Equa cannot be asked: EQUA_API_URL is not configured.")
    return services.equa, cookie


async def _within_time(request: web.Request, asked: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(request.app[LIMITS].timeouts.equa):
            return await asked
    except TimeoutError:
        raise EquaUnavailable("Equa did not answer in time.") from None
