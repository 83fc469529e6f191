"""Connections to PostgreSQL, and the errors of a database that is away."""

import asyncio
import functools
import json
import re
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, ParamSpec, TypeVar

import asyncpg
import structlog

from bridge.errors import DatabaseUnavailable, StartupError
from bridge.retry import delays

_P = ParamSpec("_P")
_T = TypeVar("_T")

APPLICATION = "equabot-bridge"
OLDEST = 14
"""The oldest major version of PostgreSQL that is served."""

_log = structlog.get_logger(__name__)

_AWAY = (
    OSError,  # refused, reset, no such socket, no such host; TimeoutError is one too
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.DeadlockDetectedError,  # whoever tries again meets nobody
    asyncpg.QueryCanceledError,  # the server's own statement_timeout
    asyncpg.ReadOnlySQLTransactionError,  # the primary became a standby; a new connection finds the new one
    asyncpg.TargetServerAttributeNotMatched,
)
_LOST = re.compile("connection is closed|pool is clos|cannot switch to state|not connected")


def is_unavailable(error: BaseException) -> bool:
    """Return whether the database was away or too slow, so that trying again may help.

    The statement may have been executed all the same. asyncpg reports a lost connection also by
    InterfaceError, which stands for misuse too, and by InternalClientError when the server's last word
    arrives between two statements: there only the text decides (asyncpg `protocol.pyx`, `coreproto.pyx`,
    `pool.py`).
    """
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError) and _LOST.search(str(error)):
        return True
    return isinstance(error, _AWAY)


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


def backoff() -> Iterator[float]:
    """Yield seconds to wait between tries to reach the database."""
    return delays(first=0.05, factor=2, cap=5)


async def connect(dsn: str, *, application: str = APPLICATION) -> asyncpg.Connection:
    """Open one connection, in UTC and with no limit on a statement's time; the errors are asyncpg's."""
    return await asyncpg.connect(
        dsn, timeout=10, server_settings={"application_name": application, "timezone": "UTC"}
    )


async def connect_and_wait(
    dsn: str, *, max_wait: float = 30, application: str = APPLICATION
) -> asyncpg.Connection:
    """Connect to a database that may still be starting, for at most `max_wait` seconds.

    Raises `DatabaseUnavailable` when it stays away, and `StartupError` when it refuses us or is too old.
    """
    try:
        async with asyncio.timeout(max_wait):
            return await _connect_sometime(dsn, application)
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
            connection = await connect(dsn, application=application)
        except Exception as error:
            if not is_unavailable(error):
                raise
            _log.info("database_awaited", error=str(error))
            await asyncio.sleep(pause)
        else:
            return _new_enough(connection)
    raise AssertionError("pauses never end")


def _new_enough(connection: asyncpg.Connection) -> asyncpg.Connection:
    version = connection.get_server_version()
    if version.major < OLDEST:
        connection.terminate()
        raise StartupError(
            f"The database is PostgreSQL {version.major}; version {OLDEST} or newer is needed."
        )
    return connection


async def _with_json(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)


async def _as_it_is(_connection: object) -> None:
    """Leave a connection as it comes back: nobody changes its session, and a reset is another round trip."""


async def open_pool(
    dsn: str,
    *,
    max_size: int = 10,
    command_timeout: float = 10,
    max_wait: float = 30,
    application: str = APPLICATION,
) -> asyncpg.Pool:
    """Open a pool in which jsonb is Python's own values and time is UTC.

    No statement takes longer than `command_timeout` seconds. The first connection is waited for and
    checked as by `connect_and_wait`.
    """
    await (await connect_and_wait(dsn, max_wait=max_wait, application=application)).close()
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=max_size,
        timeout=10,
        command_timeout=command_timeout,
        init=_with_json,
        reset=_as_it_is,
        server_settings={
            "application_name": application,
            "timezone": "UTC",
            # Planning our few statements anew each time takes longer than running them.
            "plan_cache_mode": "force_generic_plan",
        },
    )
