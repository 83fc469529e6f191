"""Databases for tests: made from a template, and emptied for the next test where that is safe."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

from asyncpg import Connection, PostgresError

from bridge.db.pool import connect

_MOST_ROWS = 2000
"""Rows that may be deleted from a database before it is dropped: dead rows make later tests slower."""

_IDLE: dict[str, list["Database"]] = defaultdict(list)
"""Empty databases by the DSN of their server."""

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
_RESTART_SEQUENCES = """
select setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
from pg_sequences where last_value is not null
"""
_END_SESSIONS = """
select pg_terminate_backend(pid, 10000) from pg_stat_activity
where datname = $1 and pid <> pg_backend_pid() and backend_type = 'client backend'
"""


@dataclass(slots=True)
class Database:
    """A migrated database; `rows` were deleted from it so far."""

    dsn: str
    fingerprint: str
    rows: int = 0

    @property
    def name(self) -> str:
        return urlsplit(self.dsn).path[1:]


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


async def create(server: Connection, dsn: str, template: str) -> str:
    """Create a database on the server of this DSN and return its own DSN."""
    name = _new_name()
    await server.execute(f"create database {name} template {template}")
    return with_database(dsn, name)


async def drop(server: Connection, dsn: str) -> None:
    """Drop the database of this DSN, whoever is still connected to it."""
    await server.execute(f"drop database {urlsplit(dsn).path[1:]} with (force)")


async def take(server: Connection, dsn: str, template: str) -> Database:
    """Return a database without rows."""
    if _IDLE[dsn]:
        return _IDLE[dsn].pop()
    own = await create(server, dsn, template)
    async with opened(own) as connection:
        return Database(own, await connection.fetchval(_FINGERPRINT))


async def give_back(server: Connection, dsn: str, database: Database) -> None:
    """Keep the database for the next test, or drop it when the test did more to it than store rows."""
    try:
        await _take_from_everybody(server, database)
        reusable = await _empty(database)
    except PostgresError:
        reusable = False
    if reusable:
        _IDLE[dsn].append(database)
    else:
        await drop(server, database.dsn)


async def _take_from_everybody(server: Connection, database: Database) -> None:
    """End all sessions and change the name, so that a leftover of the last test cannot come back."""
    await server.execute(_END_SESSIONS, database.name)
    name = _new_name()
    await server.execute(f"alter database {database.name} rename to {name}")
    database.dsn = with_database(database.dsn, name)


async def _empty(database: Database) -> bool:
    """Delete all rows; return whether the database is then as good as a new one."""
    async with opened(database.dsn) as connection:
        # No foreign keys: the order of the tables does not matter.
        await connection.execute("set session_replication_role = replica")
        for (table,) in await connection.fetch(_TABLES):
            database.rows += int((await connection.execute(f"delete from {table}")).split()[1])
        await connection.fetch(_RESTART_SEQUENCES)
        fingerprint = await connection.fetchval(_FINGERPRINT)
    return database.rows <= _MOST_ROWS and fingerprint == database.fingerprint


def _new_name() -> str:
    return f"test_{uuid4().hex}"
