"""Being woken when another connection says NOTIFY."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import NoReturn

import asyncpg
import structlog

from bridge.db.pool import APPLICATION, backoff, connect, is_unavailable

_log = structlog.get_logger(__name__)

_HEALTHY = 10.0
"""Seconds after which the next loss counts as the first, so that a server which hangs up is not hammered."""


async def wakeups(
    dsn: str,
    channel: str,
    woken: asyncio.Event,
    *,
    backoff: Callable[[], Iterator[float]] = backoff,
    heartbeat: float = 30,
) -> NoReturn:
    """Set `woken` at each notification on `channel` and, as some may have been missed, at each (re)connect.

    Runs until cancelled, on a connection of its own. A connection that dies without a word is noticed
    within twice `heartbeat` seconds. Raises only what trying again cannot mend.
    """
    waits = backoff()
    while True:
        began = time.monotonic()
        try:
            connection = await connect(dsn, application=f"{APPLICATION} wakeups")
            try:
                await _listen(connection, channel, woken, heartbeat)
            finally:
                connection.terminate()
        except Exception as error:
            if not is_unavailable(error):
                raise
            _log.warning("not listening to the database", channel=channel, error=str(error))
        if time.monotonic() - began > _HEALTHY:
            waits = backoff()
        await asyncio.sleep(next(waits))


async def _listen(
    connection: asyncpg.Connection, channel: str, woken: asyncio.Event, heartbeat: float
) -> None:
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _: lost.set())
    async with asyncio.timeout(heartbeat):
        await connection.add_listener(channel, lambda *_: woken.set())
    _log.debug("listening to the database", channel=channel)
    woken.set()
    while not connection.is_closed():
        try:
            async with asyncio.timeout(heartbeat):
                await lost.wait()
        except TimeoutError:
            await connection.execute("select 1", timeout=heartbeat)
