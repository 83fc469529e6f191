"""What a sandbox Equa keeps."""

from dataclasses import dataclass, field
from uuid import UUID


@dataclass(slots=True)
class User:
    id: UUID
    email: str
    username: str
    first_name: str
    last_name: str
    password: str = field(repr=False)
    email_verified: bool = True
    enabled: bool = True
    site_permissions: frozenset[str] = frozenset()
    """Held in every organization, through a site-level role."""


@dataclass(slots=True)
class Role:
    """A named set of permissions; the name is free text."""

    id: UUID
    name: str
    permissions: frozenset[str]


@dataclass(slots=True)
class Member:
    """A line of a roster; `user` is empty for companies and for people who have not registered."""

    id: UUID
    full_name: str
    email: str
    organization: UUID
    user: UUID | None = None
    is_individual: bool = True
    title: str = ""
    roles: tuple[Role, ...] = ()


@dataclass(slots=True)
class Organization:
    id: UUID
    name: str
    members: dict[UUID, Member] = field(default_factory=dict)


@dataclass(slots=True)
class Session:
    id: str
    user: UUID
    expires: float
    """Seconds, by the store's clock."""
