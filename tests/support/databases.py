"""Databases for tests: made from a template, and emptied for the next test where that is safe."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit
from uuid import uuid4

from asyncpg import Connection, InterfaceError, PostgresError

from bridge.db.pool import connect

_MOST_BYTES = 8_000_000
"""Size of the tables and indexes at which they begin anew: dead rows make later tests slower."""

_FINGERPRINT = """
select md5(string_agg(line, ' ' order by line)) from (
    select concat_ws(':', oid, xmin, relpages, reltuples) as line from pg_class where oid >= 16384
    union all select concat_ws(':', attrelid, attnum, xmin) from pg_attribute where attrelid >= 16384
    union all select concat_ws(':', oid, xmin) from pg_constraint where oid >= 16384
    union all select concat_ws(':', oid, xmin) from pg_trigger where oid >= 16384
    union all select concat_ws(':', oid, xmin) from pg_proc where oid >= 16384
    union all select concat_ws(':', oid, xmin) from pg_type where oid >= 16384
    union all select concat_ws(':', oid, xmin) from pg_namespace
    union all select concat_ws(':', setdatabase, setrole, setconfig) from pg_db_role_setting
    union all select concat_ws(':', version, name, sha256) from schema_migrations
)
"""
"""Of everything but rows: a statement that defines, vacuums or analyzes something changes it."""

_TABLES = """
select oid::regclass::text from pg_class
where relkind = 'r' and relnamespace = 'public'::regnamespace and relname <> 'schema_migrations'
"""
_SIZE = "select sum(pg_relation_size(oid)) from pg_class where oid >= 16384 and relkind in ('r', 'i', 't')"
_RESTART_SEQUENCES = """
select setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
from pg_sequences where last_value is not null
"""
_OTHER_SESSIONS = """
select count(*) from pg_stat_activity
where datname = $1 and pid <> $2 and backend_type = 'client backend'
"""
_END_SESSIONS = """
select pg_terminate_backend(pid, 10000) from pg_stat_activity
where datname = $1 and pid <> pg_backend_pid() and backend_type = 'client backend'
"""


@dataclass(slots=True)
class Database:
    """A migrated database, with a connection that is kept: a new one takes ten times as long to empty it."""

    dsn: str
    connection: Connection
    fingerprint: str

    @property
    def name(self) -> str:
        return _name(self.dsn)


def with_database(dsn: str, name: str) -> str:
    """Return the DSN of another database of the same server."""
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[Connection]:
    """Open one connection."""
    connection = await connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


class Databases:
    """The databases of one server, all used from one event loop."""

    def __init__(self, server: Connection, dsn: str) -> None:
        self._server = server
        self._dsn = dsn
        self._idle: list[Database] = []
        self._turn = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def of(cls, dsn: str) -> AsyncIterator[Self]:
        """Give the databases of the server with this DSN; their connections are closed in the end."""
        async with opened(dsn) as server:
            databases = cls(server, dsn)
            yield databases
            for each in databases._idle:
                await each.connection.close()

    async def create(self, template: str) -> str:
        """Create a database and return its DSN."""
        async with self._turn:
            return await self._create(template)

    async def drop(self, dsn: str) -> None:
        """Drop the database of this DSN, whoever is still connected to it."""
        async with self._turn:
            await self._drop(dsn)

    async def take(self, template: str) -> Database:
        """Return a database without rows, which nobody else is connected to."""
        async with self._turn:
            while self._idle:
                database = self._idle.pop()
                if await self._is_left(database):
                    return database
                await self._discard(database)
            dsn = await self._create(template)
            connection = await connect(dsn)
            await connection.execute("set session_replication_role = replica")
            return Database(dsn, connection, await connection.fetchval(_FINGERPRINT))

    async def give_back(self, database: Database) -> None:
        """Keep the database for the next test, or drop it when the test did more to it than store rows."""
        async with self._turn:
            try:
                if not await self._is_left(database):
                    await self._take_from_everybody(database)
                reusable = await _empty(database)
            except (PostgresError, InterfaceError):
                reusable = False
            if reusable:
                self._idle.append(database)
            else:
                await self._discard(database)

    async def _is_left(self, database: Database) -> bool:
        """Whether all sessions of the test end by themselves, which takes the server a moment."""
        pid = database.connection.get_server_pid()
        for pause in (0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1):
            await asyncio.sleep(pause)
            if not await self._server.fetchval(_OTHER_SESSIONS, database.name, pid):
                return True
        return False

    async def _take_from_everybody(self, database: Database) -> None:
        """End all sessions and change the name, so that a leftover of the test cannot come back."""
        await database.connection.close()
        await self._server.execute(_END_SESSIONS, database.name)
        name = _new_name()
        await self._server.execute(f"alter database {database.name} rename to {name}")
        database.dsn = with_database(database.dsn, name)
        database.connection = await connect(database.dsn)
        await database.connection.execute("set session_replication_role = replica")

    async def _create(self, template: str) -> str:
        name = _new_name()
        await self._server.execute(f"create database {name} template {template}")
        return with_database(self._dsn, name)

    async def _drop(self, dsn: str) -> None:
        await self._server.execute(f"drop database {_name(dsn)} with (force)")

    async def _discard(self, database: Database) -> None:
        database.connection.terminate()
        await self._drop(database.dsn)


async def _empty(database: Database) -> bool:
    """Delete all rows; return whether the database is then as good as a new one."""
    connection = database.connection
    tables = [table for (table,) in await connection.fetch(_TABLES)]
    # No foreign keys: the order of the tables does not matter.
    if tables:
        await connection.execute("; ".join(f"delete from {table}" for table in tables))
    await connection.fetch(_RESTART_SEQUENCES)
    if await connection.fetchval(_FINGERPRINT) != database.fingerprint:
        return False
    if await connection.fetchval(_SIZE) > _MOST_BYTES:
        await connection.execute(f"truncate {', '.join(tables)}")
        database.fingerprint = await connection.fetchval(_FINGERPRINT)
    return True


def _name(dsn: str) -> str:
    return urlsplit(dsn).path[1:]


def _new_name() -> str:
    return f"test_{uuid4().hex}"
