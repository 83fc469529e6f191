"""The processes on this database, by what they say of themselves."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import timedelta
from uuid import UUID

from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.models.status import Heartbeat, ProcessStatus

ALIVE = timedelta(seconds=20)
"""A process that has said nothing for so long counts as dead; it says something every five seconds."""


@dataclass(frozen=True, slots=True)
class Processes:
    pool: Pool

    @database_errors
    async def beat(self, heartbeat: Heartbeat) -> None:
        """Store what a process says of itself."""
        await self.pool.execute(
            """insert into processes (id, host, pid, version, started, socket, last_frame, queue, unread)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
               on conflict (id) do update set
                   seen = now(), socket = excluded.socket, last_frame = excluded.last_frame,
                   queue = excluded.queue, unread = excluded.unread""",
            *astuple(heartbeat),
        )

    @database_errors
    async def forget(self, process: UUID) -> None:
        """Forget a process that ends."""
        await self.pool.execute("delete from processes where id = $1", process)

    @database_errors
    async def alive(self) -> Sequence[ProcessStatus]:
        rows = await self.pool.fetch(
            """select host, pid, version, socket, queue, unread,
                      extract(epoch from now() - p.started)::float8 as up,
                      extract(epoch from now() - seen)::float8 as seen,
                      extract(epoch from seen - last_frame)::float8 as heard,
                      (select count(*)::int from jobs where state = 'running' and holder = p.id) as jobs
               from processes p where seen > now() - $1::interval order by host, pid""",
            ALIVE,
        )
        return [ProcessStatus(**dict(row.items())) for row in rows]

    @database_errors
    async def purge(self) -> None:
        """Forget processes that ended without a word a day ago."""
        await self.pool.execute("delete from processes where seen < now() - interval '1 day'")
