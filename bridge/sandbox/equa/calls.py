"""What every route of a sandbox Equa does alike: who calls, what they may, how it ends."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from aiohttp import web

from bridge.sandbox.equa.controls import CONTROLS, STORE
from bridge.sandbox.equa.faults import Fault
from bridge.sandbox.equa.records import Organization, Session

SESSION: web.RequestKey[Session | None] = web.RequestKey("session", Session)

PREFIX = "/api/v1"
"""Where a deployment has the API; the server's own is `/v1`."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refused(Exception):
    """The call ends with this status and sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


def caller(request: web.Request) -> UUID:
    """Return the user whose session the call has."""
    session = request[SESSION]
    if session is None:
        raise Refused(401, "Not logged in")
    return session.user


def permitted(request: web.Request, *permissions: str) -> Organization:
    """Return the organization of the path if the caller holds any of the permissions there."""
    user, store = caller(request), request.app[STORE]
    organization = store.organizations.get(path_id(request, "organization"))
    if organization is None:
        raise Refused(404, "Not found")
    if store.permissions(organization.id, user).isdisjoint(permissions):
        raise Refused(403, "Unauthorized")
    return organization


def path_id(request: web.Request, name: str) -> UUID:
    try:
        return UUID(request.match_info[name])
    except ValueError:
        raise Refused(400, f"Invalid {name}") from None


async def body(request: web.Request) -> dict[str, Any]:
    try:
        fields = await request.json()
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise Refused(400, "Bad Request")
    return fields


@web.middleware
async def disturb(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count the call and let it go wrong where it is to."""
    fault = request.app[CONTROLS].strike(_route(request))
    if fault is None:
        return await handler(request)
    await asyncio.sleep(fault.delay)
    if fault.cut and request.transport is not None:
        request.transport.abort()
    if fault.status is not None:
        return _instead(fault)
    response = await handler(request)
    if fault.truncate and isinstance(response, web.Response) and isinstance(response.body, bytes):
        response.body = response.body[: len(response.body) // 2]
    return response


@web.middleware
async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find the call's session, whose cookie every answer renews, and answer refusals as JSON."""
    store = request.app[STORE]
    request[SESSION] = store.session("; ".join(request.headers.getall("Cookie", ())))
    try:
        response = await handler(request)
    except Refused as refused:
        response = web.json_response({"error": refused.sentence}, status=refused.status)
    session = request[SESSION]
    if session is not None:
        response.headers.add("Set-Cookie", store.set_cookie(session))
    return response


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    path = resource.canonical.removeprefix(PREFIX) if resource else request.path
    return f"{request.method} {path}"


def _instead(fault: Fault) -> web.Response:
    return web.Response(
        status=fault.status or 200, text=fault.body, content_type=fault.content_type, headers=fault.headers
    )
