"""Who is signed in, and what they belong to. Pure: no I/O is imported here.

Equa answers 200 to strangers too, so the body decides, not the status.
"""

from collections.abc import Mapping
from typing import Any

from bridge.equa.values import listing, text, unreadable, uuid_of
from bridge.models.equa import Organization, OrganizationId, Organizations, Person, PersonId


def person(payload: object) -> Person | None:
    """Read the answer of `GET /user/current`, bare or as `{"user": …}`; none unless it is somebody's."""
    record = payload.get("user", payload) if isinstance(payload, Mapping) else None
    if not isinstance(record, Mapping) or record.get("enabled") is False:
        return None
    found = uuid_of(record.get("id"))
    if found is None:
        return None
    return Person(
        id=PersonId(found),
        email=text(record.get("email")),
        email_verified=record.get("emailVerified") is True,
        username=text(record.get("username")),
        name=full_name(record),
        nickname=text(record.get("nickname")),
    )


def full_name(record: Mapping[str, Any]) -> str:
    """Return a name from one field or two; empty if there is none."""
    first, last = text(record.get("firstName")), text(record.get("lastName"))
    return text(record.get("fullName"), record.get("name"), f"{first} {last}")


def membership(payload: object, organization: OrganizationId) -> Organization | None:
    """Find the organization in the answer of `GET /organization`; none if it is surely not in there.

    Raises `EquaUnavailable` where it may be: in an item that cannot be read, or on another page.
    """
    found = listing(payload, "organizations")
    read = [_organization(item) for item in found.items]
    for item in read:
        if item is not None and item.id == organization:
            return item
    if None in read or not found.complete:
        raise unreadable("organizations")
    return None


def organizations(payload: object) -> Organizations:
    """Read the answer of `GET /organization`; it is incomplete where an item or a page cannot be read."""
    listed = listing(payload, "organizations")
    found = tuple(each for each in map(_organization, listed.items) if each is not None)
    return Organizations(found, complete=listed.complete and len(found) == len(listed.items))


def organization_name(payload: object) -> str:
    """Read the answer of `GET /organization/{id}`: the name, never empty."""
    record = payload
    for wrapper in ("organization", "data"):
        if isinstance(record, Mapping) and isinstance(record.get(wrapper), Mapping):
            record = record[wrapper]
    name = text(record.get("name")) if isinstance(record, Mapping) else ""
    if not name:
        raise unreadable("the organization's name")
    return name


def _organization(item: object) -> Organization | None:
    """Read an item: an organization, or a membership around one."""
    record = item.get("organization", item) if isinstance(item, Mapping) else None
    if not isinstance(record, Mapping):
        return None
    found = uuid_of(record.get("id"))
    return Organization(OrganizationId(found), text(record.get("name"))) if found else None
