"""Up to where each channel was read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from asyncpg import Pool, Record

from bridge.db.gathered import Gathered
from bridge.db.pool import database_errors
from bridge.models.chat import ChannelId, Position, PostId

_COLUMNS = "channel_id, post_id, create_at, begin_at"


def _from_row(row: Record) -> Position:
    return Position(ChannelId(row["channel_id"]), PostId(row["post_id"]), row["create_at"], row["begin_at"])


@dataclass(slots=True)
class Positions:
    """The positions, and when this database was first served. `Inbox.put_all` moves them forward."""

    pool: Pool
    _wanted: Gathered[ChannelId, Position | None] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._wanted = Gathered(self._of_all)

    @database_errors
    async def all(self) -> Mapping[ChannelId, Position]:
        rows = await self.pool.fetch(f"select {_COLUMNS} from positions")  # noqa: S608  # a constant
        return {position.channel_id: position for position in map(_from_row, rows)}

    @database_errors
    async def of(self, channel_id: ChannelId) -> Position | None:
        return await self._wanted.add(channel_id)

    async def _of_all(self, channel_ids: Sequence[ChannelId]) -> list[Position | None]:
        rows = await self.pool.fetch(
            f"select {_COLUMNS} from positions where channel_id = any($1::text[])",  # noqa: S608  # a constant
            channel_ids,
        )
        known = {position.channel_id: position for position in map(_from_row, rows)}
        return [known.get(channel_id) for channel_id in channel_ids]

    @database_errors
    async def put_back(self, after: int, to: int) -> Sequence[ChannelId]:
        """Put positions that are after a moment (milliseconds) back to another; return their channels."""
        rows = await self.pool.fetch(
            """update positions
               set post_id = '', create_at = $2, begin_at = least(begin_at, $1), modified = now()
               where create_at > $1 returning channel_id""",
            after,
            to,
        )
        return [ChannelId(row["channel_id"]) for row in rows]

    @database_errors
    async def started_at(self) -> int | None:
        """Return when the first start was, in Mattermost's milliseconds; None before it."""
        started: int | None = await self.pool.fetchval("select started_at from bridge_state")
        return started

    @database_errors
    async def begin(self, started_at: int, positions: Iterable[Position]) -> None:
        """Remember the first start and where the channels then were; a repeat changes nothing."""
        async with self.pool.acquire() as connection, connection.transaction():
            first = await connection.fetchval(
                "insert into bridge_state (started_at) values ($1) on conflict do nothing returning 1",
                started_at,
            )
            if first:
                await connection.executemany(
                    f"insert into positions ({_COLUMNS}) values ($1, $2, $3, $4) on conflict do nothing",  # noqa: S608  # a constant
                    [(p.channel_id, p.post_id, p.create_at, p.begin_at) for p in positions],
                )
