"""A pooler that keeps no sessions is refused, one that keeps them serves."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from bridge.db import locks
from bridge.db.inbox import CHANNEL
from bridge.db.migrate import migrate
from bridge.db.pool import connect, connect_and_wait, open_pool
from bridge.db.wakeups import wakeups
from bridge.errors import StartupError
from tests.support.pgbouncer import pgbouncer


@pytest.mark.parametrize("mode", ["transaction", "statement"])
async def test_a_pooler_that_keeps_no_sessions_is_refused(dsn: str, tmp_path: Path, mode: str) -> None:
    """Whoever connects first, and however many others it serves already."""
    async with pgbouncer(dsn, tmp_path, mode) as through:
        with pytest.raises(StartupError, match="pool_mode = session"):
            await migrate(through)
        with pytest.raises(StartupError, match="pool_mode = session"):
            await open_pool(through)
        others = [await connect(through, statement_cache_size=0) for _ in range(3)]
        await asyncio.gather(*(other.execute("begin") for other in others if mode == "transaction"))
        with pytest.raises(StartupError, match="pool_mode = session"):
            await connect_and_wait(through)
        for other in others:
            other.terminate()


async def test_a_pooler_that_keeps_sessions_serves(dsn: str, tmp_path: Path) -> None:
    """With locks, LISTEN and prepared statements."""
    async with (
        pgbouncer(dsn, tmp_path, "session") as through,
        await open_pool(through) as pool,
        locks.opened(through) as held,
        asyncio.TaskGroup() as group,
    ):
        woken = asyncio.Event()
        listening = group.create_task(wakeups(through, CHANNEL, woken))
        await woken.wait()
        woken.clear()
        async with held.acquire("a key"):
            await pool.execute("select pg_notify($1, '')", CHANNEL)
            await woken.wait()
        listening.cancel()


async def test_postgresql_itself_is_no_pooler(dsn: str) -> None:
    connection = await connect_and_wait(dsn)

    assert isinstance(connection, asyncpg.Connection)
    await connection.close()
