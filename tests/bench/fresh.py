"""Hosts on a database of their own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bridge import embedded
from bridge.db.migrate import migrate
from bridge.db.pool import open_pool
from tests.support.hosts import Hosts, hosts


@asynccontextmanager
async def fresh_hosts(folder: Path) -> AsyncIterator[Hosts]:
    """Build hosts on an embedded database that syncs to disk, as in production."""
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(embedded.run(folder / "data"))
        await migrate(dsn)
        pool = await stack.enter_async_context(await open_pool(dsn))
        yield await stack.enter_async_context(hosts(dsn, pool))
