"""The key by which a gateway on another host knows the bridge, still sealed."""

from dataclasses import dataclass

from asyncpg import Pool

from bridge.db.pool import database_errors


@dataclass(frozen=True, slots=True)
class GatewayDevice:
    pool: Pool

    @database_errors
    async def find(self) -> str | None:
        """Return the sealed key; None if there is none yet."""
        found: str | None = await self.pool.fetchval("select secret from gateway_device")
        return found

    @database_errors
    async def keep(self, sealed: str) -> str:
        """Store a key unless there is one; return the one that is stored then."""
        await self.pool.execute(
            "insert into gateway_device (secret) values ($1) on conflict (id) do nothing", sealed
        )
        stored: str = await self.pool.fetchval("select secret from gateway_device")
        return stored

    @database_errors
    async def replace(self, was: str, sealed: str) -> None:
        """Store a text in place of another; one that has changed meanwhile stays."""
        await self.pool.execute("update gateway_device set secret = $2 where secret = $1", was, sealed)
