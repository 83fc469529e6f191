"""`make bench`: the figures of the daemon, each beside its bare lower bound of the same run."""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import psutil

from bridge.log import configure
from tests.bench import rows
from tests.bench.answers import answer_rows
from tests.bench.catch_up import catch_up_rows
from tests.bench.events import event_rows
from tests.bench.fresh import fresh_hosts
from tests.bench.hostile import hostile_row
from tests.bench.mapping import mapping_row
from tests.bench.organizations import organizations_row
from tests.bench.sign_in import sign_in_rows
from tests.bench.sync import sync_rows
from tests.support.daemon import Daemon, running
from tests.support.hosts import Hosts
from tests.support.processes import installed

ORGANIZATIONS = 1_000


def row(what: str, at_least: str, figures: str) -> None:
    print(f"{what:<58} {at_least:<26} {figures}", flush=True)


async def mention_rows(built: Hosts, folder: Path) -> None:
    """Time mentions through a daemon and through a bare bot, in turn."""
    async with running(built.environ, folder / "daemon.log", installed):
        mine = await rows.to_the_agent(built)
    async with rows.bare_bot("agent", built):
        bare = await rows.to_the_agent(built)
    figures = f"{rows.percentiles(mine)}; bare {rows.percentiles(bare)}"
    # The bare bot has the same way from the post to the frame and from its request to the agent.
    row("mention posted -> agent has the request, stored between", "p50 <= 3 ms over bare", figures)
    async with running(built.environ, folder / "daemon.log", installed):
        mine_rate = await rows.end_to_end(built)
    async with rows.bare_bot("reply", built):
        replies = await rows.end_to_end(built)
    async with rows.bare_bot("answer", built):
        answers = await rows.end_to_end(built)
    beside_replies = f"bare reply bot {replies:.0f}/s, ratio {mine_rate / replies:.2f}"
    beside_answers = f"bare bot that asks the agent {answers:.0f}/s, ratio {mine_rate / answers:.2f}"
    figures = f"{mine_rate:.0f}/s; {beside_replies}; {beside_answers}"
    row("mentions a second, end to end", ">= 300/s", figures)


async def streaming_row(folder: Path) -> None:
    """Let answers grow through a daemon, and through a bot that edits a post every two seconds."""
    async with fresh_hosts(folder / "streaming") as built:
        async with running(built.environ, folder / "daemon.log", installed) as daemon:
            assert daemon.process
            mine = await rows.streaming(built, psutil.Process(daemon.process.pid))
        async with rows.bare_bot("grow", built) as process:
            bare = await rows.streaming(built, process)
    row("500 answers streaming at once", "<= 250 MiB, exact <= 3 s", f"{mine}; bare {bare}")


async def scale_rows(folder: Path) -> None:
    """Measure with a tenth of the organizations; `tests.bench.organizations` and the like take all."""
    row(*await hostile_row(folder))
    row(*await organizations_row(ORGANIZATIONS, folder / "organizations"))
    for what, at_least, figures in await catch_up_rows(ORGANIZATIONS, folder / "catch_up"):
        row(what, at_least, figures)


async def demo_row() -> None:
    """Time the second start of the demo until its first answer; the first one fills caches."""
    for _ in range(2):
        started = time.perf_counter()
        await rows.run("bridge", "demo", "--ask", "@equabot who is on our team?")
    row("demo, second start -> first answer", "<= 5 s", f"{time.perf_counter() - started:.1f} s")


async def main() -> None:
    row("what", "at least", "measured; bare lower bound")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with fresh_hosts(folder / "one") as built:
            await mention_rows(built, folder)
        for what, at_least, figures in await answer_rows(folder):
            row(what, at_least, figures)
        row("frames that are not for us", ">= 0.7 of bare", await rows.frames())
        async with fresh_hosts(folder / "two") as built:
            daemon: Daemon
            async with running(built.environ, folder / "daemon.log", installed) as daemon:
                row(
                    "5,000 answers in progress",
                    "<= 250 MiB, none lost",
                    await rows.in_progress(built, daemon),
                )
        await streaming_row(folder)
        async with fresh_hosts(folder / "three") as built:
            for what, at_least, figures in await sign_in_rows(built.dsn, folder):
                row(what, at_least, figures)
        async with (
            fresh_hosts(folder / "four") as built,
            running(built.environ, folder / "daemon.log", installed) as daemon,
        ):
            for what, at_least, figures in await event_rows(built, daemon):
                row(what, at_least, figures)
            row("team-mapping", ">= 0.9 of a bare route", await mapping_row(built, daemon))
        await scale_rows(folder)
    for what, at_least, figures in await sync_rows():
        row(what, at_least, figures)
    await demo_row()


if __name__ == "__main__":
    configure("error", "console")
    sys.exit(asyncio.run(main()))
