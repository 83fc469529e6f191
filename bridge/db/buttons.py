"""What the buttons below the bot's posts mean, by the digests of their secrets."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.models.buttons import Button, ButtonPurpose, digest_of
from bridge.models.chat import PostId


@dataclass(frozen=True, slots=True)
class Buttons:
    """An attempt that has died may have left its buttons in a post: they go on being good."""

    pool: Pool

    @database_errors
    async def add(self, buttons: Mapping[str, Button]) -> None:
        """Store buttons by their secrets, before they are posted."""
        await self.pool.executemany(
            """insert into buttons (digest, purpose, subject, choice, organization_id, channel_id)
               values ($1, $2, $3, $4, $5, $6)""",
            [
                (digest_of(secret), b.purpose, b.subject, b.choice, b.organization_id, b.channel_id)
                for secret, b in buttons.items()
            ],
        )

    @database_errors
    async def posted(self, purpose: ButtonPurpose, subject: str, post: PostId) -> None:
        """Bind buttons to the post that they stand below."""
        await self.pool.execute(
            "update buttons set post_id = $3 where purpose = $1 and subject = $2", purpose, subject, post
        )

    @database_errors
    async def find(self, secret: str) -> Button | None:
        """Return what the button of a secret means; None if there is none."""
        row = await self.pool.fetchrow(
            """select purpose, subject, choice, organization_id, channel_id, post_id
               from buttons where digest = $1""",
            digest_of(secret),
        )
        return Button(**dict(row.items())) if row else None

    @database_errors
    async def purge(self, age: timedelta) -> None:
        """Delete buttons that are older."""
        await self.pool.execute("delete from buttons where created < now() - $1::interval", age)
