"""`make chaos`: 1,000 mentions and 30 kills, with one daemon and with two; then the database breaks."""

import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

from bridge import embedded
from bridge.db.migrate import migrate
from bridge.db.pool import open_pool
from bridge.log import configure
from tests.chaos.storm import Counts, Plan, Storm
from tests.support.daemon import running
from tests.support.hosts import hosts
from tests.support.processes import installed
from tests.support.replication import Node, Pair, alone, pair

PLAN = Plan(mentions=1000, kills=30, threads=200, events=1000, direct=150, files=30, pause=0.06)
FAILOVER = Plan(mentions=500, kills=1, threads=100, events=500, direct=75, files=15, pause=0.06)
_NEVER = (3600.0, 3600.0)
CRASHES = Plan(mentions=200, kills=1, threads=140, events=50, direct=20, files=10, pause=0.25, cuts=_NEVER)
"""Behind a cut questions come together, and are on disk before anything begins."""

Standby = Literal["synchronous", "asynchronous"]

_LAG = 4.0
"""Seconds of which an asynchronous standby knows nothing."""
_CRASHES = 8
_ON_THE_WAY = 100_000
"""Microseconds for which a commit waits: so long questions and answers are on their way to the disk."""
_FLUSHING = "state = 'active' and query like '%emit_message%' and pid <> pg_backend_pid()"
_MOMENTS = (
    f"select exists (select from pg_stat_activity where {_FLUSHING})",
    "select exists (select from jobs where state = 'running' and answer is not null)",
)
_PATIENCE = 4.0
"""Seconds for which such a moment is waited for."""


async def storm(daemons: int, plan: Plan, folder: Path) -> Counts:
    """Run one storm from scratch."""
    async with embedded.run(folder / "data") as dsn:
        return await raged(dsn, daemons, plan, folder)


async def failover(standby: Standby, plan: Plan, folder: Path) -> Counts:
    """Run a storm with two daemons, in the middle of which the database fails over."""
    async with pair(folder) as servers:
        if standby == "synchronous":
            await servers.be_synchronous()
        return await raged(servers.dsn, 2, plan, folder, partial(fail_over, servers, standby, plan))


async def fail_over(servers: Pair, standby: Standby, plan: Plan) -> None:
    """Kill the primary in the middle of the storm; an asynchronous standby lacks its last seconds."""
    await asyncio.sleep(plan.mentions * plan.pause / 2)
    if standby == "asynchronous":
        await servers.part()
        await asyncio.sleep(_LAG)
    await servers.fail_over()


async def crashing(plan: Plan, folder: Path) -> Counts:
    """Run a storm with two daemons on a slow database that crashes, and then has what was on disk alone."""
    slow = {"fsync": "on", "commit_delay": str(_ON_THE_WAY), "commit_siblings": "0"}
    async with alone(folder, slow) as server:
        return await raged(server.dsn, 2, plan, folder, partial(crash_often, server, plan))


async def crash_often(server: Node, plan: Plan) -> None:
    """Let the database crash while a question, or an answer, is on its way to the disk."""
    met = 0
    for moment in _MOMENTS * (_CRASHES // len(_MOMENTS)):
        await server.hold_log()
        await asyncio.sleep(plan.mentions * plan.pause / _CRASHES / 2)
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await server.until(moment)
                met += 1
        server.crash()
        await server.restart()
    print(f"{_CRASHES} crashes of the database, {met} with a question or an answer on its way", flush=True)


async def nothing() -> None:
    """Do nothing else to the database."""


async def raged(
    dsn: str,
    daemons: int,
    plan: Plan,
    folder: Path,
    meanwhile: Callable[[], Coroutine[Any, Any, None]] = nothing,
) -> Counts:
    async with AsyncExitStack() as stack:
        await migrate(dsn)
        async with await open_pool(dsn) as pool:
            built = await stack.enter_async_context(hosts(dsn, pool))
        started = [
            await stack.enter_async_context(
                running(built.environ, folder / f"daemon-{number}.log", installed)
            )
            for number in range(daemons)
        ]
        group = await stack.enter_async_context(asyncio.TaskGroup())
        group.create_task(meanwhile())
        return await Storm(built, started, plan).rage()


def report(what: str, counts: Counts, plan: Plan) -> None:
    lost, double, disordered = counts.events
    print(
        f"{what}: {counts.asked} mentions, {counts.kills} kills:"
        f" {counts.lost} lost, {counts.double} double, {counts.disordered} threads out of order,"
        f" {counts.unfinished} unfinished"
        f" ({counts.seconds:.0f} s, {counts.agent_calls} calls of the agent)\n"
        f"  {plan.events} events: {lost} lost, {double} double, {disordered} out of order\n"
        f"  {plan.direct} direct questions: {counts.direct} lost, double, out of order;"
        f" {plan.files} files each way: {counts.files} lost, double",
        flush=True,
    )
    for example in counts.examples:
        print(f"  {example}")


def main() -> int:
    clean = []
    for daemons in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            counts = asyncio.run(storm(daemons, PLAN, Path(folder)))
        report(f"{daemons} daemon(s)", counts, PLAN)
        clean.append(counts.clean)
    for standby in get_args(Standby):
        with tempfile.TemporaryDirectory() as folder:
            counts = asyncio.run(failover(standby, FAILOVER, Path(folder)))
        report(f"failover to a standby that is {standby}", counts, FAILOVER)
        # What an asynchronous one lacks of the platform's events nobody sends again.
        clean.append(counts.clean if standby == "synchronous" else counts.answers_are_clean)
    with tempfile.TemporaryDirectory() as folder:
        counts = asyncio.run(crashing(CRASHES, Path(folder)))
    report(f"{_CRASHES} crashes of the database", counts, CRASHES)
    clean.append(counts.clean)
    return 0 if all(clean) else 1


if __name__ == "__main__":
    configure("error", "console")
    sys.exit(main())
