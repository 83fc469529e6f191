"""When things that are done now and then were last done, whichever process did them."""

from dataclasses import dataclass
from datetime import timedelta

from asyncpg import Pool

from bridge.db.pool import database_errors


@dataclass(frozen=True, slots=True)
class PeriodicTasks:
    pool: Pool

    @database_errors
    async def age(self, name: str) -> timedelta | None:
        """Return how long ago it was done, None if never."""
        age: timedelta | None = await self.pool.fetchval(
            "select now() - finished from chores where name = $1", name
        )
        return age

    @database_errors
    async def since(self, name: str) -> timedelta:
        """Return how long ago this was first asked, by whichever process: just now if never before."""
        age: timedelta = await self.pool.fetchval(
            """insert into chores (name, finished) values ($1, now())
               on conflict (name) do update set finished = chores.finished
               returning now() - finished""",
            name,
        )
        return age

    @database_errors
    async def done(self, name: str) -> None:
        """Note that it was done just now."""
        await self.pool.execute(
            """insert into chores (name, finished) values ($1, now())
               on conflict (name) do update set finished = excluded.finished""",
            name,
        )
