"""Connections to the server that takes writes, among several that do not answer."""

from contextlib import AsyncExitStack
from dataclasses import replace

import asyncpg
import pytest

from bridge.db.pool import connect, open_pool
from bridge.db.primary import AnotherPrimary, Identity, Primary
from tests.support.relay import Relay


def both(one: Relay, other: Relay) -> str:
    """Return an address with two hosts, and the database of the second."""
    host = one.dsn.partition("@")[2].partition("/")[0]
    return other.dsn.replace("@", f"@{host},")


async def identity(dsn: str) -> Identity:
    primary = Primary()
    await (await primary.connect(dsn)).close()
    assert primary.identity
    return primary.identity


@pytest.mark.parametrize("deaf", [True, False])
async def test_a_host_that_is_gone_holds_up_nobody(dsn: str, *, deaf: bool) -> None:
    """It accepts and says nothing, or it refuses."""
    async with AsyncExitStack() as stack:
        gone, there = (stack.enter_context(Relay(dsn, deaf=each)) for each in (True, False))
        for relay in (gone, there) if deaf else (there,):
            await stack.enter_async_context(relay.open())
        connection = await connect(both(gone, there))

        assert await connection.fetchval("select 1") == 1
        await connection.close()


async def test_hosts_that_all_refuse_are_away(dsn: str) -> None:
    with Relay(dsn) as one, Relay(dsn) as other, pytest.raises(ConnectionRefusedError):
        await connect(both(one, other))


async def test_what_was_the_primary_is_refused(dsn: str) -> None:
    """It may have come back as it was, with writes that nobody else gets."""
    known = await identity(dsn)
    primary = Primary(replace(known, timeline=known.timeline + 1))

    with pytest.raises(asyncpg.TargetServerAttributeNotMatched, match="before a promotion"):
        await primary.connect(dsn)
    assert not primary.changed.is_set()


@pytest.mark.parametrize("other", ["timeline", "system"])
async def test_another_primary_is_refused_and_named(dsn: str, other: str) -> None:
    """Promoted, or another cluster altogether: what is in memory does not hold for it."""
    known = await identity(dsn)
    earlier = replace(known, timeline=0) if other == "timeline" else replace(known, system=1)
    primary = Primary(earlier)

    with pytest.raises(AnotherPrimary):
        await primary.connect(dsn)
    assert primary.changed.is_set()
    assert primary.successor == known


async def test_a_pool_stays_with_its_primary(dsn: str) -> None:
    """Whoever opens it finds out at once."""
    primary = Primary()
    async with await open_pool(dsn, known=primary) as pool:
        assert await pool.fetchval("select 1") == 1
        assert primary.identity == await identity(dsn)
