"""`GET /login/equa/authorize`: Mattermost's GitLab sign-in asks the bridge who is at the browser.

A browser that has just shown its ticket, or comes back from the web app, goes on with a code. Any other one
goes to the web app first; in a frame it tells the page around it, which brings a new ticket.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field, WithJsonSchema

from bridge.errors import (
    BridgeError,
    DatabaseUnavailable,
    InvalidRequest,
    MattermostNotConfigured,
    NotPermitted,
    NotSignedIn,
    TooManyRequests,
)
from handlers.http import own_cookies
from handlers.http.app_keys import SERVICES, OAuth
from handlers.http.login_page import waiting_page
from handlers.http.models import Input
from handlers.http.oauth import LONGEST_STATE, Refusal, back, is_plain, place_of, require_client, state_of
from handlers.http.redirect import redirect_path
from handlers.http.route import HTML, Reply, Route
from handlers.http.sign_in_answers import CAREFUL, as_page, failure_page, in_turn
from provisioning.sign_in_provider import digest

WEB_APP_PATH = "/messaging/sign-in"
"""Where `handlers.web.sign_in` is."""


class _Query(Input):
    response_type: Annotated[str, Field(alias="response_type", description="`code`.")] = ""
    client_id: Annotated[str, Field(alias="client_id", description="`equabot-bridge`.")] = ""
    redirect_uri: Annotated[
        str, Field(alias="redirect_uri", description="`{baseUrl}/signup/gitlab/complete`.")
    ] = ""
    scope: Annotated[str, Field(description="Empty or `read_user`.")] = ""
    state: Annotated[
        str,
        WithJsonSchema({"type": "string", "maxLength": LONGEST_STATE}),
        Field(description="Mattermost's, given back as it is."),
    ] = ""
    confirmed: Annotated[str, Field(description="What `/messaging/sign-in` comes back with.")] = ""


async def authorize(request: web.Request) -> web.Response:
    """Send the browser on; a browser gets a page in place of each error."""
    try:
        return await _authorized(request)
    except BridgeError as trouble:
        if "text/html" not in request.headers.get("Accept", ""):
            raise
        return failure_page(request, trouble)


async def _authorized(request: web.Request) -> web.Response:
    oauth = _configured(request)
    if request.query.get("confirmed"):
        return await _came_back(request, oauth)
    query = _values(request)
    require_client(query, oauth.client)
    try:
        state = state_of(query)
    except Refusal as refusal:
        given = request.query.get("state", "")
        fields = {"error": refusal.error, "error_description": refusal.description}
        return _redirect(back(oauth.client, given, **fields))
    kept = own_cookies.browser(request)
    redeem = partial(oauth.provider.code_of_browser, kept, oauth.client, state)
    if kept and (code := await in_turn(request, redeem)):
        return _with_code(request, oauth, state, code, own_cookies.end_browser(request))
    return _ask(request, state)


async def _came_back(request: web.Request, oauth: OAuth) -> web.Response:
    """Finish what this browser has begun; a link from elsewhere is bound to another browser's nonce."""
    # Used up also where nothing was begun: whoever lured somebody here may have the other browser.
    begun = own_cookies.begun(request) or own_cookies.Begun("", "")
    confirmed = request.query["confirmed"]
    redeem = partial(oauth.provider.code_of_confirmed, confirmed, begun.nonce, oauth.client, begun.state)
    code = await in_turn(request, redeem)
    # The browser's owner can write the cookie anew, state and all.
    if code is None or not is_plain(begun.state):
        raise NotSignedIn("This sign-in was begun in another browser, or too long ago.")
    return _with_code(request, oauth, begun.state, code, own_cookies.end_begun(request))


def _with_code(request: web.Request, oauth: OAuth, state: str, code: str, used: str) -> web.Response:
    """Send the browser back with its code, and take away what it had; `used` is that cookie."""
    response = _redirect(back(oauth.client, state, code=code), used)
    with suppress(InvalidRequest):
        # Mattermost 11.6 goes to the root wherever its state leads (`fullyQualifiedRedirectURL`).
        response.headers.add("Set-Cookie", own_cookies.set_place(request, redirect_path(place_of(state))))
    return response


def _ask(request: web.Request, state: str) -> web.Response:
    """Let the web app say who is there."""
    services, frame = request.app[SERVICES], request.headers.get("Sec-Fetch-Dest")
    if frame not in (None, "document") or not services.web_origins:
        raise NotSignedIn("Please open Messaging in Equa.")
    begun = own_cookies.begin(state)
    query = urlencode({"request": digest(begun.nonce).hex()})
    place, cookie = f"{services.web_origins[0]}{WEB_APP_PATH}?{query}", own_cookies.set_begun(request, begun)
    if frame == "document":
        return _redirect(place, cookie)
    # Without the header only a script can find out whether there is a page around it.
    response = as_page(
        request, web.Response(), lambda nonce: waiting_page(nonce, place, services.web_origins)
    )
    response.headers.add("Set-Cookie", cookie)
    return response


def _configured(request: web.Request) -> OAuth:
    oauth = request.app[SERVICES].oauth
    if oauth is None:
        raise MattermostNotConfigured("Signing in with Equa is not set up here.")
    return oauth


def _values(request: web.Request) -> Mapping[str, Sequence[str]]:
    return {name: request.query.getall(name) for name in request.query}


def _redirect(place: str, *cookies: str) -> web.Response:
    response = web.Response(status=303, headers={**CAREFUL, "Location": place})
    for cookie in cookies:
        response.headers.add("Set-Cookie", cookie)
    return response


ROUTE = Route(
    method="GET",
    path="/login/equa/authorize",
    handler=authorize,
    operation="authorize",
    summary="Tell Mattermost who is at the browser",
    description="The authorization endpoint of OAuth 2.0 (RFC 6749) for Mattermost's GitLab sign-in.",
    # HEAD would use up what the browser has.
    head=False,
    query_model=_Query,
    replies={
        200: Reply("A page that goes on to the web app, or tells the page around it.", str, (HTML,)),
        303: Reply(
            "On to Mattermost with a code or an error, or to the web app.", headers={"Location": "Where."}
        ),
    },
    errors=(
        InvalidRequest,
        NotSignedIn,
        NotPermitted,
        TooManyRequests,
        MattermostNotConfigured,
        BridgeError,
        DatabaseUnavailable,
    ),
    error_page=True,
)
