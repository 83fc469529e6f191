"""A job table whose jobs are replaced again and again: `python -m tests.bench.turnover [JOBS]`.

Nobody takes care of it: the purge and autovacuum do, and a minute of the latter is a second here.
"""

import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from asyncpg import Pool

from bridge import embedded
from bridge.db.job_history import JobHistory
from bridge.db.migrate import migrate
from bridge.db.pool import open_pool
from bridge.log import configure
from tests.bench.many_jobs import finished, one_job

JOBS, ROUNDS, STEPS = 200_000, 5, 100
APART = timedelta(seconds=1)
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
PAUSE = 0.3
"""Seconds after each step, a hundredth of all jobs: at ten million an hour has a two-hundredth of that."""


async def replaced(pool: Pool, jobs: int, step: int) -> float:
    """Store the jobs of one step, purge as many of the oldest; return the seconds of the purge."""
    first = jobs + step * (jobs // STEPS)
    await finished(pool, first + 1, first + jobs // STEPS, BEGIN, APART)
    keep = datetime.now(UTC) - (BEGIN + (first + jobs // STEPS - jobs) * APART)
    began = time.perf_counter()
    while await JobHistory(pool).purge(keep):
        pass
    return time.perf_counter() - began


async def claimed(pool: Pool, number: int) -> float:
    """Return the milliseconds in which a job is stored, claimed and ended."""
    began = time.perf_counter()
    await one_job(pool, number)
    return (time.perf_counter() - began) * 1000


async def size(pool: Pool) -> float:
    """Return the MiB of the table and its indexes."""
    return float(await pool.fetchval("select pg_total_relation_size('jobs')")) / 2**20


async def measured(pool: Pool, jobs: int) -> None:
    await finished(pool, 1, jobs, BEGIN, APART)
    began = await size(pool)
    print(f"{jobs:,} finished jobs: {began:.0f} MiB", flush=True)
    for turn in range(ROUNDS):
        purges, claims = [], []
        for step in range(turn * STEPS, (turn + 1) * STEPS):
            purges.append(await replaced(pool, jobs, step))
            claims.append(await claimed(pool, step))
            await asyncio.sleep(PAUSE)
        left = await pool.fetchval("select count(*) from jobs where dedupe like 'post:%'")
        print(
            f"replaced {turn + 1} times: {left:,} jobs, {await size(pool):.0f} MiB,"
            f" {await size(pool) / began:.2f} of the first; the longest purge {max(purges):.2f} s,"
            f" the longest claim {max(claims):.0f} ms",
            flush=True,
        )


async def main(jobs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with embedded.run(Path(folder) / "data") as dsn:
            await migrate(dsn)
            async with await open_pool(dsn, command_timeout=600) as pool:
                await pool.execute("alter system set autovacuum_naptime = '1s'")
                await pool.execute("select pg_reload_conf()")
                await measured(pool, jobs)


if __name__ == "__main__":
    configure("error", "console")
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else JOBS))
