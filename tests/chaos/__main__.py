"""`make chaos`: 1,000 mentions and 30 kills, with one daemon and with two on one database."""

import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from bridge import embedded
from bridge.db.migrate import migrate
from bridge.db.pool import open_pool
from bridge.log import configure
from tests.chaos.storm import Counts, Plan, Storm
from tests.support.daemon import running
from tests.support.hosts import hosts
from tests.support.processes import installed

PLAN = Plan(mentions=1000, kills=30, threads=200, events=1000, pause=0.06)


async def storm(daemons: int, plan: Plan, folder: Path) -> Counts:
    """Run one storm from scratch."""
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(embedded.run(folder / "data"))
        await migrate(dsn)
        pool = await stack.enter_async_context(await open_pool(dsn))
        built = await stack.enter_async_context(hosts(dsn, pool))
        started = [
            await stack.enter_async_context(
                running(built.environ, folder / f"daemon-{number}.log", installed)
            )
            for number in range(daemons)
        ]
        return await Storm(built, started, plan).rage()


def main() -> int:
    failed = False
    for daemons in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            counts = asyncio.run(storm(daemons, PLAN, Path(folder)))
        lost, double, disordered = counts.events
        print(
            f"{daemons} daemon(s): {counts.asked} mentions, {counts.kills} kills:"
            f" {counts.lost} lost, {counts.double} double, {counts.disordered} threads out of order,"
            f" {counts.unfinished} unfinished"
            f" ({counts.seconds:.0f} s, {counts.agent_calls} calls of the agent)\n"
            f"  {PLAN.events} events: {lost} lost, {double} double, {disordered} out of order"
        )
        for example in counts.examples:
            print(f"  {example}")
        failed = failed or not counts.clean
    return 1 if failed else 0


if __name__ == "__main__":
    configure("error", "console")
    sys.exit(main())
