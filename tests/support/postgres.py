"""One embedded PostgreSQL for a whole test session, and a fresh database for each test."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from bridge.db.migrate import migrate
from bridge.db.pool import connect
from bridge.embedded import run

TEMPLATE = "migrated"


def with_database(dsn: str, name: str) -> str:
    """Return the DSN of another database of the same server."""
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()


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
    connection = await connect(dsn)
    try:
        await connection.execute(f"create database {TEMPLATE}")
    finally:
        await connection.close()
    await migrate(with_database(dsn, TEMPLATE))


@asynccontextmanager
async def fresh_database(dsn: str, *, template: str = TEMPLATE) -> AsyncIterator[str]:
    """Create a database from the template, and drop it afterwards, whoever is still connected."""
    name = f"test_{uuid4().hex}"
    connection = await connect(dsn)
    try:
        await connection.execute(f"create database {name} template {template}")
        yield with_database(dsn, name)
        await connection.execute(f"drop database {name} with (force)")
    finally:
        await connection.close()


async def expire_leases(dsn: str) -> None:
    """Let the time pass that the jobs of a dead process are left to it."""
    connection = await connect(dsn)
    try:
        await connection.execute("update jobs set lease = now() where state = 'running'")
    finally:
        await connection.close()


async def jobs(dsn: str) -> set[tuple[str, str]]:
    """Return the kind and the state of each job."""
    connection = await connect(dsn)
    try:
        return {(row["kind"], row["state"]) for row in await connection.fetch("select kind, state from jobs")}
    finally:
        await connection.close()
