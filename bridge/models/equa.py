"""Equa's organizations, people and rosters. Pure: no I/O is imported here."""

from dataclasses import dataclass
from typing import NewType
from uuid import UUID

OrganizationId = NewType("OrganizationId", UUID)
"""An Equa organization."""

PersonId = NewType("PersonId", UUID)
"""An Equa user."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in to Equa; what Equa leaves out is an empty text."""

    id: PersonId
    email: str
    email_verified: bool
    username: str
    name: str
    email_of_account: bool = False
    """Whether a roster names the address as their account's own: good enough to write to, not to take an
    account over for."""
    nickname: str = ""

    @property
    def has_own_email(self) -> bool:
        """Whether the address is surely theirs, and no slip of whoever has put them on a roster."""
        return self.email_verified or self.email_of_account


@dataclass(frozen=True, slots=True)
class Organization:
    """An Equa organization; `name` is empty where Equa listed it without one."""

    id: OrganizationId
    name: str


@dataclass(frozen=True, slots=True)
class Organizations:
    """The organizations that somebody belongs to; `complete` says whether there are surely no others."""

    found: tuple[Organization, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A line of an organization's roster: a person, a company or a trust, with an account or without."""

    person_id: PersonId | None
    """Whose account; none for companies and for people who are invited but have not registered."""
    email: str
    name: str
    is_individual: bool
    email_of_account: bool = False
    """Whether the address is the account's own; else an administrator of the organization has typed it."""
    nickname: str = ""


@dataclass(frozen=True, slots=True)
class Roster:
    """All members of an organization."""

    members: tuple[Member, ...]
    problems: tuple[str, ...] = ()
    """A sentence for each line that could not be read; while there are any, who is missing above need not
    have left."""
