"""What leads a browser through Mattermost's GitLab sign-in, of which the bridge is the provider.

Each step has a random value that is good once and for a minute: a browser that has shown its ticket
(`browser`), or that Equa has just confirmed (`confirmed`), gets a `code`, and Mattermost an `access` token
for it. Only digests are stored. Whoever has left their last organization has none of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from asyncpg import Pool, Record

from bridge.db.pool import database_errors
from bridge.models.accounts import Owner
from bridge.models.chat import UserId
from bridge.models.equa import PersonId

LIFETIME = timedelta(seconds=60)

_REMEMBERED = timedelta(minutes=4)
"""How long after an answer Mattermost may make a session of it: the desktop app has three minutes
(`DesktopTokenTTL` in server/public/model/desktop_token.go)."""

_ANSWERED = b"answered"
"""In place of a proof, in an access token that was used."""

Start = Literal["browser", "confirmed"]
"""What a browser can begin with."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who a code is for: an OAuth client and the address that it is brought to."""

    client_id: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class NewCode:
    """A code that is to be stored."""

    digest: bytes
    client: Client
    state: bytes
    """The digest of the `state` that Mattermost has sent along."""


@dataclass(frozen=True, slots=True)
class SignIns:
    pool: Pool

    @database_errors
    async def begin(self, digest: bytes, start: Start, person: PersonId, proof: bytes | None = None) -> None:
        """Store what a browser begins with; `proof` is the digest of what it must also bring."""
        await self.pool.execute(
            """insert into sign_ins (hash, purpose, person_id, proof, expires)
               values ($1, $2, $3, $4, now() + $5::interval)""",
            digest,
            start,
            person,
            proof,
            LIFETIME,
        )

    @database_errors
    async def use_for_code(
        self, digest: bytes, start: Start, proof: bytes | None, code: NewCode
    ) -> PersonId | None:
        """Exchange what a browser begins with for a code, bound to the client and to its `state`.

        Returns whose it is; None, and no code, if it is unknown, used, expired, without its proof, or its
        person is in no organization. It is used up all the same: another browser has come by it.
        """
        found: PersonId | None = await self.pool.fetchval(
            """
            with used as (delete from sign_ins where hash = $1 and purpose = $2 returning *)
            insert into sign_ins (hash, purpose, person_id, client_id, redirect_uri, proof, expires)
            select $4, 'code', used.person_id, $5, $6, $7, now() + $8::interval from used
            where used.expires > now() and used.proof is not distinct from $3 and exists (
                select from memberships m where m.person_id = used.person_id and m.state = 'joined'
            )
            returning person_id
            """,
            digest,
            start,
            proof,
            code.digest,
            code.client.client_id,
            code.client.redirect_uri,
            code.state,
            LIFETIME,
        )
        return found

    @database_errors
    async def is_for(self, code: bytes, state: bytes) -> bool:
        """Return whether a code is good and was given for this `state`; it stays good."""
        found: bool = await self.pool.fetchval(
            """select exists (
                   select from sign_ins
                   where hash = $1 and purpose = 'code' and proof = $2 and expires > now())""",
            code,
            state,
        )
        return found

    @database_errors
    async def use_for_access(self, code: bytes, client: Client, access: bytes) -> bool:
        """Exchange a code for an access token; False if the code is not good for this client.

        It is used up all the same: whoever brings it from elsewhere has stolen it.
        """
        found = await self.pool.fetchval(
            """
            with used as (delete from sign_ins where hash = $1 and purpose = 'code' returning *)
            insert into sign_ins (hash, purpose, person_id, client_id, redirect_uri, expires)
            select $2, 'access', person_id, client_id, redirect_uri, now() + $5::interval from used
            where expires > now() and client_id = $3 and redirect_uri = $4
            returning true
            """,
            code,
            access,
            client.client_id,
            client.redirect_uri,
            LIFETIME,
        )
        return found is not None

    @database_errors
    async def use_access(self, access: bytes) -> Owner | None:
        """Use an access token up; None if it is not good, or its person is in no organization any more.

        It is remembered for as long as Mattermost may make a session of it: see `late`.
        """
        row = await self.pool.fetchrow(
            """
            with used as (
                update sign_ins set proof = $2, expires = now() + $3::interval
                where hash = $1 and purpose = 'access' and proof is null and expires > now()
                returning person_id
            )
            select used.person_id, u.mattermost_user_id as user_id
            from used join mattermost_user_mappings u on u.id = used.person_id
            where exists (
                select from memberships m where m.person_id = used.person_id and m.state = 'joined'
            )
            """,
            access,
            _ANSWERED,
            _REMEMBERED,
        )
        return _owner(row) if row else None

    @database_errors
    async def late(self) -> Sequence[Owner]:
        """Return who was answered for lately and is in no organization any more.

        Mattermost may have made their session after all of them were ended.
        """
        rows = await self.pool.fetch(
            """
            select distinct s.person_id, u.mattermost_user_id as user_id
            from sign_ins s join mattermost_user_mappings u on u.id = s.person_id
            where s.purpose = 'access' and s.proof = $1 and s.expires > now() and not exists (
                select from memberships m where m.person_id = s.person_id and m.state in ('joining', 'joined')
            )
            """,
            _ANSWERED,
        )
        return list(map(_owner, rows))

    @database_errors
    async def end(self, person: PersonId) -> None:
        """Make everything void that a person has begun."""
        await self.pool.execute(
            """delete from sign_ins
               where person_id = $1 and not (purpose = 'access' and proof is not distinct from $2)""",
            person,
            _ANSWERED,
        )

    @database_errors
    async def purge(self) -> int:
        """Delete what has expired; return how much."""
        rows = await self.pool.fetch("delete from sign_ins where expires <= now() returning 1")
        return len(rows)


def _owner(row: Record) -> Owner:
    return Owner(PersonId(row["person_id"]), UserId(row["user_id"]))
