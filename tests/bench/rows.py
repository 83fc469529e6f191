"""One function a row of the table: what the daemon does, and the bare lower bound beside it."""

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import psutil

from bridge.db.pool import open_pool
from bridge.sandbox.agent.faults import Says
from bridge.sandbox.mattermost import Post
from tests.bench import ours
from tests.bench.pump import pumping
from tests.support.agent import TOKEN
from tests.support.daemon import Daemon
from tests.support.hosts import Hosts

ROUNDS = 5


async def run(*arguments: str) -> str:
    """Run a module in a process of its own and return what it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return output.decode()


async def frames() -> str:
    """Frames that are not for us, a second."""
    bare, mine = [], []
    async with pumping(ours.FRAMES) as url:
        for _ in range(ROUNDS):
            bare.append(float(await run("tests.bench.bare", "frames", url.replace("http", "ws"))))
            mine.append(float(await run("tests.bench.ours", url)))
    ratio = statistics.median(m / b for m, b in zip(mine, bare, strict=True))
    return f"{statistics.median(mine):,.0f}/s; bare {statistics.median(bare):,.0f}/s; ratio {ratio:.2f}"


async def to_the_agent(hosts: Hosts, mentions: int = 400) -> list[float]:
    """Measure milliseconds from the post to the agent's having the request, one mention at a time."""
    company = hosts.companies[0]
    taken = []
    for number in range(mentions):
        hosts.agent.calls.clear()
        started = time.perf_counter()
        hosts.ask(company, f"@equabot hello {number}")
        await hosts.agent.until(lambda: bool(hosts.agent.calls))
        taken.append((time.perf_counter() - started) * 1000)
        await hosts.agent.until(lambda: not hosts.agent.in_progress)
        await asyncio.sleep(0.01)
    return taken[mentions // 10 :]


def percentiles(milliseconds: Sequence[float]) -> str:
    cuts = statistics.quantiles(milliseconds, n=100)
    return f"p50 {statistics.median(milliseconds):.1f} ms, p99 {cuts[98]:.1f} ms"


async def end_to_end(hosts: Hosts, mentions: int = 3000, outstanding: int = 150) -> float:
    """Return how many mentions a second are answered, with so many unanswered at any time."""
    there = posts(hosts)
    asked = 0
    started = time.perf_counter()
    while (answered := posts(hosts) - there - asked) < mentions:
        for _ in range(min(outstanding - (asked - answered), mentions - asked)):
            hosts.ask(hosts.companies[asked % 2], "@equabot hello")
            asked += 1
        await asyncio.sleep(0.001)
    return mentions / (time.perf_counter() - started)


def posts(hosts: Hosts) -> int:
    return sum(len(hosts.store.posts_in(company.agent)) for company in hosts.companies)


async def in_progress(hosts: Hosts, daemon: Daemon, answers: int = 5000) -> str:
    """Hold so many answers at once, then let them go and count.

    Two organizations get two thirds of a process's slots, eight get eight ninths.
    """
    assert daemon.process
    async with await open_pool(hosts.dsn) as pool:
        for number in range(6):
            await hosts.found(pool, f"Company{number} Ltd")
    process = psutil.Process(daemon.process.pid)
    before, asked = process.memory_info().rss, []
    hosts.agent.may_answer.clear()
    for number in range(answers):
        asked.append(hosts.ask(hosts.companies[number % len(hosts.companies)], "@equabot hello"))
        if number % 100 == 99:
            await asyncio.sleep(0.2)
    await hosts.agent.until(lambda: hosts.agent.in_progress == answers)
    held = process.memory_info().rss
    hosts.agent.may_answer.set()
    await hosts.answered(*asked, seconds=120)
    once = sum(len(hosts.answers(post)) == 1 for post in asked)
    return f"{held / 2**20:.0f} MiB resident (idle {before / 2**20:.0f}); {once} of {answers} answered once"


async def streaming(hosts: Hosts, process: psutil.Process, answers: int = 500) -> str:
    """Let so many answers grow at once for half a minute, and count what that takes."""
    text = " ".join(f"word{number}" for number in range(600))
    hosts.agent.most_pieces = 40
    hosts.agent.fault_for = lambda _: Says(text, pause=0.7)
    asked = []
    for number in range(answers):
        asked.append(hosts.ask(hosts.companies[number % 2], "@equabot hello"))
        if number % 50 == 49:
            # Mattermost drops a connection that lags behind by 256 events.
            await asyncio.sleep(0.2)
    await hosts.agent.until(lambda: hosts.agent.in_progress == answers)
    began, before, held = time.perf_counter(), _edits(hosts), 0
    while hosts.agent.in_progress == answers:
        held = max(held, process.memory_info().rss)
        await asyncio.sleep(0.25)
    rate = (_edits(hosts) - before) / (time.perf_counter() - began)
    await hosts.agent.until(lambda: not hosts.agent.in_progress)
    ended = time.perf_counter()
    await hosts.until(lambda: all(_is_exact(hosts, post, text) for post in asked), seconds=120)
    lag = time.perf_counter() - ended
    return f"{held / 2**20:.0f} MiB; {rate:.0f} edits/s; last one exact {lag:.1f} s after the agent"


def _edits(hosts: Hosts) -> int:
    return sum(bool(post.original_id) for post in hosts.store.posts.values())


def _is_exact(hosts: Hosts, post: Post, text: str) -> bool:
    return [reply.message for reply in hosts.replies(post)] == [text]


@asynccontextmanager
async def bare_bot(kind: str, hosts: Hosts) -> AsyncIterator[psutil.Process]:
    """Run a bare bot in the hosts' place."""
    place = (hosts.server.url, hosts.bot_token.token, hosts.agent_url, TOKEN)
    async with bare_process(kind, *place) as process:
        yield process


@asynccontextmanager
async def bare_process(kind: str, *arguments: str) -> AsyncIterator[psutil.Process]:
    """Run a bare bot as a process of its own, once it listens."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.bare", kind, *arguments), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout
        await process.stdout.readline()
        yield psutil.Process(process.pid)
    finally:
        process.kill()
        await process.wait()
