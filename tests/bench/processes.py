"""What a further process costs, which hears everything too: `python -m tests.bench.processes [COUNT ...]`."""

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import psutil

from bridge import embedded
from bridge.db.migrate import migrate
from bridge.db.pool import open_pool
from bridge.log import configure
from tests.bench import rows
from tests.support.daemon import Daemon, running
from tests.support.hosts import hosts
from tests.support.processes import installed
from tests.support.programs import servers

MENTIONS = 1500

_TRANSACTIONS = """
select xact_commit + xact_rollback from pg_stat_database where datname = current_database()
"""


def seconds(processes: Sequence[psutil.Process]) -> float:
    """Return the processor time that they have used."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def process_of(daemon: Daemon) -> psutil.Process:
    assert daemon.process
    return psutil.Process(daemon.process.pid)


async def measured(count: int, folder: Path) -> str:
    """Answer mentions with so many daemons; return what one mention costs."""
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(embedded.run(folder / "data"))
        await migrate(dsn)
        pool = await stack.enter_async_context(await open_pool(dsn))
        built = await stack.enter_async_context(hosts(dsn, pool))
        daemons = [
            process_of(
                await stack.enter_async_context(running(built.environ, folder / f"{number}", installed))
            )
            for number in range(count)
        ]
        await rows.end_to_end(built, 200, 50)
        database = servers(folder / "data")
        before = seconds(daemons), seconds(database), await pool.fetchval(_TRANSACTIONS)
        await rows.end_to_end(built, MENTIONS, 50)
        await asyncio.sleep(1.5)  # PostgreSQL reports its counts once a second
        after = seconds(daemons), seconds(database), await pool.fetchval(_TRANSACTIONS)
    mine, theirs, transactions = (
        (late - early) / MENTIONS for early, late in zip(before, after, strict=True)
    )
    return (
        f"{count} process(es), for each mention: {mine * 1000:.2f} ms of processor in all daemons,"
        f" {theirs * 1000:.2f} ms in PostgreSQL, {transactions:.1f} transactions"
    )


async def main(counts: list[int]) -> None:
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            print(await measured(count, Path(folder)), flush=True)


if __name__ == "__main__":
    configure("error", "console")
    asyncio.run(main([int(each) for each in sys.argv[1:]] or [1, 2, 3]))
