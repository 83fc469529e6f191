"""Connections to the server that takes writes: found among several hosts, and known by its timeline.

With several hosts in its address a database fails over: a standby is promoted and begins a new timeline. A
host that is gone often refuses nothing and answers nothing, so the next one is tried a second later; asyncpg
itself spends all the time allowed on the first.
"""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import structlog

from bridge.db.connection import Connection
from bridge.db.hosts import hosts
from bridge.db.unavailable import is_unavailable

log = structlog.get_logger(__name__)

_HEAD_START = 1.0
"""Seconds until the next host is tried too."""
_TIMEOUT = 10.0

_IDENTITY = """
select system_identifier, ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint as timeline
from pg_control_system()
"""
"""The checkpoint knows a new timeline only when the first one after the promotion is done."""


Attempt = Coroutine[Any, Any, asyncpg.Connection]


class AnotherPrimary(asyncpg.TargetServerAttributeNotMatched):
    """Another host takes writes; no further one needs to be tried."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A primary: a cluster, and the number of promotions in its history."""

    system: int
    timeline: int

    def precedes(self, other: "Identity") -> bool:
        """Return whether this is what the other was before its promotion."""
        return self.system == other.system and self.timeline < other.timeline


@dataclass(slots=True)
class Primary:
    """The primary of one run of the daemon: a connection to any other is refused.

    What a run has in memory holds for its primary alone: another may lack the last rows, and may give the
    number of a lost job to a new one.
    """

    identity: Identity | None = None
    """None before the first connection, and where the server does not tell it."""
    host: tuple[str, int] | None = None
    """Where it was last; another host that is gone costs no time then."""
    successor: Identity | None = field(default=None, init=False)
    changed: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    """Set when another primary was found: `successor`."""

    async def connect(self, dsn: str | None = None, **options: Any) -> asyncpg.Connection:
        """Connect to the primary, as a pool calls it; the errors are asyncpg's."""
        assert dsn
        return await connect(dsn, primary=self, **options)

    async def check(self, connection: asyncpg.Connection) -> None:
        """Refuse a connection to another primary, and to what was the primary before a promotion."""
        found = await _identity(connection)
        if found == self.identity:
            return
        if found is None:
            raise asyncpg.TargetServerAttributeNotMatched("The server is no primary now.")
        if self.identity is None:
            self.identity = found
            return
        if found.precedes(self.identity):
            log.error("database_is_stale", timeline=found.timeline, expected=self.identity.timeline)
            raise asyncpg.TargetServerAttributeNotMatched("The server was the primary before a promotion.")
        self._leave(found)
        raise AnotherPrimary("Another server is the primary now.")

    def _leave(self, successor: Identity) -> None:
        if not self.changed.is_set():
            log.warning("primary_changed", timeline=successor.timeline)
        self.successor = successor
        self.changed.set()


async def connect(dsn: str, *, primary: Primary | None = None, **options: Any) -> asyncpg.Connection:
    """Open a connection; of several hosts to the first that takes writes. The errors are asyncpg's.

    A later host is tried when the ones before have failed or have not answered for a second. A host that
    cannot be reached hides the refusal of another: it may be the one that takes writes.
    """
    found = sorted(hosts(dsn), key=lambda host: primary is not None and host != primary.host)
    if len(found) < 2:
        return await _checked(dsn, primary, **options)
    each = {**options, "target_session_attrs": "read-write"}
    return await _first(_checked(dsn, primary, host=host, port=port, **each) for host, port in found)


async def _first(attempts: Iterator[Attempt]) -> asyncpg.Connection:
    """Return the first connection that succeeds; each attempt has a head start before the next."""
    trying, errors = set[asyncio.Task[asyncpg.Connection]](), list[BaseException]()
    try:
        for attempt in attempts:
            trying.add(asyncio.create_task(attempt, name="connect to a host"))
            if connection := await _some(trying, errors, _HEAD_START):
                return connection
        while trying:
            if connection := await _some(trying, errors):
                return connection
        raise _most_telling(errors)
    finally:
        for task in trying:
            task.add_done_callback(_drop)
            task.cancel()


async def _some(
    trying: set[asyncio.Task[asyncpg.Connection]], errors: list[BaseException], seconds: float | None = None
) -> asyncpg.Connection | None:
    """Wait until some of them have ended; keep the errors, and return a connection if there is one."""
    done, _ = await asyncio.wait(trying, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    trying -= done
    failed = [error for task in done if (error := task.exception())]
    connected = [task.result() for task in done if not task.exception()]
    for surplus in connected[1:]:
        surplus.terminate()
    for error in failed:
        if isinstance(error, AnotherPrimary):
            raise error
    errors += failed
    return connected[0] if connected else None


def _most_telling(errors: Sequence[BaseException]) -> BaseException:
    """Return the error of a host that cannot be reached, if there is one, else the last."""
    return next((error for error in errors if is_unavailable(error)), errors[-1])


async def _checked(dsn: str, primary: Primary | None, **options: Any) -> asyncpg.Connection:
    settings = {"timeout": _TIMEOUT, **options, "connection_class": Connection}
    connection: asyncpg.Connection = await asyncpg.connect(dsn, **settings)
    try:
        if primary:
            await primary.check(connection)
            primary.host = (options["host"], options["port"]) if "host" in options else None
    except BaseException:
        connection.terminate()
        raise
    return connection


async def _identity(connection: asyncpg.Connection) -> Identity | None:
    """Return which primary it is; None where that is not told, as by a standby and some hosted servers."""
    try:
        row = await connection.fetchrow(_IDENTITY, timeout=_TIMEOUT)
    except asyncpg.PostgresError:
        return None
    return Identity(row["system_identifier"], row["timeline"]) if row else None


def _drop(task: "asyncio.Task[asyncpg.Connection]") -> None:
    """End a connection that nobody needs any more."""
    if not task.cancelled() and not task.exception():
        task.result().terminate()
