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
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psutil
from asyncpg import Pool

from bridge.db.pool import open_pool
from bridge.log import configure
from bridge.models.chat import TeamId, UserId
from bridge.models.equa import OrganizationId, PersonId
from tests.bench.fresh import fresh_hosts
from tests.bench.rows import run
from tests.bench.watched import longest, watched
from tests.support.daemon import Daemon
from tests.support.hosts import Company, Hosts
from tests.support.processes import Start, installed

COUNTS = (10, 100, 1_000, 10_000)
ASKED = 200
LONG_AGO = 86_400.0
"""Seconds since the organizations were founded: what has long been quiet is not read at a start."""
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
    async with fresh_hosts(folder) as built, await open_pool(built.dsn) as pool:
        built.companies.clear()
        built.clock_offset = -LONG_AGO
        await found(built, pool, count)
        built.clock_offset = 0
        yield built


@dataclass(frozen=True, slots=True)
class Started:
    """A daemon, and the seconds that its start took."""

    daemon: Daemon
    ready: float
    listed: float
    """Until it had compared the channels of all organizations with what it has read."""


async def started(built: Hosts, log: Path, start: Start = installed) -> Started:
    """Start a daemon and wait until it has looked at all channels."""
    daemon, began = Daemon(built.environ, log, start=start), time.perf_counter()
    await daemon.start()
    await daemon.ready(seconds=300)
    ready = time.perf_counter() - began
    while not any(line.get("event") == "caught_up" for line in daemon.lines()):
        await asyncio.sleep(0.01)
    return Started(daemon, ready, time.perf_counter() - began)


async def stopped_once(built: Hosts, folder: Path) -> None:
    """Let a daemon store where the channels end, as the very first start does."""
    first = await started(built, folder / "first.log")
    await first.daemon.stop()


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


def processor(daemon: Daemon) -> float:
    """Return the seconds of processor that it has used."""
    assert daemon.process
    return sum(psutil.Process(daemon.process.pid).cpu_times()[:2])


async def measured(count: int, folder: Path) -> str:
    async with founded(folder, count) as built:
        await stopped_once(built, folder)
        turns = folder / "turns"
        one = await started(built, folder / "daemon.log", watched(turns))
        since = time.monotonic()
        try:
            used, listed = processor(one.daemon), memory(one.daemon)
            busy = longest(turns, 0)
            took = await until_answers(built, ASKED)
            later, most = memory(one.daemon), peak(one.daemon)
            bare = await bare_list(built)
            return (
                f"ready in {one.ready:.1f} s, all channels looked at in {one.listed:.1f} s"
                f" with {used:.1f} s of processor;"
                f" memory {listed:.0f} MiB, {later:.0f} after {ASKED} questions, {most:.0f} at most;"
                f" loop busy for {busy:.0f} ms at most, {longest(turns, since):.0f} later;"
                f" a question is answered in {took:.1f} ms; bare {bare}"
            )
        finally:
            await one.daemon.kill()


async def bare_list(built: Hosts) -> str:
    """Return what the least code needs to read the list of channels."""
    printed = await run("tests.bench.bare", "channels", built.server.url, built.bot_token.token)
    seconds, mebibytes = map(float, printed.split())
    return f"list {seconds:.1f} s, {mebibytes:.0f} MiB"


async def organizations_row(count: int, folder: Path) -> tuple[str, str, str]:
    """Return what was measured, what it should at least be, and the figures."""
    what = f"{count:,} organizations, {6 * count:,} channels of the bot"
    return what, "<= 5 s, 250 MiB, 50 ms", await measured(count, folder)


async def main(counts: list[int]) -> None:
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{count:>7,} organizations: {await measured(count, Path(folder))}", flush=True)


if __name__ == "__main__":
    configure("error", "console")
    # Daemons that are killed hang up in the middle of what the sandbox answers.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    asyncio.run(main([int(each) for each in sys.argv[1:]] or list(COUNTS)))
