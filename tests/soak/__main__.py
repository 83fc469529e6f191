"""`make soak`: mixed load with a kill every minute for an hour; `SOAK_MINUTES` makes it shorter.

Of two daemons on one database one is killed again and again, the other is measured.
"""

import asyncio
import logging
import os
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import psutil

from bridge import embedded
from bridge.db.migrate import migrate
from bridge.db.pool import open_pool
from bridge.log import configure
from tests.chaos.storm import Counts, Plan, Storm
from tests.soak.samples import Sample, Samples
from tests.support.daemon import running
from tests.support.hosts import hosts
from tests.support.processes import installed

PAUSE = 0.2
"""Seconds between two questions."""
CUTS = (20.0, 60.0)
"""Seconds between two cuts of all websockets: more often, they would wait for their next try all the time."""
SAMPLES = 300
MOST_GROWTH = 10.0
"""MiB that memory may differ between the beginning and the end: that much it breathes."""
MOST_FILES = 15
"""File descriptors that a process may have more at the end: the pool keeps connections for minutes."""
IDLE = 40.0
"""Seconds after which the connections to the hosts are closed."""


def plan_of(minutes: float) -> Plan:
    mentions = int(minutes * 60 / PAUSE)
    return Plan(
        mentions=mentions,
        kills=max(int(minutes), 1),
        threads=mentions // 5,
        events=mentions // 2,
        pause=PAUSE,
        event_pause=2 * PAUSE * 2,
        cuts=CUTS,
        max_wait=300,
    )


async def soak(minutes: float, folder: Path) -> tuple[Counts, Samples]:
    """Run it; return what became of the questions, and what the process that was not killed held."""
    samples = Samples()
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(embedded.run(folder / "data"))
        await migrate(dsn)
        async with await open_pool(dsn) as pool:
            built = await stack.enter_async_context(hosts(dsn, pool))
        lasting, mortal = [
            await stack.enter_async_context(running(built.environ, folder / f"{name}.log", installed))
            for name in ("lasting", "mortal")
        ]
        assert lasting.process
        taking = asyncio.create_task(samples.take(lasting.process.pid, minutes * 60 / SAMPLES, show))
        counts = await Storm(built, [lasting, mortal], plan_of(minutes), [mortal]).rage()
        taking.cancel()
        await asyncio.sleep(IDLE)
        samples.idle = samples.taken[0].files, psutil.Process(lasting.process.pid).num_fds()
        assert lasting.process.returncode is None
    return counts, samples


def show(sample: Sample) -> None:
    if sys.stderr.isatty():
        text = f"{sample.memory:.1f} MiB, {sample.files} file descriptors"
        print(text, end="    \r", file=sys.stderr, flush=True)


def report(counts: Counts, samples: Samples) -> bool:
    """Print the figures; return whether all is well."""
    lost, double, disordered = counts.events
    print(
        f"{counts.asked} questions and {counts.events_sent} events in {counts.seconds / 60:.0f} min,"
        f" {counts.kills} kills:\n"
        f"  questions: {counts.lost} lost, {counts.double} double, {counts.disordered} threads out of order,"
        f" {counts.unfinished} unfinished\n"
        f"  events: {lost} lost, {double} double, {disordered} out of order"
    )
    memory, files, idle, connections = samples.memory, samples.files, samples.idle, samples.connections
    print(
        f"  memory: {memory[0]:.1f} MiB -> {memory[1]:.1f} MiB, slope {samples.slope:+.1f} MiB an hour"
        f" ({len(samples.warm)} samples)\n"
        f"  file descriptors: {files[0]:.0f} -> {files[1]:.0f} at work, {idle[0]} -> {idle[1]} idle;"
        f" connections to the hosts beside: {connections[0]:.0f} -> {connections[1]:.0f} at work"
    )
    for example in counts.examples:
        print(f"  {example}")
    more_files = max(idle[1] - idle[0], files[1] - files[0])
    return counts.clean and memory[1] - memory[0] <= MOST_GROWTH and more_files <= MOST_FILES


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        minutes = float(os.environ.get("SOAK_MINUTES", "60"))
        return 0 if report(*asyncio.run(soak(minutes, Path(folder)))) else 1


if __name__ == "__main__":
    configure("error", "console")
    # Daemons that are killed hang up in the middle of what the sandbox answers.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    sys.exit(main())
