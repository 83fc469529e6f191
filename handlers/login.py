"""`GET /login/token`: a ticket becomes Mattermost's cookies, and the browser goes on to the chat."""

import secrets
from functools import partial
from urllib.parse import urlsplit

from aiohttp import web

from bridge.errors import BridgeError, DatabaseUnavailable, MattermostNotConfigured, NotSignedIn
from handlers.destination import LONGEST, PATTERN, destination
from handlers.errors import refusal
from handlers.keys import SERVICES, Services
from handlers.limits import BAD_TICKETS, DEADLINES, address_of
from handlers.login_page import expired_page, policy, trouble_page
from handlers.openapi import Paths, Schema, error
from handlers.overtime import OVERTIME
from handlers.session_cookies import sign_in_cookies
from provisioning.entrance import Arrival


async def sign_in(request: web.Request) -> web.Response:
    """Use a ticket up and set the cookies; whatever is wrong, none is set.

    A browser gets a page that says what to do, everybody else the JSON of every error, except that a ticket
    which is not good always gives the page: it tells the page around it to ask for a new one.
    """
    try:
        return await _signed_in(request)
    except NotSignedIn as expired:
        return _page(request, expired)
    except BridgeError as trouble:
        if "text/html" not in request.headers.get("Accept", ""):
            raise
        return _page(request, trouble)


_CAREFUL = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
"""The address holds the ticket."""


async def _signed_in(request: web.Request) -> web.Response:
    services = request.app[SERVICES]
    # Looked at first: a ticket is not used up for a place where nobody can be sent.
    wanted = destination(given) if (given := request.query.get("redirect_to")) else None
    arrival = await _arrival(request, request.query.get("token", ""))
    response = web.Response(status=303, headers=_CAREFUL)
    response.headers["Location"] = _base(services) + (wanted or arrival.path)
    for cookie in sign_in_cookies(request, services, arrival.sign_in):
        response.headers.add("Set-Cookie", cookie)
    return response


async def _arrival(request: web.Request, token: str) -> Arrival:
    entrance, bad = request.app[SERVICES].entrance, request.app[BAD_TICKETS]
    if entrance is None:
        raise MattermostNotConfigured("Messaging is not set up here.")
    address = address_of(request)
    bad.require(address)
    try:
        seconds = request.app[DEADLINES].login
        return await request.app[OVERTIME].result(object(), seconds, partial(entrance.enter, token))
    except NotSignedIn:
        bad.count(address)
        raise
    except TimeoutError:
        raise DatabaseUnavailable("The database does not answer.") from None


def _base(services: Services) -> str:
    """Return the path below which the chat is."""
    return urlsplit(services.public_url or "").path.rstrip("/")


def _page(request: web.Request, failure: BridgeError) -> web.Response:
    nonce, origins = secrets.token_urlsafe(16), request.app[SERVICES].web_origins
    expired = isinstance(failure, NotSignedIn)
    text = expired_page(nonce, origins) if expired else trouble_page(failure.message)
    response = refusal(failure)
    response.content_type, response.text = "text/html", text
    response.headers.update(_CAREFUL)
    response.headers["Content-Security-Policy"] = policy(nonce, origins)
    return response


def _parameter(name: str, description: str, pattern: str, **more: object) -> Schema:
    schema = {"type": "string", "pattern": f"^{pattern}$", **more}
    return {"name": name, "in": "query", "description": description, "schema": schema}


_HTML: Schema = {"text/html": {"schema": {"type": "string"}}}


def _or_page(described: Schema) -> Schema:
    return {**described, "content": {**described["content"], **_HTML}}


PATHS: Paths = {
    "/login/token": {
        "parameters": [
            {**_parameter("token", "What `POST …/session` returned.", "[a-z0-9]{26}"), "required": True},
            _parameter(
                "redirect_to", "Where to go, below `baseUrl`: else the team.", PATTERN, maxLength=LONGEST
            ),
        ],
        "get": {
            "summary": "Sign a browser in to the chat",
            "description": "A browser gets a page in place of each error. HEAD would use the ticket up: 405.",
            "operationId": "signIn",
            "responses": {
                "303": {
                    "description": "Signed in, by the cookies MMAUTHTOKEN and MMUSERID.",
                    "headers": {"Location": {"schema": {"type": "string"}, "required": True}},
                },
                "400": _or_page(error("invalid_request")),
                "401": {
                    "description": "The ticket is unknown, used or too old; tells `equabot:login-expired`.",
                    "content": _HTML,
                },
                "429": _or_page(error("too_many_requests", Retry_After="Seconds.")),
                "500": _or_page(error("mattermost_not_configured", "internal_error")),
                "503": _or_page(error("database_unavailable", Retry_After="Seconds.")),
            },
        },
    }
}
