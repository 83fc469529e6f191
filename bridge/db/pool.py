"""Connections to PostgreSQL, and the errors of a database that is away."""

import asyncio
import functools
import json
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any, ParamSpec, TypeVar

import asyncpg
import structlog

from bridge.db import primary, sessions
from bridge.db.primary import Primary
from bridge.db.unavailable import is_unavailable
from bridge.errors import DatabaseUnavailable, StartupError
from bridge.retry import delays

_P = ParamSpec("_P")
_T = TypeVar("_T")

APPLICATION = "equabot-bridge"
OLDEST = 14
"""The oldest major version of PostgreSQL that is served."""

_log = structlog.get_logger(__name__)


def database_errors(call: Callable[_P, Coroutine[Any, Any, _T]]) -> Callable[_P, Coroutine[Any, Any, _T]]:
    """Decorate an async function that calls nobody but the database.

    It then raises `DatabaseUnavailable` instead of what `is_unavailable`; other errors stay asyncpg's. The
    first argument is a pool, or has one: it connects anew when the database turns out to be read-only.
    """

    @functools.wraps(call)
    async def inner(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return await call(*args, **kwargs)
        except Exception as error:
            if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
                await _leave(args[0])
            if is_unavailable(error):
                raise DatabaseUnavailable("The database cannot be reached.") from error
            raise

    return inner


async def _leave(owner: object) -> None:
    """Use none of the pool's connections again: they lead to what was the primary."""
    pool = getattr(owner, "pool", owner)
    if isinstance(pool, asyncpg.Pool):
        await pool.expire_connections()


_UNNAMED = {"statement_cache_size": 0}
"""A pooler mixes up the names of statements, and refuses them before one can say what is wrong."""


def backoff() -> Iterator[float]:
    """Yield seconds to wait between tries to reach the database."""
    return delays(first=0.05, factor=2, cap=5)


async def connect(dsn: str, *, application: str = APPLICATION, **options: Any) -> asyncpg.Connection:
    """Open one connection, in UTC and with no limit on a statement's time; the errors are asyncpg's."""
    settings = {"application_name": application, "timezone": "UTC"}
    return await primary.connect(dsn, server_settings=settings, **options)


async def connect_and_wait(
    dsn: str, *, max_wait: float = 30, application: str = APPLICATION
) -> asyncpg.Connection:
    """Connect to a database that may still be starting, for at most `max_wait` seconds.

    Raises `DatabaseUnavailable` when it stays away, and `StartupError` when it refuses us, is too old, or is
    behind a pooler that keeps no sessions.
    """
    try:
        async with asyncio.timeout(max_wait):
            connection = await _connect_sometime(dsn, application)
            await _suitable(connection, partial(connect, dsn, application=application, **_UNNAMED))
            return connection
    except TimeoutError as error:
        raise DatabaseUnavailable(f"The database did not answer within {max_wait:g} s.") from error
    except ValueError:
        # The error's text may hold a part of the password.
        raise StartupError(
            "The database's address is no postgresql://user:password@host:port/database"
            " (special characters in the password are written as %XX)."
        ) from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StartupError(f"The database refuses the connection: {error}") from error


async def _connect_sometime(dsn: str, application: str) -> asyncpg.Connection:
    for pause in backoff():
        try:
            connection = await connect(dsn, application=application, **_UNNAMED)
        except Exception as error:
            if not is_unavailable(error):
                raise
            _log.info("database_awaited", error=str(error))
            await asyncio.sleep(pause)
        else:
            return connection
    raise AssertionError("pauses never end")


async def _suitable(connection: asyncpg.Connection, another: sessions.Connect) -> None:
    try:
        _require_version(connection.get_server_version().major)
        await sessions.require(connection, another)
    except BaseException:
        connection.terminate()
        raise


def _require_version(major: int) -> None:
    if major < OLDEST:
        raise StartupError(f"The database is PostgreSQL {major}; version {OLDEST} or newer is needed.")


async def _prepare(connection: asyncpg.Connection) -> None:
    # Planning our few statements anew each time takes longer than running them. A pooler would refuse this
    # among the settings of a new session.
    await connection.execute("set plan_cache_mode = force_generic_plan")
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)


async def _as_it_is(_connection: object) -> None:
    """Leave a connection as it comes back: nobody changes its session, and a reset is another round trip."""


@database_errors
async def open_pool(
    dsn: str,
    *,
    max_size: int = 10,
    command_timeout: float = 10,
    max_wait: float = 30,
    known: Primary | None = None,
) -> asyncpg.Pool:
    """Open a pool in which jsonb is Python's own values and time is UTC.

    No statement takes longer than `command_timeout` seconds. The first connection is waited for and
    checked as by `connect_and_wait`. With `known` all connections lead to one primary.
    """
    await (await connect_and_wait(dsn, max_wait=max_wait)).close()
    return await unchecked_pool(dsn, max_size=max_size, command_timeout=command_timeout, known=known)


async def unchecked_pool(
    dsn: str, *, max_size: int = 10, command_timeout: float = 10, known: Primary | None = None
) -> asyncpg.Pool:
    """Open a pool as `open_pool` does, on a database that is known to be there and to suit."""
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=max_size,
        command_timeout=command_timeout,
        connect=(known or Primary()).connect,
        init=_prepare,
        reset=_as_it_is,
        server_settings={"application_name": APPLICATION, "timezone": "UTC"},
    )
