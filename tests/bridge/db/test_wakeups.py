"""Being woken through LISTEN, across lost connections."""

import asyncio
from collections.abc import Iterator
from typing import NoReturn

import asyncpg
import pytest

from bridge.db.pool import connect
from bridge.db.wakeups import wakeups
from tests.support.relay import Relay

CHANNEL = "Job's"


def at_once() -> Iterator[float]:
    while True:
        yield 0


class Woken(asyncio.Event):
    async def again(self) -> None:
        """Wait for the next wakeup and be ready for another."""
        async with asyncio.timeout(60):
            await self.wait()
        self.clear()


class Listening:
    """A listener that runs for the length of a block."""

    def __init__(self, dsn: str, heartbeat: float = 30) -> None:
        self.woken = Woken()
        self._run = wakeups(dsn, CHANNEL, self.woken, backoff=at_once, heartbeat=heartbeat)

    async def __aenter__(self) -> Woken:
        self._task: asyncio.Task[NoReturn] = asyncio.create_task(self._run)
        return self.woken

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self._task


async def notify(pool: asyncpg.Pool) -> None:
    await pool.execute("select pg_notify($1, '')", CHANNEL)


async def test_wakes_at_the_start_and_at_each_notification(dsn: str, pool: asyncpg.Pool) -> None:
    """What was put in before it listened is looked for too."""
    async with Listening(dsn) as woken:
        await woken.again()
        for _ in range(3):
            await notify(pool)
            await woken.again()


async def test_listens_again_after_its_backend_was_terminated(dsn: str, pool: asyncpg.Pool) -> None:
    """The reconnect wakes, since something may have been missed; then notifications do again."""
    async with Listening(dsn) as woken:
        await woken.again()
        ended = await pool.fetchval(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where application_name = 'equabot-bridge wakeups' and datname = current_database()"
        )
        assert ended == 1
        await woken.again()
        await notify(pool)
        await woken.again()


async def test_notices_a_connection_that_died_without_a_word(dsn: str, pool: asyncpg.Pool) -> None:
    """A deaf connection is given up after the heartbeat, and replaced."""
    with Relay(dsn) as relay:
        async with relay.open(), Listening(relay.dsn, heartbeat=0.1) as woken:
            await woken.again()
            relay.deaf = True
            await relay.accepted.acquire()
            await relay.accepted.acquire()
            relay.deaf = False
            relay.cut()
            await woken.again()
            await notify(pool)
            await woken.again()


async def test_waits_for_a_database_that_is_away(dsn: str) -> None:
    """It does not give up before there is a server."""
    with Relay(dsn) as relay:
        async with Listening(relay.dsn) as woken:
            with pytest.raises(ConnectionRefusedError):
                await connect(relay.dsn)
            assert not woken.is_set()
            async with relay.open():
                await woken.again()


async def test_raises_what_waiting_cannot_mend(dsn: str) -> None:
    """A database that does not exist ends it."""
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await wakeups(dsn.replace("/test_", "/no_such_"), CHANNEL, asyncio.Event())
