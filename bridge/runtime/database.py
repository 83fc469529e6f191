"""The database of a command: `DATABASE_URL`, or PostgreSQL embedded in the data directory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bridge import embedded
from bridge.config import Settings
from bridge.db.migrate import ensure_migrated, migrate


@asynccontextmanager
async def own_database(settings: Settings) -> AsyncIterator[str]:
    """Yield the DSN of the migrated database; an embedded one ends with the context.

    Raises `StartupError`, for instance when another process owns the embedded database.
    """
    if settings.database_url:
        dsn = settings.database_url.get_secret_value()
        await migrate(dsn)
        yield dsn
        return
    async with embedded.run(settings.bridge_data_dir) as dsn:
        await migrate(dsn)
        yield dsn


@asynccontextmanager
async def any_database(settings: Settings) -> AsyncIterator[str]:
    """Yield the DSN for a command that may run beside the daemon: its embedded database is shared.

    A database that others may use is not brought to another version.
    """
    if settings.database_url:
        dsn = settings.database_url.get_secret_value()
        await ensure_migrated(dsn)
        yield dsn
        return
    running = embedded.dsn_of_running(settings.bridge_data_dir)
    if running:
        yield running
        return
    async with own_database(settings) as dsn:
        yield dsn
