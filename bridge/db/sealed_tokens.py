"""The stored tokens, still sealed, and the keys that sealed them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.models.equa import PersonId

_KEY = "split_part(personal_access_token, ':', 2)"
"""The id of the key in the text form of a sealed value, see `bridge.secrets.key_ring`."""

FIRST = PersonId(UUID(int=0))
"""The id before all others; nobody has it."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A person's token as it is stored."""

    person: PersonId
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SealedTokens:
    pool: Pool

    @database_errors
    async def fingerprints(self) -> Mapping[str, str]:
        """Return the fingerprint of each key as it was when last used."""
        rows = await self.pool.fetch("select id, fingerprint from token_keys")
        return {row["id"]: row["fingerprint"] for row in rows}

    @database_errors
    async def record(self, fingerprints: Mapping[str, str]) -> None:
        """Say which key each of these ids stands for now."""
        await self.pool.execute(
            """insert into token_keys (id, fingerprint) select * from unnest($1::text[], $2::text[])
               on conflict (id) do update set fingerprint = excluded.fingerprint, first_used = now()
               where token_keys.fingerprint <> excluded.fingerprint""",
            list(fingerprints),
            list(fingerprints.values()),
        )

    @database_errors
    async def counts(self) -> Mapping[str, int]:
        """Return how many tokens each key has sealed, the device's key among them.

        A key that has sealed none is left out.
        """
        rows = await self.pool.fetch(
            f"""select id, count(*) as tokens from (
                    select {_KEY} as id from mattermost_user_mappings where personal_access_token is not null
                    union all select split_part(secret, ':', 2) from gateway_device
                ) sealed group by id order by id"""  # noqa: S608  # a constant
        )
        return {row["id"]: row["tokens"] for row in rows}

    @database_errors
    async def sealed_with_others(self, key: str, *, after: PersonId, limit: int) -> Sequence[Sealed]:
        """Return tokens that another key has sealed, by person, beginning after one of them."""
        rows = await self.pool.fetch(
            f"""select id, personal_access_token from mattermost_user_mappings
                where id > $1 and personal_access_token is not null and {_KEY} <> $2
                order by id limit $3""",  # noqa: S608  # a constant
            after,
            key,
            limit,
        )
        return [Sealed(PersonId(row["id"]), row["personal_access_token"]) for row in rows]

    @database_errors
    async def replace(self, tokens: Sequence[tuple[Sealed, str]]) -> int:
        """Store these texts in place of the others; returns how many.

        A token that has changed meanwhile stays.
        """
        # Locked in one order: two processes that do this at once wait for each other, but not in a circle.
        rows = await self.pool.fetch(
            """
            with unchanged as materialized (
                select m.id, new.text from mattermost_user_mappings m
                join unnest($1::uuid[], $2::text[], $3::text[]) as new(id, was, text)
                    on m.id = new.id and m.personal_access_token = new.was
                order by m.id for update of m
            )
            update mattermost_user_mappings m set personal_access_token = unchanged.text
            from unchanged where m.id = unchanged.id
            returning m.id
            """,
            [was.person for was, _ in tokens],
            [was.text for was, _ in tokens],
            [text for _, text in tokens],
        )
        return len(rows)

    @database_errors
    async def drop(self, key: str) -> bool:
        """Forget a key; False while a token is sealed with it."""
        dropped = await self.pool.fetchval(
            f"""with used as (select 1 from mattermost_user_mappings where {_KEY} = $1
                              union all select 1 from gateway_device where split_part(secret, ':', 2) = $1
                              limit 1),
                     gone as (delete from token_keys where id = $1 and not exists (select from used))
                select not exists (select from used)""",  # noqa: S608  # a constant
            key,
        )
        return bool(dropped)

    @database_errors
    async def lose(self, key: str) -> int:
        """Forget a key and the tokens that it has sealed; returns how many.

        They are good still: the next visit of their person revokes them.
        """
        rows = await self.pool.fetch(
            f"""
            with gone as (delete from token_keys where id = $1),
                 device as (delete from gateway_device where split_part(secret, ':', 2) = $1)
            update mattermost_user_mappings
            set personal_access_token = null, token_id = null, token_created = null, token_digest = null,
                stray_tokens = true, modified = now()
            where {_KEY} = $1
            returning id
            """,  # noqa: S608  # a constant
            key,
        )
        return len(rows)
