"""One embedded PostgreSQL for a whole test session, and a database without rows for each test."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from bridge.db.migrate import migrate
from bridge.embedded import run
from tests.support.databases import Databases, opened, with_database

TEMPLATE = "migrated"

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Server:
    """A server's databases, and the event loop that they are used on: tests come and go with theirs."""

    databases: Databases
    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event

    async def call(self, work: Coroutine[Any, Any, _T]) -> _T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.loop))


_SERVERS: dict[str, _Server] = {}
"""By DSN."""


@contextmanager
def served(data_dir: Path) -> Iterator[str]:
    """Run a server beside synchronous code, in a thread that lives as long as it does.

    The thread matters: the server ends with the thread that started it.
    """
    started: Future[str] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        async with run(data_dir, fsync=False) as dsn:
            await _prepare(dsn)
            async with Databases.of(dsn) as databases:
                _SERVERS[dsn] = _Server(databases, asyncio.get_running_loop(), stop)
                started.set_result(dsn)
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
        dsn = started.result(timeout=120)
        try:
            yield dsn
        finally:
            server = _SERVERS.pop(dsn)
            server.loop.call_soon_threadsafe(server.stop.set)
    finally:
        thread.join()


async def _prepare(dsn: str) -> None:
    async with opened(dsn) as connection:
        # What it does to a database cannot be told from what a test might have done to it.
        await connection.execute("alter system set autovacuum = off")
        # Thousands of connections are opened: keys derived from a random password, and proofs that both sides
        # know it, are time for nothing.
        await connection.execute("set scram_iterations = 1")
        await connection.execute(f"alter role current_user password '{urlsplit(dsn).password}'")
        _ask_for_passwords(Path(await connection.fetchval("show hba_file")))
        await connection.execute("select pg_reload_conf()")
        await connection.execute(f"create database {TEMPLATE}")
    await migrate(with_database(dsn, TEMPLATE))


def _ask_for_passwords(rules: Path) -> None:
    rules.write_text("local all all password\n")


@asynccontextmanager
async def fresh_database(dsn: str, *, template: str = TEMPLATE) -> AsyncIterator[str]:
    """Give a database of its own to a test: a migrated one without rows, or a copy of another template.

    A migrated database is emptied afterwards and serves again, which takes a hundredth of the time.
    """
    server = _SERVERS[dsn]
    if template != TEMPLATE:
        own = await server.call(server.databases.create(template))
        yield own
        await server.call(server.databases.drop(own))
        return
    database = await server.call(server.databases.take(template))
    yield database.dsn
    await server.call(server.databases.give_back(database))


async def expire_leases(dsn: str) -> None:
    """Let the time pass that the jobs of a dead process are left to it."""
    async with opened(dsn) as connection:
        await connection.execute("update jobs set lease = now() where state = 'running'")


async def jobs(dsn: str) -> set[tuple[str, str]]:
    """Return the kind and the state of each job."""
    async with opened(dsn) as connection:
        return {(row["kind"], row["state"]) for row in await connection.fetch("select kind, state from jobs")}
