"""A cut with news in all channels of a real Mattermost: `python -m tests.bench.real_catch_up [COUNT]`.

`BENCH_MATTERMOST_URL` and `BENCH_MATTERMOST_ADMIN_TOKEN` name the server, which gets so many teams, each with
a person and the bot. The bare bot reads as many channels at once and asks the same agent.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from asyncpg import Pool

from bridge.db.pool import open_pool
from bridge.log import configure
from tests.bench.answers import Place, placed
from tests.bench.fresh import fresh_hosts
from tests.bench.organizations import processor
from tests.bench.rows import run
from tests.contract.server import Mattermost
from tests.support.agent import TOKEN
from tests.support.daemon import Daemon, running
from tests.support.mappings import Mappings
from tests.support.processes import installed

COUNT, ROUNDS, AT_ONCE = 200, 3, 4

Rows = Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Cut:
    """Channels in which people write while nobody listens."""

    places: Sequence[Place]
    pool: Pool
    log: Path

    async def first_start(self) -> None:
        """Let a daemon store where the channels end."""
        async with running(self.places[0].environ, self.log, installed) as daemon:
            while not any(line.get("event") == "caught_up" for line in daemon.lines()):
                await asyncio.sleep(0.01)
            await daemon.stop()

    async def ours(self) -> tuple[float, float]:
        """Return the seconds from the connection until each question is answered, and those of processor."""
        await self.pool.execute("update positions set begin_at = $1", now())
        asked = await self._asked()
        daemon, before = Daemon(self.places[0].environ, self.log, start=installed), await self._done()
        seen = self._connections()
        await daemon.start()
        try:
            while self._connections() == seen:
                await asyncio.sleep(0.005)
            began, used = time.perf_counter(), processor(daemon)
            while await self._done() < before + len(asked):
                await asyncio.sleep(0.02)
            took = time.perf_counter() - began, processor(daemon) - used
        finally:
            await daemon.stop()
        assert [await self._answers(post_id) for post_id in asked] == [1] * len(asked)
        return took

    async def bare(self) -> float:
        """Return the seconds of the least code."""
        place, since = self.places[0], now() - 1
        asked = await self._asked()
        arguments = (
            place.server.url,
            place.bot.token,
            place.built.agent_url,
            TOKEN,
            str(since),
            place.bot.name,
        )
        seconds = await run("tests.bench.bare", "catch_up", *arguments)
        assert [await self._answers(post_id) for post_id in asked] == [1] * len(asked)
        return float(seconds)

    async def _asked(self) -> list[str]:
        """Ask in each channel; return the questions."""
        posts = []
        for place in self.places:
            body = {"channel_id": place.channel_id, "message": f"@{place.bot.name} hello"}
            posts.append((await place.ada.api.post("/posts", body))["id"])
        return posts

    async def _answers(self, post_id: str) -> int:
        """Return how many replies a question has."""
        thread = await self.places[0].server.admin.get(f"/posts/{post_id}/thread")
        return len(thread["posts"]) - 1

    async def _done(self) -> int:
        return int(await self.pool.fetchval("select count(*) from jobs where state = 'done'"))

    def _connections(self) -> int:
        return self.log.read_text().count('"state": "connected"') if self.log.exists() else 0


def now() -> int:
    """Return the milliseconds of Mattermost's clock."""
    return time.time_ns() // 1_000_000


async def real_catch_up_rows(folder: Path, count: int = COUNT) -> Rows:
    """Let the daemon and the bare bot catch up in turn, if a real server is named."""
    url, token = (os.environ.get(f"BENCH_MATTERMOST_{name}", "") for name in ("URL", "ADMIN_TOKEN"))
    if not (url and token):
        return []
    async with AsyncExitStack() as stack:
        built = await stack.enter_async_context(fresh_hosts(folder / "real_catch_up"))
        http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        pool = await stack.enter_async_context(await open_pool(built.dsn))
        server, limit = Mattermost("real", http, url.rstrip("/"), token), asyncio.Semaphore(AT_ONCE)
        bot, mappings = await server.bot(), Mappings(pool)

        async def place() -> Place:
            async with limit:
                return await placed(server, built, mappings, bot)

        cut = Cut(await asyncio.gather(*(place() for _ in range(count))), pool, folder / "real_catch_up.log")
        await cut.first_start()
        mine, bare = [], []
        for _ in range(ROUNDS):
            bare.append(await cut.bare())
            mine.append(await cut.ours())
    seconds, least = statistics.median(each for each, _ in mine), statistics.median(bare)
    used = statistics.median(each for _, each in mine)
    figures = f"{seconds:.1f} s, {used:.1f} s of processor; bare {least:.1f} s; ratio {seconds / least:.2f}"
    return [(f"news in all {count:,} channels, real Mattermost", "<= 1.5 of bare", figures)]


async def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for row in await real_catch_up_rows(Path(folder), count):
            print(*row, sep="  ", flush=True)


if __name__ == "__main__":
    configure("error", "console")
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT))
