"""What organizations cost, from 10 to 10,000: `python -m tests.bench.organizations [COUNT ...]`.

Each has a team with six channels of the bot's. The daemon is a process of its own, as always; the sandbox,
which is larger, shares this one.
"""

import asyncio
import logging
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import UUID

import psutil
from asyncpg import Pool

from bridge import embedded
from bridge.db.migrate import migrate
from bridge.db.pool import open_pool
from bridge.log import configure
from bridge.models.chat import TeamId, UserId
from bridge.models.equa import OrganizationId, PersonId
from tests.support.daemon import Daemon
from tests.support.hosts import Company, Hosts, hosts
from tests.support.processes import installed

COUNTS = (10, 100, 1_000, 10_000)
ASKED = 200
CHANNELS = ("announcements", "cap-table", "documents")
"""Beside `agent` and the two that every team has."""


async def found(built: Hosts, pool: Pool, count: int) -> None:
    """Found organizations with one person each."""
    teams, people = [], []
    for number in range(count):
        store = built.store
        user = store.create_user(f"person-{number}")
        team = store.create_team(f"company-{number}", f"Company {number}", members=[user, built.bot])
        for name in CHANNELS:
            store.create_channel(team, name, members=[user, built.bot])
        channel = store.create_channel(team, "agent", "Agent", members=[user, built.bot])
        organization = OrganizationId(UUID(int=number + 1))
        built.companies.append(Company(organization, team.display_name, team, channel, (user,)))
        teams.append((organization, TeamId(team.id), team.name))
        people.append((PersonId(UUID(int=number + 1)), UserId(user.id), user.username))
    async with pool.acquire() as connection:
        await connection.executemany(
            "insert into mattermost_org_mappings (organization_id, mattermost_team_id, mattermost_team_name)"
            " values ($1, $2, $3)",
            teams,
        )
        await connection.executemany(
            "insert into mattermost_user_mappings (id, mattermost_user_id, mattermost_username)"
            " values ($1, $2, $3)",
            people,
        )


@asynccontextmanager
async def founded(folder: Path, count: int) -> AsyncIterator[Hosts]:
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(embedded.run(folder / "data"))
        await migrate(dsn)
        pool = await stack.enter_async_context(await open_pool(dsn))
        built = await stack.enter_async_context(hosts(dsn, pool))
        built.companies.clear()
        await found(built, pool, count)
        yield built


async def started(built: Hosts, log: Path) -> tuple[Daemon, float]:
    """Start a daemon; return it and the seconds until it was ready."""
    daemon, began = Daemon(built.environ, log, start=installed), time.perf_counter()
    await daemon.start()
    await daemon.ready(seconds=300)
    return daemon, time.perf_counter() - began


def memory(daemon: Daemon) -> float:
    """Return its resident memory in MiB."""
    assert daemon.process
    return psutil.Process(daemon.process.pid).memory_info().rss / 2**20


def peak(daemon: Daemon) -> float:
    """Return the most memory that it has had, in MiB."""
    assert daemon.process
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


async def until_answers(built: Hosts, number: int) -> float:
    """Ask in organizations chosen at random, one question at a time; return the median milliseconds."""
    taken = []
    for company in random.Random(1).choices(built.companies, k=number):
        began = time.perf_counter()
        post = built.ask(company, "@equabot hello")
        while not built.answers(post):
            await asyncio.sleep(0.001)
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


async def measured(count: int, folder: Path) -> str:
    async with founded(folder, count) as built:
        first, _ = await started(built, folder / "first.log")
        await first.stop()
        daemon, seconds = await started(built, folder / "daemon.log")
        try:
            ready = memory(daemon)
            took = await until_answers(built, ASKED)
            later, most = memory(daemon), peak(daemon)
            held = f"{ready:.0f} MiB, {later:.0f} after {ASKED} questions, {most:.0f} at most"
            return (
                f"{count:>7,} organizations: start -> ready {seconds:.1f} s; memory {held};"
                f" a question is answered in {took:.1f} ms"
            )
        finally:
            await daemon.kill()


async def main(counts: list[int]) -> None:
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            print(await measured(count, Path(folder)), flush=True)


if __name__ == "__main__":
    configure("error", "console")
    # Daemons that are killed hang up in the middle of what the sandbox answers.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    asyncio.run(main([int(each) for each in sys.argv[1:]] or list(COUNTS)))
