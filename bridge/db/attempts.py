"""Accounts and teams that are being created, so that an interrupted attempt is recognized.

The mark is random and stored before anything is created with it. Nobody else can know it by then, so what
carries the mark of an attempt was made by that attempt. Whoever records the result deletes the attempt in
the same statement, because from then on others may have seen the mark. Its end identifies the person or
organization, even when no table knows of it any more.
"""

import secrets
from dataclasses import dataclass
from hashlib import sha256

from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.models.equa import OrganizationId, PersonId


@dataclass(frozen=True, slots=True)
class Attempt:
    mark: str
    name: str
    """The last name that was tried."""


@dataclass(frozen=True, slots=True)
class Attempts:
    pool: Pool

    @database_errors
    async def find(self, key: str) -> Attempt | None:
        row = await self.pool.fetchrow("select mark, name from attempts where key = $1", key)
        return Attempt(**dict(row.items())) if row else None

    @database_errors
    async def begin(self, key: str, name: str) -> str:
        """Note that the name is tried now, and return the mark: the same for all tries of one attempt."""
        mark: str = await self.pool.fetchval(
            """insert into attempts (key, mark, name) values ($1, $2, $3)
               on conflict (key) do update set name = excluded.name
               returning mark""",
            key,
            secrets.token_hex(16) + _end(key),
            name,
        )
        return mark


def is_made_for(key: str, mark: str) -> bool:
    """Return whether a mark looks like one of an attempt with that key; anybody can make one."""
    return mark.endswith(_end(key))


def number_of(mark: str) -> int:
    """Return the mark as a positive 63-bit number, as unlikely to be another's as the mark itself."""
    return int(mark[:16], 16) >> 1 or 1


def _end(key: str) -> str:
    return f"-{sha256(key.encode()).hexdigest()[:16]}"


def of_person(person: PersonId) -> str:
    """Return the key of a person's attempt."""
    return f"person:{person}"


def of_organization(organization: OrganizationId) -> str:
    """Return the key of an organization's attempt."""
    return f"organization:{organization}"
