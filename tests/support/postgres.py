"""One embedded PostgreSQL for a whole test session, and a database without rows for each test."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from bridge.db.migrate import migrate
from bridge.embedded import run
from tests.support import databases
from tests.support.databases import opened, with_database

TEMPLATE = "migrated"


@contextmanager
def served(data_dir: Path) -> Iterator[str]:
    """Run a server beside synchronous code, in a thread that lives as long as it does.

    The thread matters: the server ends with the thread that started it.
    """
    started: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        async with run(data_dir, fsync=False) as dsn:
            await _make_template(dsn)
            started.set_result((dsn, asyncio.get_running_loop(), stop))
            await stop.wait()

    def live() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=live, name="postgres for tests")
    thread.start()
    try:
        dsn, loop, stop = started.result(timeout=120)
        try:
            yield dsn
        finally:
            loop.call_soon_threadsafe(stop.set)
    finally:
        thread.join()


async def _make_template(dsn: str) -> None:
    async with opened(dsn) as connection:
        await connection.execute(f"create database {TEMPLATE}")
        # Thousands of connections are opened: deriving keys from a random password is time for nothing.
        await connection.execute("set scram_iterations = 1")
        await connection.execute(f"alter role current_user password '{urlsplit(dsn).password}'")
    await migrate(with_database(dsn, TEMPLATE))


@asynccontextmanager
async def fresh_database(dsn: str, *, template: str = TEMPLATE) -> AsyncIterator[str]:
    """Give a database of its own to a test: a migrated one without rows, or a copy of another template.

    A migrated database is emptied afterwards and serves again: that takes a fifth of the time of a new one.
    """
    async with opened(dsn) as server:
        if template != TEMPLATE:
            own = await databases.create(server, dsn, template)
            yield own
            await databases.drop(server, own)
            return
        database = await databases.take(server, dsn, template)
        yield database.dsn
        await databases.give_back(server, dsn, database)


async def expire_leases(dsn: str) -> None:
    """Let the time pass that the jobs of a dead process are left to it."""
    async with opened(dsn) as connection:
        await connection.execute("update jobs set lease = now() where state = 'running'")


async def jobs(dsn: str) -> set[tuple[str, str]]:
    """Return the kind and the state of each job."""
    async with opened(dsn) as connection:
        return {(row["kind"], row["state"]) for row in await connection.fetch("select kind, state from jobs")}
