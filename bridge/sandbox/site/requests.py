"""What a request of the page asks for; what cannot be is refused with a sentence."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from aiohttp import web

from bridge.sandbox.equa import STORE
from bridge.sandbox.equa.records import Organization, Session, User


def refused(sentence: str) -> web.HTTPBadRequest:
    """Return the refusal, to be raised."""
    return web.HTTPBadRequest(text=sentence)


def session(request: web.Request) -> Session | None:
    """Return the session of the request's cookie."""
    return request.app[STORE].session(request.headers.get("Cookie", ""))


async def body(request: web.Request) -> dict[str, Any]:
    """Return the body, of a type that another site's page cannot send without asking: nobody answers that."""
    if request.content_type != "application/json":
        raise refused("A body must be application/json.")
    try:
        fields = await request.json()
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise refused("A body must be an object.")
    return fields


def user(request: web.Request, fields: Mapping[str, Any]) -> User:
    """Return the person that is meant."""
    found = request.app[STORE].users.get(_id(fields, "person"))
    if found is None:
        raise refused("There is no such person.")
    return found


def organization(request: web.Request, fields: Mapping[str, Any]) -> Organization:
    """Return the organization that is meant."""
    found = request.app[STORE].organizations.get(_id(fields, "organization"))
    if found is None:
        raise refused("There is no such organization.")
    return found


def _id(fields: Mapping[str, Any], name: str) -> UUID:
    try:
        return UUID(str(fields.get(name)))
    except ValueError:
        raise refused(f"{name} must be a UUID.") from None
