"""The bot: it asks the server who it is, and answers nothing before it knows."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from asyncpg import Pool

from bridge import config
from bridge.db.inbox import Inbox
from bridge.db.stops import Stops
from bridge.metrics import Metrics
from bridge.runtime.bot import make_bot
from bridge.runtime.clients import open_clients
from bridge.runtime.health import BotState
from bridge.sandbox.mattermost import Post, User
from bridge.worker import Worker, WorkerConfig
from handlers.answers.stop_signals import StopSignals
from tests.support.hosts import Company, Hosts


@dataclass(frozen=True, slots=True)
class RunningBot:
    state: BotState
    metrics: Metrics

    async def until_connected(self) -> None:
        async with asyncio.timeout(60):
            while not self.state.socket or self.state.socket.state != "connected":
                await asyncio.sleep(0.01)

    async def until_refused(self) -> set[str]:
        async with asyncio.timeout(60):
            while not self.state.refused_tokens:
                await asyncio.sleep(0.01)
        return self.state.refused_tokens


@asynccontextmanager
async def running_bot(
    hosts: Hosts, pool: Pool, token: str, *, notice_token: str = ""
) -> AsyncIterator[RunningBot]:
    """Run a bot with a token."""
    metrics, state, stop = Metrics(), BotState(), asyncio.Event()
    tokens = {"MATTERMOST_BOT_TOKEN": token, "MATTERMOST_NOTICE_TOKEN": notice_token}
    settings = config.load({**hosts.environ, **tokens})
    async with open_clients(settings, metrics) as clients, asyncio.TaskGroup() as group:
        worker = Worker(Inbox(pool), {}, metrics, asyncio.Event(), WorkerConfig(poll=0.02))
        bot = make_bot(settings, clients, worker, metrics, state, StopSignals(Stops(pool)))
        assert bot
        running = group.create_task(bot.run())
        group.create_task(worker.run(stop))
        yield RunningBot(state, metrics)
        stop.set()
        running.cancel()


def named(hosts: Hosts, company: Company, name: str) -> User:
    """Give a company another bot."""
    user = hosts.store.create_bot(name)
    for place in (company.team, company.agent):
        hosts.store.join(place, user)
    return user


def replies(hosts: Hosts, post: Post, by: User) -> list[Post]:
    return [each for each in hosts.store.thread(post.id) if each.user_id == by.id]


async def test_the_bots_name_is_the_one_that_its_token_has(hosts: Hosts, pool: Pool) -> None:
    """Nothing assumes "equabot": it answers to its own name and to no other."""
    acme = hosts.companies[0]
    helper = named(hosts, acme, "ask-anything")
    async with running_bot(hosts, pool, hosts.store.create_token(helper).token) as bot:
        await bot.until_connected()
        other = hosts.ask(acme, "@equabot who is on our team?")
        post = hosts.ask(acme, "@ask-anything who is on our team?")

        await hosts.until(lambda: bool(replies(hosts, post, helper)))

    (reply,) = replies(hosts, post, helper)
    assert "Acme Corp" in reply.message
    assert len(hosts.store.thread(other.id)) == 1


async def test_a_refused_token_is_waited_for_and_named(hosts: Hosts, pool: Pool) -> None:
    """The operator is told which variable it is."""
    hosts.bot_token.is_active = False
    async with running_bot(hosts, pool, hosts.bot_token.token) as bot:
        assert await bot.until_refused() == {"MATTERMOST_BOT_TOKEN"}
        assert 'socket_state{state="unauthorised"} 1.0' in bot.metrics.render().decode()


async def test_a_refused_notice_token_is_told_from_the_bots(hosts: Hosts, pool: Pool) -> None:
    """The other variable is the wrong one; people are answered meanwhile."""
    async with running_bot(hosts, pool, hosts.bot_token.token, notice_token="x" * 26) as bot:
        assert await bot.until_refused() == {"MATTERMOST_NOTICE_TOKEN"}
        await bot.until_connected()

        await hosts.answered(hosts.ask(hosts.companies[0], "@equabot who is on our team?"))


async def test_a_mattermost_that_is_away_at_the_start_is_waited_for(hosts: Hosts, pool: Pool) -> None:
    """The bot comes to life when the server does."""
    await hosts.server.stop()
    async with running_bot(hosts, pool, hosts.bot_token.token) as bot:
        await hosts.until(lambda: "error" in bot.metrics.render().decode())
        assert bot.state.socket is None

        await hosts.server.start()
        await bot.until_connected()
