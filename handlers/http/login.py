"""`GET /login/token`: a ticket signs a browser in to Mattermost, and it goes on to the chat.

With `SIGN_IN_SECRET` it does so by Mattermost's GitLab sign-in, of which the bridge is the provider; without
it Mattermost's cookies are set to the personal access token.
"""

import asyncio
import re
from collections.abc import Iterable
from functools import partial
from typing import Annotated, Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field, WithJsonSchema

from bridge.errors import (
    AccountConflict,
    BridgeError,
    DatabaseUnavailable,
    InvalidRequest,
    MattermostNotConfigured,
    NotSignedIn,
    TooManyRequests,
)
from bridge.models.equa import PersonId
from handlers.http import own_cookies
from handlers.http.app_keys import BACKGROUND_TASKS, LIMITS, SERVICES, OAuth
from handlers.http.limits import WaitQueue, address_of
from handlers.http.login_csrf import is_doubtful
from handlers.http.login_page import question_page, storage_page
from handlers.http.mattermost_cookies import CSRF, TOKEN, sign_in_cookies
from handlers.http.models import Input
from handlers.http.redirect import LONGEST, PATTERN, redirect_path
from handlers.http.route import HTML, Reply, Route
from handlers.http.sign_in_answers import CAREFUL, as_page, base_path, failure_page, in_turn, require_account
from provisioning.sign_in_service import TOKEN_PATTERN, SignInResult, SignInService

_GITLAB = "/oauth/gitlab/login"
"""Where Mattermost's own sign-in begins; it asks `GET /login/equa/authorize` who is there."""


class _Query(Input):
    token: Annotated[
        str,
        WithJsonSchema({"type": "string", "pattern": f"^{TOKEN_PATTERN}$"}),
        Field(description="What `POST …/session` returned; needed unless `check` is given."),
    ] = ""
    redirect_to: Annotated[
        str,
        WithJsonSchema({"type": "string", "pattern": f"^{PATTERN}$", "maxLength": LONGEST}),
        Field(alias="redirect_to", description="Where to go, below `baseUrl`: else the team."),
    ] = ""
    check: Annotated[
        Literal["storage"] | None,
        WithJsonSchema({"type": "string", "enum": ["storage"]}),
        Field(description="Asks for a page that finds out whether a frame can store, and signs nobody in."),
    ] = None


async def sign_in(request: web.Request) -> web.Response:
    """Use a ticket up and set the cookies; set none if anything is wrong.

    A browser gets a page that says what to do, everybody else the JSON of the error. A ticket that is not
    good always gets the page, which asks the page around it for a new ticket.
    """
    try:
        return await _signed_in(request)
    except NotSignedIn as expired:
        return failure_page(request, expired)
    except BridgeError as trouble:
        if "text/html" not in request.headers.get("Accept", ""):
            raise
        return failure_page(request, trouble)


async def _signed_in(request: web.Request) -> web.Response:
    services = request.app[SERVICES]
    if request.query.get("check") == "storage":
        return as_page(request, web.Response(), lambda nonce: storage_page(nonce, services.web_origins))
    # Checked first, so that no ticket is used up for a bad address or before the person has agreed.
    wanted = redirect_path(path) if (path := request.query.get("redirect_to")) else None
    if is_doubtful(request, services.web_origins):
        return as_page(request, web.Response(), lambda _: question_page(base_path(services) + "/"))
    result = await _redeemed(request, request.query.get("token", ""))
    place = wanted or result.path
    if services.oauth is None:
        return _redirect(request, place, sign_in_cookies(request, services, result.sign_in))
    if await _is_in(request, services.oauth, result):
        return _redirect(request, place, ())
    await require_account(request, services.oauth.provider, result.person)
    kept = await _kept(request, services.oauth, result.person)
    return _redirect(request, f"{_GITLAB}?{urlencode({'redirect_to': place})}", (kept,))


async def _is_in(request: web.Request, oauth: OAuth, result: SignInResult) -> bool:
    """Return whether the browser has a session of this very person: each new one would stay for weeks."""
    session = request.cookies.get(TOKEN, "")
    # The personal access token, of before, comes without this cookie and gives way to a session.
    if CSRF not in request.cookies or session == result.sign_in.token:
        return False
    try:
        async with asyncio.timeout(request.app[LIMITS].timeouts.session):
            return await oauth.provider.is_session_of(session, result.person)
    except TimeoutError:
        return False


async def _kept(request: web.Request, oauth: OAuth, person: PersonId) -> str:
    """Return the cookie by which the browser is known when Mattermost asks who is there."""
    value = await in_turn(request, partial(oauth.provider.remember, person))
    return own_cookies.set_browser(request, value)


def _redirect(request: web.Request, path: str, cookies: Iterable[str]) -> web.Response:
    response = web.Response(status=303, headers=CAREFUL)
    response.headers["Location"] = base_path(request.app[SERVICES]) + path
    for cookie in cookies:
        response.headers.add("Set-Cookie", cookie)
    return response


async def _redeemed(request: web.Request, token: str) -> SignInResult:
    """Use a ticket up; raise `NotSignedIn` if it is not good, `TooManyRequests` if too many bad ones came."""
    service, limits = request.app[SERVICES].sign_in_service, request.app[LIMITS].tickets
    if service is None:
        raise MattermostNotConfigured("Messaging is not set up here.")
    if not re.fullmatch(TOKEN_PATTERN, token):
        raise NotSignedIn("This link does not sign in; please open Messaging in Equa again.")
    address = address_of(request)
    queue = limits.narrow if limits.bad.wait(address) else limits.queue
    try:
        return await _in_turn(request, queue, service, token)
    except NotSignedIn:
        limits.bad.use(address)
        raise
    except TimeoutError:
        raise DatabaseUnavailable("The database does not answer.") from None


async def _in_turn(
    request: web.Request, queue: WaitQueue, service: SignInService, token: str
) -> SignInResult:
    seconds = request.app[LIMITS].timeouts.login
    async with asyncio.timeout(seconds), queue.passed():
        entering = partial(service.enter, token)
        return await request.app[BACKGROUND_TASKS].result(object(), seconds, entering)


ROUTE = Route(
    method="GET",
    path="/login/token",
    handler=sign_in,
    operation="signIn",
    summary="Sign a browser in to the chat",
    description="A browser gets a page in place of each error. HEAD would use the ticket up: 405.",
    # HEAD would use a ticket up without signing anybody in.
    head=False,
    query_model=_Query,
    replies={
        200: Reply(
            "A page that asks, as the browser is signed in and comes from elsewhere; or the one of `check`.",
            str,
            (HTML,),
        ),
        303: Reply(
            "Signed in, by the cookies MMAUTHTOKEN and MMUSERID, or on the way to that.",
            headers={"Location": "A path of the chat."},
        ),
        401: Reply("The ticket is unknown, used or too old; sends `equabot:login-expired`.", str, (HTML,)),
    },
    errors=(
        InvalidRequest,
        AccountConflict,
        TooManyRequests,
        MattermostNotConfigured,
        BridgeError,
        DatabaseUnavailable,
    ),
    error_page=True,
)
