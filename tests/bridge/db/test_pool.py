"""Connections, and what counts as none."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from bridge.db.pool import connect, connect_and_wait, database_errors, open_pool
from bridge.db.unavailable import is_unavailable
from bridge.errors import DatabaseUnavailable, StartupError
from bridge.models.chat import TeamId
from bridge.models.equa import OrganizationId
from tests.support.mappings import Mappings
from tests.support.relay import Relay


@database_errors
async def fetchval(pool: asyncpg.Pool, query: str, *args: Any) -> Any:
    return await pool.fetchval(query, *args)


async def test_json_is_python_values(pool: asyncpg.Pool) -> None:
    """jsonb and arrays of it go in and come out as dicts and lists."""
    values = [{"a": [1, None, "ü"]}, {}]

    assert await pool.fetchval("select $1::jsonb", values[0]) == values[0]
    assert await pool.fetchval("select $1::jsonb[]", values) == values


async def test_session_is_in_utc_and_has_a_name(pool: asyncpg.Pool) -> None:
    """Operators see who is connected; timestamps do not depend on the server's zone."""
    assert await pool.fetchval("show timezone") == "UTC"
    assert await pool.fetchval("show application_name") == "equabot-bridge"
    assert await pool.fetchval("select timestamptz '2026-01-02 03:04'") == datetime(
        2026, 1, 2, 3, 4, tzinfo=UTC
    )


async def test_statement_that_takes_too_long_is_unavailability(dsn: str) -> None:
    """A stuck database is told from a wrong statement."""
    async with await open_pool(dsn, command_timeout=0.1) as pool:
        with pytest.raises(DatabaseUnavailable):
            await fetchval(pool, "select pg_sleep(60)")


async def test_lost_connection_is_unavailability_and_the_pool_recovers(dsn: str) -> None:
    """The next statement after a reset uses a new connection."""
    with Relay(dsn) as relay:
        async with relay.open(), await open_pool(relay.dsn, max_size=1) as pool:
            async with asyncio.TaskGroup() as group:
                lost = group.create_task(_outcome(fetchval(pool, "select pg_sleep(60)")))
                await _until_sleeping(dsn)
                relay.cut()

            assert isinstance(lost.result(), DatabaseUnavailable)
            assert await fetchval(pool, "select 1") == 1


async def test_connections_to_what_was_the_primary_are_left(pool: asyncpg.Pool, dsn: str) -> None:
    """A statement that finds the database read-only fails; the next one is made on a new connection."""
    await pool.execute("create table things (id int)")
    name = await pool.fetchval("select quote_ident(current_database())")
    await pool.execute(f"alter database {name} set default_transaction_read_only = on")
    async with await open_pool(dsn, max_size=1) as theirs:
        await pool.execute(f"alter database {name} reset default_transaction_read_only")

        with pytest.raises(DatabaseUnavailable):
            await fetchval(theirs, "insert into things values (1) returning id")
        assert await fetchval(theirs, "insert into things values (2) returning id") == 2


async def test_a_store_leaves_them_too(pool: asyncpg.Pool, dsn: str) -> None:
    """Whose pool is its attribute."""
    name = await pool.fetchval("select quote_ident(current_database())")
    await pool.execute(f"alter database {name} set default_transaction_read_only = on")
    async with await open_pool(dsn, max_size=1) as theirs:
        await pool.execute(f"alter database {name} reset default_transaction_read_only")

        with pytest.raises(DatabaseUnavailable):
            await Mappings(theirs).map_team(OrganizationId(UUID(int=1)), TeamId("t" * 26))
        await Mappings(theirs).map_team(OrganizationId(UUID(int=1)), TeamId("t" * 26))


async def _outcome(query: Any) -> Any:
    try:
        return await query
    except Exception as error:  # noqa: BLE001  # whatever it is, it is looked at
        return error


async def _until_sleeping(dsn: str) -> None:
    sleeping = (
        "select exists (select from pg_stat_activity"
        " where datname = current_database() and wait_event = 'PgSleep')"
    )
    connection = await connect(dsn)
    try:
        async with asyncio.timeout(60):
            while not await connection.fetchval(sleeping):
                await asyncio.sleep(0.01)
    finally:
        await connection.close()


async def test_refused_statement_stays_what_it_is(pool: asyncpg.Pool) -> None:
    """A violated constraint is the caller's to handle."""
    with pytest.raises(asyncpg.DivisionByZeroError):
        await fetchval(pool, "select 1 / 0")


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(),
        FileNotFoundError("no socket"),
        socket.gaierror(),
        TimeoutError(),
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        asyncpg.CannotConnectNowError("the database system is starting up"),
        asyncpg.AdminShutdownError("terminating connection"),
        asyncpg.CrashShutdownError("terminating connection"),
        asyncpg.TooManyConnectionsError("sorry"),
        asyncpg.DiskFullError("no space left on device"),
        asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT"),
        asyncpg.DeadlockDetectedError("deadlock detected"),
        asyncpg.InterfaceError("cannot perform operation: connection is closed"),
        asyncpg.InterfaceError("pool is closing"),
        asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress"),
    ],
)
def test_is_unavailable(error: Exception) -> None:
    """The database was away, too full or too slow."""
    assert is_unavailable(error)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.UniqueViolationError("duplicate key"),
        asyncpg.InvalidPasswordError("password authentication failed"),
        asyncpg.InterfaceError("cannot perform operation: another operation is in progress"),
        asyncpg.InterfaceError("cannot call PreparedStatement.fetch(): the prepared statement is closed"),
        asyncpg.InternalClientError("got result for unknown protocol state"),
        ValueError(),
    ],
)
def test_is_not_unavailable(error: Exception) -> None:
    """The statement or the program is wrong; the same again gives the same."""
    assert not is_unavailable(error)


async def test_database_that_is_still_starting_is_waited_for(dsn: str) -> None:
    """Refused connections are tried again until there is a server."""
    with Relay(dsn) as relay:
        async with asyncio.TaskGroup() as group:
            connecting = group.create_task(connect_and_wait(relay.dsn))
            with pytest.raises(ConnectionRefusedError):
                await connect(relay.dsn)
            assert not connecting.done()
            async with relay.open():
                connection = await connecting
                assert await connection.fetchval("select 1") == 1
                await connection.close()


async def test_database_that_stays_away_is_given_up() -> None:
    """After the time allowed the error says for how long it was waited."""
    with (
        Relay("postgresql://bridge:s3cret@/postgres?host=/nowhere") as away,
        pytest.raises(DatabaseUnavailable, match=r"within 0\.2 s") as caught,
    ):
        await connect_and_wait(away.dsn, max_wait=0.2)

    assert "s3cret" not in str(caught.value)


async def test_database_that_accepts_and_says_nothing_is_given_up(dsn: str) -> None:
    """A black hole costs no more than the time allowed."""
    with Relay(dsn, deaf=True) as relay:
        async with relay.open():
            with pytest.raises(DatabaseUnavailable):
                await connect_and_wait(relay.dsn, max_wait=0.2)


async def test_refused_password_is_not_waited_for(dsn: str) -> None:
    """What the operator must mend is said at once, without the password."""
    password = dsn.split("@", maxsplit=1)[0].rpartition(":")[2]

    with pytest.raises(StartupError, match="password authentication failed") as caught:
        await connect_and_wait(dsn.replace(password, "wr0ng"))
    assert "wr0ng" not in str(caught.value)


@pytest.mark.parametrize("dsn", ["mysql://u:s3cret@host/db", "postgresql://u:s3cret@host:port/db"])
async def test_what_is_no_dsn_is_refused(dsn: str) -> None:
    """The message is for the operator and shows no password."""
    with pytest.raises(StartupError) as caught:
        await connect_and_wait(dsn)
    assert "s3cret" not in str(caught.value)


@asynccontextmanager
async def old_server(version: str) -> AsyncIterator[str]:
    """Accept any login as a PostgreSQL of that version would, and answer nothing else."""

    def message(kind: bytes, body: bytes) -> bytes:
        return kind + (len(body) + 4).to_bytes(4, "big") + body

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(8192)
        writer.write(message(b"R", bytes(4)) + message(b"S", f"server_version\0{version}\0".encode()))
        writer.write(message(b"K", bytes(8)) + message(b"Z", b"I"))
        with suppress(OSError):
            await reader.read()
        writer.close()
        gone.set()

    gone = asyncio.Event()
    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield f"postgresql://u:p@127.0.0.1:{server.sockets[0].getsockname()[1]}/db?sslmode=disable"
        await gone.wait()


async def test_too_old_a_server_is_refused() -> None:
    """The message names the version that is there and the one that is needed."""
    async with old_server("13.11") as dsn:
        with pytest.raises(StartupError, match=r"PostgreSQL 13; version 14 or newer"):
            await open_pool(dsn)
