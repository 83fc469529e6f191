"""The database fails over while people ask: the primary is killed, and a standby is promoted."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bridge.db.migrate import migrate
from bridge.db.pool import open_pool
from bridge.sandbox.mattermost import Post
from tests.support.daemon import Daemon, running
from tests.support.hosts import Hosts, hosts
from tests.support.replication import Pair, pair


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[Pair, Hosts, Daemon]]:
    """Run a daemon on both servers."""
    async with AsyncExitStack() as stack:
        servers = await stack.enter_async_context(pair(folder))
        await migrate(servers.dsn)
        async with await open_pool(servers.dsn) as pool:
            built = await stack.enter_async_context(hosts(servers.dsn, pool))
        daemon = await stack.enter_async_context(running(built.environ, folder / "daemon.log"))
        yield servers, built, daemon


def asked(hosts: Hosts, number: int, why: str) -> list[Post]:
    return [
        hosts.ask(company, f"@equabot question {why} {each}")
        for each in range(number)
        for company in hosts.companies
    ]


def answers(hosts: Hosts, posts: Sequence[Post]) -> list[int]:
    return [len(hosts.answers(post)) for post in posts]


async def test_a_synchronous_standby_takes_over(tmp_path: Path) -> None:
    """Nothing is lost or doubled, although the old primary refuses nothing and comes back as it was."""
    async with served(tmp_path) as (servers, hosts, daemon):
        await servers.be_synchronous()
        hosts.agent.latency = 0.5
        posts = asked(hosts, 4, "before")
        await hosts.until(lambda: len(hosts.agent.calls) >= 4)
        servers.primary.freeze()
        posts += asked(hosts, 4, "meanwhile")
        await servers.standby.ask("select pg_promote()")
        await hosts.answered(*posts, seconds=180)
        servers.primary.thaw()
        await servers.standby.end_sessions("equabot-bridge")
        posts += asked(hosts, 1, "afterwards")
        await hosts.answered(*posts, seconds=180)
        await daemon.ready()

        assert answers(hosts, posts) == [1] * len(posts)
        await servers.standby.until(f"select count(*) = {len(posts)} from jobs where state = 'done'")


async def test_a_standby_that_lags_takes_over(tmp_path: Path) -> None:
    """It knows nothing of the last answers: they are found in their threads, and the rest is asked again."""
    async with served(tmp_path) as (servers, hosts, daemon):
        known = asked(hosts, 1, "known")
        await hosts.answered(*known)
        await servers.part()
        forgotten = asked(hosts, 4, "forgotten")
        await hosts.answered(*forgotten)
        hosts.agent.latency = 1
        open_ones = asked(hosts, 4, "open")
        await hosts.until(lambda: len(hosts.agent.calls) >= 18)
        await servers.fail_over()
        posts = [*known, *forgotten, *open_ones, *asked(hosts, 2, "later")]
        await hosts.answered(*posts, seconds=180)
        await daemon.ready()

        assert answers(hosts, posts) == [1] * len(posts)
        assert await servers.standby.ask("select count(*) from jobs where kind = 'mention'") == len(posts)
