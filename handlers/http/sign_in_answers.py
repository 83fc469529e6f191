"""Answers of the routes through which a browser is signed in."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeVar
from urllib.parse import urlsplit

from aiohttp import web

from bridge.errors import BridgeError, DatabaseUnavailable, NotSignedIn, Unavailable
from bridge.models.equa import PersonId
from handlers.http.app_keys import LIMITS, SERVICES, Services
from handlers.http.errors import refusal
from handlers.http.login_page import expired_page, passing_page, policy, trouble_page
from provisioning.sign_in_provider import SignInProvider

T = TypeVar("T")

CAREFUL: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
"""The address holds what signs somebody in."""


async def in_turn(request: web.Request, work: Callable[[], Awaitable[T]]) -> T:
    """Ask the database in the queue in which tickets wait, so that a crowd leaves it to others.

    Raises `DatabaseUnavailable` after a time, and `TooManyRequests` where too many wait already.
    """
    limits = request.app[LIMITS]
    try:
        async with asyncio.timeout(limits.timeouts.login), limits.tickets.queue.passed():
            return await work()
    except TimeoutError:
        raise DatabaseUnavailable("The database does not answer.") from None


async def require_account(request: web.Request, provider: SignInProvider, person: PersonId) -> None:
    """Raise `AccountConflict` if nobody may be signed in to the person's account.

    Where that cannot be found out in time, the sign-in goes on: it looks again at its end.
    """
    with suppress(TimeoutError, Unavailable):
        async with asyncio.timeout(request.app[LIMITS].timeouts.session):
            await provider.require_account(person)


def base_path(services: Services) -> str:
    """Return the path below which the chat is."""
    return urlsplit(services.public_url or "").path.rstrip("/")


def failure_page(request: web.Request, failure: BridgeError) -> web.Response:
    """Return the page for an error; it tells the page around it what to do."""
    response, origins = refusal(failure), request.app[SERVICES].web_origins

    def page(nonce: str) -> str:
        if isinstance(failure, NotSignedIn):
            return expired_page(nonce, origins)
        if "Retry-After" in response.headers:
            return passing_page(failure.message, int(response.headers["Retry-After"]), nonce, origins)
        return trouble_page(failure.message)

    return as_page(request, response, page)


def as_page(request: web.Request, response: web.Response, page: Callable[[str], str]) -> web.Response:
    """Turn the answer into a page; `page` gets the nonce of its script."""
    nonce = secrets.token_urlsafe(16)
    response.content_type, response.text = "text/html", page(nonce)
    response.headers.update(CAREFUL)
    response.headers["Content-Security-Policy"] = policy(nonce, request.app[SERVICES].web_origins)
    return response
