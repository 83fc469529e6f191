"""The routes of a sandbox Equa.

Their guards are Equa's: `canViewSomeMembers`, for one, shows everybody to those who may view members and to
others only themselves.
"""

from typing import Any
from uuid import UUID, uuid4

from aiohttp import web

from bridge.sandbox.equa import shapes
from bridge.sandbox.equa.calls import SESSION, Refused, body, caller, path_id, permitted
from bridge.sandbox.equa.controls import CONTROLS, STORE
from bridge.sandbox.equa.records import Member


async def current_user(request: web.Request) -> web.Response:
    session, answered = request[SESSION], request.app[CONTROLS].shapes
    if session is not None:
        return web.json_response(shapes.of_user(request.app[STORE].users[session.user]))
    match answered.nobody:
        case "401":
            raise Refused(401, "Not logged in")
        case "empty body":
            return web.Response()
        case _:
            return web.json_response(shapes.of_nobody(answered))


async def log_in(request: web.Request) -> web.Response:
    fields = await body(request)
    store = request.app[STORE]
    user = store.user_by_credentials(str(fields.get("email")), str(fields.get("password")))
    if user is None:
        raise Refused(401, "Invalid email or password")
    request[SESSION] = store.begin_session(user.id)
    return web.json_response(shapes.of_user(user))


async def log_out(request: web.Request) -> web.Response:
    session = request[SESSION]
    if session is not None:
        request.app[STORE].sign_out(session)
        request[SESSION] = None
    return web.json_response({})


async def organizations(request: web.Request) -> web.Response:
    found = request.app[STORE].organizations_of(caller(request))
    return web.json_response(shapes.of_organizations(found, request.app[CONTROLS].shapes))


async def organization(request: web.Request) -> web.Response:
    return web.json_response(shapes.of_organization(permitted(request, "viewOrganization")))


async def permissions(request: web.Request) -> web.Response:
    caller(request)
    store = request.app[STORE]
    organization, user = path_id(request, "organization"), path_id(request, "user")
    if organization not in store.organizations:
        raise Refused(404, "Not found")
    roles = [role for member in store.memberships(organization, user) for role in member.roles]
    granted = store.permissions(organization, user)
    return web.json_response(shapes.of_permissions(granted, roles, request.app[CONTROLS].shapes))


async def members(request: web.Request) -> web.Response:
    store, user = request.app[STORE], caller(request)
    organization = permitted(request, "viewMembers", "viewSelf")
    shown = list(organization.members.values())
    if "viewMembers" not in store.permissions(organization.id, user):
        shown = store.memberships(organization.id, user)
    return web.json_response(shapes.of_members(shown, store.users, request.app[CONTROLS].shapes))


async def add_member(request: web.Request) -> web.Response:
    organization = permitted(request, "editMembers")
    fields = await body(request)
    member = _member(organization.id, fields)
    if member.user is not None and member.user not in request.app[STORE].users:
        raise Refused(400, "Unknown user")
    organization.members[member.id] = member
    answered = shapes.of_member(member, request.app[STORE].users, request.app[CONTROLS].shapes)
    return web.json_response(answered, status=201)


async def remove_member(request: web.Request) -> web.Response:
    organization = permitted(request, "editOrganizationDetails")
    if organization.members.pop(path_id(request, "member"), None) is None:
        raise Refused(404, "Not found")
    return web.json_response({})


def _member(organization: UUID, fields: dict[str, Any]) -> Member:
    try:
        user = UUID(fields["user"]) if fields.get("user") else None
        name, email = str(fields["fullName"]), str(fields["email"])
    except (KeyError, ValueError, AttributeError, TypeError):
        raise Refused(400, "Bad Request") from None
    individual = fields.get("isIndividual", True) is True
    return Member(uuid4(), name, email, organization, user, individual, str(fields.get("title", "")))


ROUTES = (
    web.get("/user/current", current_user),
    web.post("/user/login", log_in),
    web.post("/user/logout", log_out),
    web.get("/organization", organizations),
    web.get("/organization/{organization}", organization),
    web.get("/organization/{organization}/user/{user}", permissions),
    web.get("/organization/{organization}/member", members),
    web.post("/organization/{organization}/member", add_member),
    web.delete("/organization/{organization}/member/{member}", remove_member),
)
