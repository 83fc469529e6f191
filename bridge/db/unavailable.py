"""Tell a database that is away from a statement that is wrong."""

import re

import asyncpg

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
