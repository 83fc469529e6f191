"""What the page shows, made of what the sandbox's Equa keeps. Pure: no I/O is imported here."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from bridge.sandbox.equa.records import Member, Organization, User
from bridge.sandbox.equa.store import Store
from bridge.sandbox.site.demo_events import DEMO_EVENTS

_ADMINISTRATE = frozenset({"editMembers", "editOrganizationDetails"})
"""Any of these permissions makes an administrator, as the bridge sees it."""


def view(store: Store, user: UUID | None, bridge_url: str) -> dict[str, Any]:
    """Return the present person, the people to choose from and the organizations."""
    mine = list(store.organizations_of(user)) if user else []
    others = [organization for organization in store.organizations.values() if organization not in mine]
    return {
        "me": _person(store, store.users[user]) if user else None,
        "people": [_person(store, each) for each in _people(store)],
        "organizations": [_organization(store, organization, user, bridge_url) for organization in mine],
        "others": [_summary(organization, bridge_url) for organization in others],
        "events": [{"kind": kind, "label": each.label} for kind, each in DEMO_EVENTS.items()],
    }


def _people(store: Store) -> Iterator[User]:
    """Yield who can be picked: everybody but service accounts."""
    return (user for user in store.users.values() if user.enabled and not user.site_permissions)


def _person(store: Store, user: User) -> dict[str, Any]:
    lines = [
        f"{member.title or 'Member'}, {organization.name}"
        for organization in store.organizations_of(user.id)
        for member in store.memberships(organization.id, user.id)[:1]
    ]
    return {
        "id": str(user.id),
        "name": name_of(user),
        "about": lines or ["In no organization"],
    }


def name_of(user: User) -> str:
    """Return the full name."""
    return f"{user.first_name} {user.last_name}".strip()


def _summary(organization: Organization, bridge_url: str) -> dict[str, Any]:
    return {
        "id": str(organization.id),
        "name": organization.name,
        "messaging": f"{bridge_url}/messaging/{organization.id}?channel=agent",
    }


def _organization(
    store: Store, organization: Organization, user: UUID | None, bridge_url: str
) -> dict[str, Any]:
    is_admin = user is not None and _ADMINISTRATE & store.permissions(organization.id, user)
    members = {member.user for member in organization.members.values()}
    candidates = [user for user in _people(store) if user.id not in members]
    return {
        **_summary(organization, bridge_url),
        "agent": f"{bridge_url}/messaging/{organization.id}/agent" if is_admin else None,
        "members": [_member(member) for member in organization.members.values()],
        "candidates": [{"id": str(user.id), "name": name_of(user)} for user in candidates],
    }


def _member(member: Member) -> dict[str, Any]:
    return {
        "person": str(member.user) if member.user else None,
        "name": member.full_name,
        "title": member.title or "Member",
    }
