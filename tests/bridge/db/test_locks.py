"""Locks of all processes: one holder at a time, whatever ends."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from bridge.db.locks import Locks, opened
from bridge.db.pool import connect
from bridge.errors import DatabaseUnavailable, Unavailable


@pytest.fixture
async def one(dsn: str) -> AsyncIterator[Locks]:
    async with opened(dsn) as locks:
        yield locks


@pytest.fixture
async def other(dsn: str) -> AsyncIterator[Locks]:
    """Those of a second process."""
    async with opened(dsn) as locks:
        yield locks


class Capacity:
    """Somewhere that holds one at a time."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0
        self.entries = 0

    async def enter(self, locks: Locks, key: str) -> None:
        async with locks.acquire(key):
            self.inside += 1
            self.most = max(self.most, self.inside)
            await asyncio.sleep(0.001)
            self.inside -= 1
            self.entries += 1


async def test_one_at_a_time_holds_a_key(one: Locks, other: Locks) -> None:
    """In one process as in two."""
    room = Capacity()

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for number in range(40):
            group.create_task(room.enter((one, other)[number % 2], "key"))

    assert (room.most, room.entries) == (1, 40)


async def test_keys_do_not_wait_for_each_other(one: Locks, other: Locks) -> None:
    """Whoever holds them."""
    async with asyncio.timeout(60), one.acquire("a"), other.acquire("b"), one.acquire("c"):
        pass


async def test_a_key_is_free_when_its_holder_fails(one: Locks, other: Locks) -> None:
    """Or is cancelled."""
    with pytest.raises(ZeroDivisionError):
        async with one.acquire("key"):
            raise ZeroDivisionError
    entered = asyncio.Event()
    holder = asyncio.create_task(_stay(one, entered))
    await entered.wait()
    holder.cancel()

    async with asyncio.timeout(60), other.acquire("key"):
        assert entered.is_set()


async def _stay(locks: Locks, entered: asyncio.Event) -> None:
    async with locks.acquire("key"):
        entered.set()
        await asyncio.Event().wait()


async def test_who_gave_up_waiting_holds_nothing(one: Locks, other: Locks) -> None:
    """Cancelled at any moment, before, while or after the database answers."""
    for number in range(30):
        entered = asyncio.Event()
        waiting = asyncio.create_task(_stay(one, entered))
        await asyncio.sleep(0.0002 * number)
        waiting.cancel()
        async with asyncio.timeout(60), other.acquire("key"):
            assert waiting.done()


async def test_nobody_waits_for_ever(dsn: str) -> None:
    """Neither for their own process nor for another one."""
    async with opened(dsn, max_wait=2) as one, opened(dsn, max_wait=2) as other:
        for locks in (one, other):
            await _connected(locks)
        async with one.acquire("key"):
            await asyncio.gather(*(_waits_in_vain(locks) for locks in (one, other)))


async def _waits_in_vain(locks: Locks) -> None:
    with pytest.raises(Unavailable, match="try again"):
        async with locks.acquire("key"):
            pytest.fail("two hold the key")


async def _connected(locks: Locks) -> None:
    """Wait until the locks are being served, however long connecting takes."""
    async with asyncio.timeout(60):
        for number in itertools.count():
            with suppress(Unavailable):
                async with locks.acquire(f"nobody's {number}"):
                    return


async def test_a_holder_that_loses_its_connection_is_stopped(one: Locks, other: Locks, dsn: str) -> None:
    """Because another process may hold the key from then on; afterwards all is as before."""
    entered = asyncio.Event()
    holder = asyncio.create_task(_stay(one, entered))
    await entered.wait()
    await _cut(dsn)

    async with asyncio.timeout(12):
        with pytest.raises(DatabaseUnavailable, match="was lost"):
            await holder
    for locks in (other, one):
        async with asyncio.timeout(60):
            while not await _held(locks):
                await asyncio.sleep(0.01)


async def _held(locks: Locks) -> bool:
    """Whether the key could be held; not while the cut has not been noticed."""
    with suppress(DatabaseUnavailable):
        async with locks.acquire("key"):
            return True
    return False


async def _cut(dsn: str) -> None:
    """End the connections that hold locks, as a restart of the database does."""
    connection = await connect(dsn)
    try:
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and application_name like '% locks'"
        )
    finally:
        await connection.close()


async def test_a_timeout_inside_is_the_holders_own(one: Locks) -> None:
    """It is not mistaken for a lost connection."""
    with pytest.raises(TimeoutError):
        async with one.acquire("key"), asyncio.timeout(0.01):
            await asyncio.Event().wait()


async def test_while_the_database_is_away_waiting_fails_at_once(tmp_path: object) -> None:
    """Somebody waits for a page."""
    async with opened(f"postgresql:///none?host={tmp_path}") as locks:
        with pytest.raises(DatabaseUnavailable):
            async with asyncio.timeout(30), locks.acquire("key"):
                pytest.fail("nobody could say that the key is free")
