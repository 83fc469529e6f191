"""A run of the daemon ends when its primary changes, and the next one goes on."""

import asyncio
from dataclasses import replace

import pytest

from bridge.db.pool import open_pool
from bridge.db.primary import Primary
from bridge.runtime.run import PrimaryChanged, Run


async def promoted(dsn: str) -> tuple[Run, Primary]:
    """Return a run whose database was promoted meanwhile, and the primary that it is now."""
    now = Primary()
    await (await now.connect(dsn)).close()
    assert now.identity
    return Run(Primary(replace(now.identity, timeline=now.identity.timeline - 1))), now


async def test_it_ends_with_its_primary(dsn: str) -> None:
    """Also where no connection is lost, as behind one name; nothing waits for statements in progress."""
    async with asyncio.timeout(60), await open_pool(dsn) as pool:
        run, _ = await promoted(dsn)
        sleeping = asyncio.create_task(pool.execute("select pg_sleep(60)"))
        watching = asyncio.create_task(run.watch(dsn, pool))
        with pytest.raises(Exception, match="primary now"):
            await run.primary.connect(dsn)

        with pytest.raises(PrimaryChanged):
            await watching
        await asyncio.wait({sleeping})
        assert sleeping.exception()


async def test_the_next_one_is_on_the_new_primary(dsn: str) -> None:
    """Under the same name, so that the jobs of the one before are its own."""
    run, now = await promoted(dsn)
    assert run.following() is run
    with pytest.raises(Exception, match="primary now"):
        await run.primary.connect(dsn)

    following = run.following()

    assert (following.holder, following.failed_over) == (run.holder, True)
    assert following.primary.identity == now.identity
    async with await open_pool(dsn, known=following.primary) as pool:
        assert await pool.fetchval("select 1") == 1
