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
from handlers.http.background_tasks import OVERTIME
from handlers.http.limits import DEADLINES, Allowance, Line, address_of
from provisioning.sign_in_service import Arrival, Entrance

PATTERN = "[a-z0-9]{26}"
"""Of a ticket, and of a personal access token in its place."""

_LONGEST = 5_000
"""More than what a process takes in within the deadline."""


@dataclass(frozen=True, slots=True)
class TicketLimits:
    """How much of the database tickets may have."""

    bad: Allowance = field(default_factory=lambda: Allowance(burst=60, per_second=1))
    """By address; one that is not known counts as one."""
    line: Line = field(default_factory=lambda: Line(at_once=4, longest=_LONGEST))
    narrow: Line = field(default_factory=lambda: Line(at_once=1, longest=_LONGEST))


TICKETS = web.AppKey("tickets", TicketLimits)


async def redeemed(request: web.Request, token: str) -> Arrival:
    """Use a ticket up; raise `NotSignedIn` if it is not good, `TooManyRequests` if too many of those came."""
    entrance, limits = request.app[SERVICES].entrance, request.app[TICKETS]
    if entrance is None:
        raise MattermostNotConfigured("Messaging is not set up here.")
    if not re.fullmatch(PATTERN, token):
        raise NotSignedIn("This is no link that signs in; please open Messaging in Equa again.")
    address = address_of(request)
    line = limits.narrow if limits.bad.wait(address) else limits.line
    try:
        return await _in_turn(request, line, entrance, token)
    except NotSignedIn:
        limits.bad.use(address)
        raise
    except TimeoutError:
        raise DatabaseUnavailable("The database does not answer.") from None


async def _in_turn(request: web.Request, line: Line, entrance: Entrance, token: str) -> Arrival:
    seconds = request.app[DEADLINES].login
    async with asyncio.timeout(seconds), line.passed():
        return await request.app[OVERTIME].result(object(), seconds, partial(entrance.enter, token))
