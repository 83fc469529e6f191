"""`GET /login/token`: a ticket becomes Mattermost's cookies, and the browser goes on to the chat."""

import secrets
from collections.abc import Callable
from urllib.parse import urlsplit

from aiohttp import web

from bridge.errors import BridgeError, NotSignedIn
from handlers.http.app_keys import SERVICES, Services
from handlers.http.errors import refusal
from handlers.http.login_csrf import is_doubtful
from handlers.http.login_page import expired_page, passing_page, policy, question_page, trouble_page
from handlers.http.mattermost_cookies import sign_in_cookies
from handlers.http.openapi import WAIT, Paths, Schema, error
from handlers.http.redirect import LONGEST, PATTERN, destination
from handlers.http.tickets import PATTERN as TICKET
from handlers.http.tickets import redeemed


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
    # Looked at first: a ticket is not used up for a place where nobody can be sent, nor for who has to agree.
    wanted = destination(given) if (given := request.query.get("redirect_to")) else None
    if is_doubtful(request, services.web_origins):
        return _as_page(request, web.Response(), lambda _: question_page(_base(services) + "/"))
    result = await redeemed(request, request.query.get("token", ""))
    response = web.Response(status=303, headers=_CAREFUL)
    response.headers["Location"] = _base(services) + (wanted or result.path)
    for cookie in sign_in_cookies(request, services, result.sign_in):
        response.headers.add("Set-Cookie", cookie)
    return response


def _base(services: Services) -> str:
    """Return the path below which the chat is."""
    return urlsplit(services.public_url or "").path.rstrip("/")


def _page(request: web.Request, failure: BridgeError) -> web.Response:
    response, origins = refusal(failure), request.app[SERVICES].web_origins

    def page(nonce: str) -> str:
        if isinstance(failure, NotSignedIn):
            return expired_page(nonce, origins)
        if "Retry-After" in response.headers:
            return passing_page(failure.message, int(response.headers["Retry-After"]), nonce, origins)
        return trouble_page(failure.message)

    return _as_page(request, response, page)


def _as_page(request: web.Request, response: web.Response, page: Callable[[str], str]) -> web.Response:
    """Make the answer a page, which is given the nonce of its script."""
    nonce = secrets.token_urlsafe(16)
    response.content_type, response.text = "text/html", page(nonce)
    response.headers.update(_CAREFUL)
    response.headers["Content-Security-Policy"] = policy(nonce, request.app[SERVICES].web_origins)
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
            {**_parameter("token", "What `POST …/session` returned.", TICKET), "required": True},
            _parameter(
                "redirect_to", "Where to go, below `baseUrl`: else the team.", PATTERN, maxLength=LONGEST
            ),
        ],
        "get": {
            "summary": "Sign a browser in to the chat",
            "description": "A browser gets a page in place of each error. HEAD would use the ticket up: 405.",
            "operationId": "signIn",
            "responses": {
                "200": {
                    "description": "A page that asks: the browser is signed in and comes from elsewhere.",
                    "content": _HTML,
                },
                "303": {
                    "description": "Signed in, by the cookies MMAUTHTOKEN and MMUSERID.",
                    "headers": {"Location": {"schema": {"type": "string"}, "required": True}},
                },
                "400": _or_page(error("invalid_request")),
                "401": {
                    "description": "The ticket is unknown, used or too old; tells `equabot:login-expired`.",
                    "content": _HTML,
                },
                "429": _or_page(error("too_many_requests", Retry_After=WAIT)),
                "500": _or_page(error("mattermost_not_configured", "internal_error")),
                "503": _or_page(error("database_unavailable", Retry_After=WAIT)),
            },
        },
    }
}
