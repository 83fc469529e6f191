"""Being woken when another connection says NOTIFY."""

import asyncio
from collections.abc import Callable, Iterator
from typing import NoReturn

import asyncpg
import structlog

from bridge.db.pool import APPLICATION, backoff, connect
from bridge.db.unavailable import is_unavailable
from bridge.outage import reconnect_forever

log = structlog.get_logger(__name__)


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
    within twice `heartbeat` seconds. Raises only errors that another try cannot repair.
    """

    async def listen() -> None:
        connection = await connect(dsn, application=f"{APPLICATION} wakeups")
        try:
            await _listen(connection, channel, woken, heartbeat)
        finally:
            connection.terminate()

    await reconnect_forever("wakeups", listen, is_loss=is_unavailable, backoff=backoff)


async def _listen(
    connection: asyncpg.Connection, channel: str, woken: asyncio.Event, heartbeat: float
) -> None:
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _: lost.set())
    async with asyncio.timeout(heartbeat):
        await connection.add_listener(channel, lambda *_: woken.set())
    log.debug("listening_to_database", channel=channel)
    woken.set()
    while not connection.is_closed():
        try:
            async with asyncio.timeout(heartbeat):
                await lost.wait()
        except TimeoutError:
            await connection.execute("select 1", timeout=heartbeat)
