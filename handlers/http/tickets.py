"""Tickets as browsers bring them: which are good only the database knows, and bad ones must not keep it busy.

What has not the form of a ticket is told without it. All others wait in a line; those from where too many bad
ones came have a narrow one of their own. So an address that all browsers share, as behind some proxies, makes
nobody's good ticket a refused one, however many bad ones somebody sends from it.
"""

import asyncio
import re
from dataclasses import dataclass, field
from functools import partial

from aiohttp import web

from bridge.errors import DatabaseUnavailable, MattermostNotConfigured, NotSignedIn
from handlers.http.app_keys import SERVICES
from handlers.http.background_tasks import BACKGROUND_TASKS
from handlers.http.limits import TIMEOUTS, RateLimiter, WaitQueue, address_of
from provisioning.sign_in_service import SignInResult, SignInService

PATTERN = "[a-z0-9]{26}"
"""Of a ticket, and of a personal access token in its place."""

_LONGEST = 5_000
"""More than what a process takes in within the deadline."""


@dataclass(frozen=True, slots=True)
class TicketLimits:
    """How much of the database tickets may have."""

    bad: RateLimiter = field(default_factory=lambda: RateLimiter(burst=60, per_second=1))
    """By address; one that is not known counts as one."""
    line: WaitQueue = field(default_factory=lambda: WaitQueue(at_once=4, longest=_LONGEST))
    narrow: WaitQueue = field(default_factory=lambda: WaitQueue(at_once=1, longest=_LONGEST))


TICKETS = web.AppKey("tickets", TicketLimits)


async def redeemed(request: web.Request, token: str) -> SignInResult:
    """Use a ticket up; raise `NotSignedIn` if it is not good, `TooManyRequests` if too many of those came."""
    sign_in_service, limits = request.app[SERVICES].sign_in_service, request.app[TICKETS]
    if sign_in_service is None:
        raise MattermostNotConfigured("Messaging is not set up here.")
    if not re.fullmatch(PATTERN, token):
        raise NotSignedIn("This is no link that signs in; please open Messaging in Equa again.")
    address = address_of(request)
    line = limits.narrow if limits.bad.wait(address) else limits.line
    try:
        return await _in_turn(request, line, sign_in_service, token)
    except NotSignedIn:
        limits.bad.use(address)
        raise
    except TimeoutError:
        raise DatabaseUnavailable("The database does not answer.") from None


async def _in_turn(
    request: web.Request, line: WaitQueue, sign_in_service: SignInService, token: str
) -> SignInResult:
    seconds = request.app[TIMEOUTS].login
    async with asyncio.timeout(seconds), line.passed():
        return await request.app[BACKGROUND_TASKS].result(
            object(), seconds, partial(sign_in_service.enter, token)
        )
