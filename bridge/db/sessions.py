"""Refuse a pooler that hands each transaction to another session, as PgBouncer does in transaction mode.

Advisory locks, LISTEN and prepared statements belong to a session: there they work now and then.
"""

from collections.abc import Awaitable, Callable

import asyncpg
from asyncpg.transaction import Transaction

from bridge.errors import StartupError

Connect = Callable[[], Awaitable[asyncpg.Connection]]

_ROUNDS = 5

_NO_TRANSACTIONS = "statement pooling mode"
"""PgBouncer's words for the mode that hands even each statement to another session."""

_REFUSED = (
    "A pooler such as PgBouncer in transaction mode stands before the database and hands each transaction to"
    " another session, so locks, LISTEN and prepared statements do not work. Let DATABASE_URL name PostgreSQL"
    " itself, or set pool_mode = session for this database."
)


async def require(connection: asyncpg.Connection, another: Connect) -> None:
    """Raise `StartupError` if two connections share a session, or one changes its session.

    `another` opens a second connection; neither may use named statements. PostgreSQL itself tells each
    connection the session's process id at its start, and a pooler makes one up.
    """
    try:
        await _compare(connection, another)
    except asyncpg.PostgresError as error:
        if _NO_TRANSACTIONS in str(error):
            raise StartupError(_REFUSED) from error
        raise


async def _compare(connection: asyncpg.Connection, another: Connect) -> None:
    own = await _session(connection)
    if own == connection.get_server_pid():
        return
    other = await another()
    try:
        for _ in range(_ROUNDS):
            await _require_difference(connection, own, other)
    finally:
        other.terminate()


async def _require_difference(connection: asyncpg.Connection, own: int, other: asyncpg.Connection) -> None:
    """Look at both sessions while the second connection is within a transaction, which keeps its session."""
    async with _transaction(other):
        if await _pid(other) == own or await _session(connection) != own:
            raise StartupError(_REFUSED)


async def _session(connection: asyncpg.Connection) -> int:
    async with _transaction(connection):
        return await _pid(connection)


async def _pid(connection: asyncpg.Connection) -> int:
    pid: int = await connection.fetchval("select pg_backend_pid()")
    return pid


def _transaction(connection: asyncpg.Connection) -> Transaction:
    return connection.transaction(readonly=True)
