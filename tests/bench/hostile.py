"""What one member's hostile posts cost another organization: `python -m tests.bench.hostile [QUESTIONS]`.

The bare bot, which reads no text, shows what of it is the sandbox's own: that shares this process.
"""

import asyncio
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bridge.log import configure
from tests.bench import rows
from tests.bench.fresh import fresh_hosts
from tests.bench.watched import longest, watched
from tests.support.daemon import running
from tests.support.hosts import Hosts

QUESTIONS, PAUSE = 500, 0.03
EVERY = 0.25
"""Seconds between two posts of the hostile member."""
LARGEST = 16_383
"""Characters of a post."""
STARTING = 3.0
"""Seconds in which a daemon imports and builds what it needs."""
TURNS = 2
"""How often quiet and hostile times follow each other."""

SHAPES = (
    *("* a\n", "> ", "> * a\n", "> a\nb\n", "`", "~~~\n", "```\n~~~\n", "[", "[a](", "*_", "<a ", "<"),
    *("http://a ", "www.", "@equabot", "@a ", "@", "|a", "# ", "a\n=\n", "\n", "\t- a\n", "\\", "&amp;", " "),
)
"""What a post is full of; each is sent with a mention before it, behind it and nowhere."""


def hostile() -> Iterator[str]:
    room = LARGEST - len("\n@equabot hi")
    full = [(shape * LARGEST)[:room] for shape in SHAPES]
    return itertools.cycle(
        [text for each in full for text in (f"@equabot {each}", f"{each}\n@equabot hi", each)]
    )


@asynccontextmanager
async def attacked(built: Hosts) -> AsyncIterator[None]:
    """Let a member of the first organization post without an end."""

    async def attack() -> None:
        for text in hostile():
            built.ask(built.companies[0], text)
            await asyncio.sleep(EVERY)

    attacking = asyncio.create_task(attack())
    try:
        yield
    finally:
        attacking.cancel()


async def asked(built: Hosts, questions: int) -> list[float]:
    """Ask in the second organization, one question at a time; return the milliseconds until each reply."""
    taken = []
    for _ in range(questions):
        began, post = time.perf_counter(), built.ask(built.companies[1], "@equabot hello")
        while not built.replies(post):
            await asyncio.sleep(0.001)
        taken.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(PAUSE)
    return taken


async def compared(built: Hosts, questions: int) -> str:
    """Return what questions take without and with the attack."""
    quiet, loud = list[float](), list[float]()
    await asked(built, questions // 10)
    for _ in range(TURNS):
        quiet += await asked(built, questions // TURNS)
        async with attacked(built):
            loud += await asked(built, questions // TURNS)
    return f"{rows.percentiles(loud)}, without {rows.percentiles(quiet)}, {ratios(loud, quiet)}"


def ratios(loud: Sequence[float], quiet: Sequence[float]) -> str:
    """Return how much longer the one takes, by the middle and by the longest hundredth."""
    middle, longest = (
        one / other
        for one, other in zip(
            *((statistics.median(each), statistics.quantiles(each, n=100)[98]) for each in (loud, quiet)),
            strict=True,
        )
    )
    return f"ratio {middle:.2f}, of p99 {longest:.2f}"


async def hostile_row(folder: Path, questions: int = QUESTIONS) -> tuple[str, str, str]:
    async with fresh_hosts(folder / "hostile") as built:
        turns, began = folder / "hostile" / "turns", time.monotonic()
        async with running(built.environ, folder / "daemon.log", watched(turns)):
            mine = await compared(built, questions)
        busy = longest(turns, began + STARTING)
        async with rows.bare_bot("reply", built):
            bare = await compared(built, questions)
    return (
        "another organization, beside 4 hostile posts a second",
        "p99 <= 1.2 of without",
        f"{mine}, loop busy for {busy:.0f} ms at most; bare {bare}",
    )


async def main(questions: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        what, at_least, figures = await hostile_row(Path(folder), questions)
        print(f"{what:<58} {at_least:<26} {figures}", flush=True)


if __name__ == "__main__":
    configure("error", "console")
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else QUESTIONS))
