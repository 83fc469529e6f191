"""A cut with news in some of many channels, until all is answered: `python -m tests.bench.catch_up [COUNT]`.

The server is gone while people write, and knows no connection when it comes back. The bare bot lists the
channels too, reads each with news once, and asks the same agent. The sandbox shares this process.
"""

import asyncio
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.log import configure
from bridge.sandbox.mattermost import Post
from tests.bench.organizations import founded, peak, processor, started, stopped_once
from tests.bench.rows import run
from tests.bench.watched import longest, watched
from tests.support.agent import TOKEN
from tests.support.hosts import Company, Hosts

COUNT, FEW, LIVE = 10_000, 10, 20
ROUNDS = 3
"""Of the cut with few news."""

Row = tuple[str, str, str]


async def cut(built: Hosts, companies: Sequence[Company]) -> list[Post]:
    """Let somebody ask in each of them while the server is gone; return the questions."""
    await built.server.stop()
    asked = [built.ask(company, "@equabot hello") for company in companies]
    await built.server.start()
    return asked


async def answered(built: Hosts, asked: Sequence[Post]) -> None:
    for post in asked:
        while not built.answers(post):
            await asyncio.sleep(0.005)


async def caught_up(built: Hosts, companies: Sequence[Company]) -> float:
    """Return the seconds from the new connection until each of the questions is answered."""
    asked = await cut(built, companies)
    await built.until(lambda: built.server.open_sockets(built.bot) > 0)
    began = time.perf_counter()
    await answered(built, asked)
    return time.perf_counter() - began


async def bare(built: Hosts, companies: Sequence[Company]) -> float:
    """Return the seconds of the least code for as many questions."""
    since = time.time_ns() // 1_000_000 - 1
    asked = [built.ask(company, "@equabot hello") for company in companies]
    url, token = built.server.url, built.bot_token.token
    seconds = await run("tests.bench.bare", "catch_up", url, token, built.agent_url, TOKEN, str(since))
    assert all(map(built.replies, asked))
    return float(seconds)


async def one(built: Hosts, company: Company) -> float:
    """Ask one question and return the milliseconds until its answer."""
    began, post = time.perf_counter(), built.ask(company, "@equabot hello")
    while not built.answers(post):
        await asyncio.sleep(0.001)
    return (time.perf_counter() - began) * 1000


async def live(built: Hosts, companies: Sequence[Company]) -> tuple[float, float]:
    """Return the seconds of a catch-up of all, and the median of questions that are asked meanwhile."""
    built.agent.calls.clear()
    asked = await cut(built, companies)
    await built.until(lambda: built.server.open_sockets(built.bot) > 0)
    began = time.perf_counter()
    await built.until(lambda: len(built.agent.calls) > len(asked) // 50)
    taken = [await one(built, company) for company in reversed(companies[-LIVE:])]
    await answered(built, asked)
    return time.perf_counter() - began, statistics.median(taken)


@dataclass(frozen=True, slots=True)
class Ours:
    """What a daemon took: seconds, but milliseconds of one question."""

    idle: float
    few: float
    everything: float
    meanwhile: float
    held: str


async def ours(built: Hosts, folder: Path) -> Ours:
    await stopped_once(built, folder)
    turns = folder / "turns"
    running = (await started(built, folder / "daemon.log", watched(turns))).daemon
    try:
        idle = statistics.median([await one(built, company) for company in built.companies[:LIVE]])
        few = statistics.median([await caught_up(built, built.companies[:FEW]) for _ in range(ROUNDS)])
        used, since = processor(running), time.monotonic()
        everything, meanwhile = await live(built, built.companies)
        held = (
            f"{processor(running) - used:.1f} s of processor, {peak(running):.0f} MiB at most,"
            f" loop busy for {longest(turns, since):.0f} ms at most"
        )
        return Ours(idle, few, everything, meanwhile, held)
    finally:
        await running.kill()


async def catch_up_rows(count: int, folder: Path) -> list[Row]:
    """Return what was measured, what it should at least be, and the figures."""
    async with founded(folder, count) as built:
        mine = await ours(built, folder)
        few, everything = await bare(built, built.companies[:FEW]), await bare(built, built.companies)
    of = f"{count:,} channels after a cut"
    ratio = mine.everything / everything
    whole = f"{mine.everything:.1f} s, {mine.held}; bare {everything:.1f} s; ratio {ratio:.2f}"
    return [
        (
            f"news in {FEW} of {of}",
            "<= 1 s",
            f"{mine.few:.2f} s; bare {few:.2f} s; ratio {mine.few / few:.2f}",
        ),
        (f"news in all {of}", "<= 1.5 of bare", whole),
        (
            "a question meanwhile",
            "as fast as without",
            f"{mine.meanwhile:.0f} ms; without {mine.idle:.0f} ms; ratio {mine.meanwhile / mine.idle:.2f}",
        ),
    ]


async def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for what, at_least, figures in await catch_up_rows(count, Path(folder)):
            print(f"{what:<58} {at_least:<26} {figures}", flush=True)


if __name__ == "__main__":
    configure("error", "console")
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT))
