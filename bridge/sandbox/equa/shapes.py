"""The JSON that Equa answers, in each of the shapes that its documents leave open."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bridge.sandbox.demo_data import EVERYTHING
from bridge.sandbox.equa.records import Member, Organization, Role, User


@dataclass(slots=True)
class Shapes:
    """Which of the possible shapes is in use."""

    lists: Literal["bare", "named", "data"] = "bare"
    """`[…]`, `{"members": […]}` or `{"data": […]}`."""
    organizations: Literal["plain", "nameless", "memberships"] = "plain"
    """Items with a name, without one, or wrapped as `{"organization": {…}}`."""
    accounts: Literal["user", "userId", "embedded"] = "user"
    permissions: Literal["names", "objects", "map", "roles"] = "names"
    nobody: Literal["null", "empty object", "null user", "null id", "empty body", "401"] = "null"
    """What `GET /user/current` answers a stranger; all but the last with status 200."""


def of_user(user: User) -> dict[str, Any]:
    return {
        "id": str(user.id),
        "email": user.email,
        "username": user.username,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "emailVerified": user.email_verified,
        "twoFactorEnabled": False,
    }


def of_nobody(shapes: Shapes) -> Any:
    match shapes.nobody:
        case "empty object":
            return {}
        case "null user":
            return {"user": None}
        case "null id":
            return {"id": None}
        case _:
            return None


def of_organization(organization: Organization) -> dict[str, Any]:
    return {"id": str(organization.id), "name": organization.name, "companyType": 1, "website": None}


def of_organizations(organizations: Iterable[Organization], shapes: Shapes) -> Any:
    items = [of_organization(organization) for organization in organizations]
    match shapes.organizations:
        case "nameless":
            items = [{"id": item["id"]} for item in items]
        case "memberships":
            items = [{"id": f"membership-{n}", "organization": item} for n, item in enumerate(items)]
    return _listed(items, "organizations", shapes)


def of_members(members: Iterable[Member], users: Mapping[Any, User], shapes: Shapes) -> Any:
    return _listed([of_member(member, users, shapes) for member in members], "members", shapes)


def of_member(member: Member, users: Mapping[Any, User], shapes: Shapes) -> dict[str, Any]:
    account: dict[str, Any]
    match shapes.accounts:
        case "embedded":
            account = {"user": of_user(users[member.user]) if member.user else None}
        case name:
            account = {name: str(member.user) if member.user else None}
    return {
        "id": str(member.id),
        "fullName": member.full_name,
        "email": member.email,
        "organization": str(member.organization),
        "isIndividual": member.is_individual,
        "title": member.title,
        **account,
    }


def of_permissions(granted: Collection[str], roles: Iterable[Role], shapes: Shapes) -> Any:
    match shapes.permissions:
        case "map":
            return {name: name in granted for name in EVERYTHING}
        case "objects":
            return _listed(
                [{"id": f"permission-{name}", "name": name} for name in granted], "permissions", shapes
            )
        case "roles":
            return {"roles": [{"name": role.name, "permissions": sorted(role.permissions)} for role in roles]}
        case "names":
            return _listed(sorted(granted), "permissions", shapes)


def _listed(items: list[Any], name: str, shapes: Shapes) -> Any:
    match shapes.lists:
        case "bare":
            return items
        case "named":
            return {name: items}
        case "data":
            return {"data": items}
