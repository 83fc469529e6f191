"""People with sealed tokens in a database."""

from collections.abc import Sequence
from uuid import UUID

from asyncpg import Pool

from bridge.models.equa import PersonId
from bridge.secrets.key_ring import KeyRing, new_key
from bridge.secrets.token_sealing import open_token, seal_token
from provisioning.tokens import token_digest


def entry(key_id: str) -> str:
    """Return a fresh key as TOKEN_KEYS names it."""
    return f"{key_id}:{new_key()}"


def somebody(number: int) -> PersonId:
    return PersonId(UUID(int=number + 1))


def secret(number: int) -> str:
    return f"token{number:021}"


async def store_tokens(pool: Pool, ring: KeyRing, numbers: Sequence[int]) -> None:
    """Store for each number a person with a token, sealed with the first key."""
    await pool.executemany(
        """insert into mattermost_user_mappings
               (id, mattermost_user_id, personal_access_token, token_id, token_digest, token_created)
           values ($1, $2, $3, $4, $5, now())""",
        [
            (
                somebody(number),
                f"user{number:022}",
                seal_token(ring, somebody(number), secret(number)),
                f"id{number:024}",
                token_digest(secret(number)),
            )
            for number in numbers
        ],
    )


async def stored_texts(pool: Pool) -> dict[PersonId, str]:
    """Return the sealed tokens as they lie there."""
    rows = await pool.fetch(
        "select id, personal_access_token as text from mattermost_user_mappings"
        " where personal_access_token is not null order by id"
    )
    return {PersonId(row["id"]): row["text"] for row in rows}


async def opened_by(pool: Pool, ring: KeyRing) -> list[str]:
    """Open every stored token."""
    return [open_token(ring, person, text) for person, text in (await stored_texts(pool)).items()]
