"""`GET /messaging/sign-in`: go on with a sign-in that began in Mattermost's page or apps.

The browser comes from `GET /login/equa/authorize` on the chat's host and goes back there, once Equa has said
who it is. What it takes along is good for the browser alone that began: it has the nonce of
the digest that is in the address.
"""

import asyncio
import re
from dataclasses import dataclass
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from bridge.errors import (
    AccountConflict,
    BridgeError,
    EquaUnavailable,
    InvalidRequest,
    MattermostFull,
    MattermostNotConfigured,
    MattermostRefused,
    MattermostUnavailable,
    NotAMember,
    NotSignedIn,
    TooManyRequests,
    Unavailable,
)
from bridge.models.equa import PersonId
from handlers.http import visitors
from handlers.http.app_keys import BACKGROUND_TASKS, LIMITS, SERVICES
from handlers.http.errors import refusal
from handlers.http.models import Input
from handlers.http.route import HTML, Reply, Route
from handlers.http.sign_in_answers import CAREFUL, require_account
from handlers.web.page import template_page

PATH = "/messaging/sign-in"

_DIGEST = "[0-9a-f]{64}"
_ERRORS: tuple[type[BridgeError], ...] = (
    InvalidRequest,
    NotSignedIn,
    NotAMember,
    AccountConflict,
    TooManyRequests,
    MattermostNotConfigured,
    MattermostRefused,
    Unavailable,
    MattermostFull,
)
_STATUSES = sorted({error.status for error in _ERRORS})

_COME_BACK = 3.0
"""Seconds, after which a first visit that takes longer is looked for again."""


class _Query(Input):
    request: Annotated[
        str, Field(pattern=f"^{_DIGEST}$", description="The digest of the nonce that the browser has.")
    ]


async def sign_in(request: web.Request) -> web.Response:
    """Go back to the chat's host, or say on a page what has to be done first."""
    try:
        return await _confirmed(request)
    except BridgeError as failure:
        return _page(request, failure)


async def _confirmed(request: web.Request) -> web.Response:
    services, digest = request.app[SERVICES], request.query.get("request", "")
    if not re.fullmatch(_DIGEST, digest) or request.headers.get("Sec-Fetch-Dest", "document") != "document":
        raise InvalidRequest("A part of the address is missing.")
    if services.oauth is None:
        raise MattermostNotConfigured("Signing in with Equa is not set up here.")
    deadline = asyncio.get_running_loop().time() + request.app[LIMITS].timeouts.visit
    person = await _let_in(request, deadline)
    await require_account(request, services.oauth.provider, person)
    confirmed = await services.oauth.provider.confirm(person, bytes.fromhex(digest))
    place = f"{services.public_url}/login/equa/authorize?{urlencode({'confirmed': confirmed})}"
    return web.Response(status=303, headers={**CAREFUL, "Location": place})


async def _let_in(request: web.Request, deadline: float) -> PersonId:
    """Open a session in one of the person's organizations, as Equa says that they belong to it now."""
    person, organizations = await visitors.organizations(request)
    service = request.app[SERVICES].sign_in_service
    assert service is not None  # there is no provider without
    request.app[LIMITS].visits.use(person.id)
    organization = await service.first_with_team(person.id, organizations.found)
    if organization is None and not organizations.complete:
        raise EquaUnavailable("Equa's list of your organizations could not be read to its end.")
    if organization is None:
        raise NotAMember("None of your organizations in Equa has a chat here.")
    opening = partial(service.open, person, organization)
    seconds = deadline - asyncio.get_running_loop().time()
    try:
        await request.app[BACKGROUND_TASKS].result((person.id, organization.id), seconds, opening)
    except TimeoutError:
        raise MattermostUnavailable("This takes a moment.", retry_after=_COME_BACK) from None
    return person.id


@dataclass(frozen=True, slots=True)
class _Advice:
    """What a page says, where its link leads, and when it goes on: in seconds, or when somebody is `back`."""

    title: str
    advice: str
    action: str = "Try again"
    place: str = ""
    again: str = ""

    @property
    def target(self) -> str:
        """Equa opens beside this page, which waits."""
        return "_blank" if self.place else "_self"


def _page(request: web.Request, failure: BridgeError) -> web.Response:
    headers = refusal(failure).headers
    advice = _advice(request, failure, headers.get("Retry-After", ""))
    response = template_page(
        request,
        "sign-in.html",
        status=failure.status,
        framed=False,
        title=advice.title,
        advice=advice.advice,
        action=advice.action,
        place=advice.place,
        target=advice.target,
        again=advice.again,
    )
    if "Retry-After" in headers:
        response.headers["Retry-After"] = headers["Retry-After"]
    response.headers.update(CAREFUL)
    return response


def _advice(request: web.Request, failure: BridgeError, retry_after: str) -> _Advice:
    equa = next(iter(request.app[SERVICES].web_origins), "")
    match failure:
        case NotSignedIn():
            text = "You are not signed in to Equa here. Sign in, then come back: this page goes on by itself."
            return _Advice("Sign in to Equa", text, "Sign in to Equa", f"{equa}/login", "back")
        case NotAMember():
            text = (
                "None of your organizations in Equa has a chat that you belong to. One of its administrators"
                " can add you; where nobody has opened Messaging yet, open it in Equa first."
            )
            return _Advice("Only members can open this chat", text, "Open Equa", f"{equa}/")
        case InvalidRequest():
            text = (
                "A part of this address was lost. Begin again where you came from, or open Messaging in Equa."
            )
            return _Advice("This sign-in cannot go on", text, "Open Equa", f"{equa}/")
    return _Advice("Signing in did not work", failure.message, again=retry_after)


ROUTE = Route(
    method="GET",
    path=PATH,
    handler=sign_in,
    operation="confirmSignIn",
    summary="Go on with a sign-in that began in Mattermost",
    description="Answers with a page in place of each error; HEAD gets 405.",
    head=False,
    query_model=_Query,
    replies={
        303: Reply("Back to the chat's host.", headers={"Location": "`{baseUrl}/login/equa/authorize`."}),
        **{status: Reply("A page that says what to do.", str, (HTML,)) for status in _STATUSES},
    },
)
