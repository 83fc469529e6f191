"""Short storms belong to the check; `make chaos` runs the long ones."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from bridge.db.pool import open_pool
from tests.chaos.storm import Counts, Plan, Storm
from tests.support.daemon import running
from tests.support.hosts import hosts
from tests.support.postgres import fresh_database

PLAN = Plan(mentions=80, kills=4, threads=20, events=80, direct=16, files=4, pause=0.05)


_UNCOUNTED = """
select count(*) from jobs j left join usage u on u.job_id = j.id
where j.kind in ('mention', 'direct', 'repeat') and j.answer is not null
  and coalesce(u.outcome, 'unfinished') = 'unfinished'
"""
"""Answers whose usage is lost."""


async def raged(postgres: str, folder: Path, daemons: int) -> Counts:
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(fresh_database(postgres))
        pool = await stack.enter_async_context(await open_pool(dsn))
        built = await stack.enter_async_context(hosts(dsn, pool))
        started = [
            await stack.enter_async_context(running(built.environ, folder / f"{number}-of-{daemons}.log"))
            for number in range(daemons)
        ]
        counts = await Storm(built, started, PLAN).rage()
        assert await pool.fetchval(_UNCOUNTED) == 0
        return counts


async def test_every_mention_is_answered_once_and_in_order(postgres: str, tmp_path: Path) -> None:
    """Kills, cut sockets, 5xx, 429, delays and repeats: nothing is lost, double or out of order.

    Each answer has its row of usage. With one daemon and, at the same time elsewhere, with two on one
    database.
    """
    storms = await asyncio.gather(*(raged(postgres, tmp_path, daemons) for daemons in (1, 2)))

    assert [counts.clean for counts in storms] == [True, True], storms
    assert [counts.asked for counts in storms] == [80, 80]
