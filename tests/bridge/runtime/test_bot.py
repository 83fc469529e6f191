"""The bot's life: it learns who it is from the server, and is nobody until it knows."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from asyncpg import Pool

from bridge.agent import make_agent, make_session
from bridge.db.inbox import Inbox
from bridge.mattermost.rest.client import connect
from bridge.metrics import Metrics
from bridge.runtime import bot
from bridge.runtime.health import Status
from bridge.sandbox.mattermost import Post, User
from bridge.worker import Worker, WorkerConfig
from tests.support.agent import TOKEN
from tests.support.world import Company, World


@dataclass(frozen=True, slots=True)
class Life:
    """A bot that lives."""

    status: Status
    metrics: Metrics

    async def until_connected(self) -> None:
        async with asyncio.timeout(20):
            while not self.status.socket or self.status.socket.state != "connected":
                await asyncio.sleep(0.01)

    async def until_refused(self) -> set[str]:
        async with asyncio.timeout(20):
            while not self.status.refused_tokens:
                await asyncio.sleep(0.01)
        return self.status.refused_tokens


@asynccontextmanager
async def living(
    world: World, pool: Pool, token: str, *, notice_token: str | None = None
) -> AsyncIterator[Life]:
    """Let a bot live with a token."""
    metrics, status, stop = Metrics(), Status(pool), asyncio.Event()
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(connect(world.server.url, token, metrics.rest_call))
        notice_api = None
        if notice_token:
            speaking = connect(world.server.url, notice_token, metrics.rest_call)
            notice_api = await stack.enter_async_context(speaking)
        session = await stack.enter_async_context(make_session())
        agent = make_agent(
            "gateway", session, url=world.agent_url, token=TOKEN, agent_id="main", model="equabot", timeout=5
        )
        ground = bot.BotDependencies(
            account=bot.Account(world.server.url, token, "agent"),
            api=api,
            notice_api=notice_api,
            agent=agent,
            pool=pool,
            metrics=metrics,
            status=status,
            worker=Worker(Inbox(pool), {}, metrics, asyncio.Event(), WorkerConfig(poll=0.02)),
        )
        group = await stack.enter_async_context(asyncio.TaskGroup())
        living = group.create_task(bot.live(ground))
        group.create_task(ground.worker.run(stop))
        yield Life(status, metrics)
        stop.set()
        living.cancel()


def named(world: World, company: Company, name: str) -> User:
    """Give a company another bot."""
    user = world.store.create_bot(name)
    for place in (company.team, company.agent):
        world.store.join(place, user)
    return user


def replies(world: World, post: Post, by: User) -> list[Post]:
    return [each for each in world.store.thread(post.id) if each.user_id == by.id]


async def test_the_bots_name_is_the_one_that_its_token_has(world: World, pool: Pool) -> None:
    """Nothing assumes "equabot": it answers to its own name and to no other."""
    acme = world.companies[0]
    helper = named(world, acme, "ask-anything")
    async with living(world, pool, world.store.create_token(helper).token) as life:
        await life.until_connected()
        other = world.ask(acme, "@equabot who is on our team?")
        post = world.ask(acme, "@ask-anything who is on our team?")

        await world.until(lambda: bool(replies(world, post, helper)))

    (reply,) = replies(world, post, helper)
    assert "Acme Corp" in reply.message
    assert len(world.store.thread(other.id)) == 1


async def test_a_refused_token_is_waited_for_and_named(world: World, pool: Pool) -> None:
    """The operator is told which variable it is."""
    world.bot_token.is_active = False
    async with living(world, pool, world.bot_token.token) as life:
        assert await life.until_refused() == {"MATTERMOST_BOT_TOKEN"}
        assert 'socket_state{state="unauthorised"} 1.0' in life.metrics.render().decode()


async def test_a_refused_notice_token_is_told_from_the_bots(world: World, pool: Pool) -> None:
    """It is the other variable that has to be mended, and meanwhile people are answered."""
    async with living(world, pool, world.bot_token.token, notice_token="x" * 26) as life:
        assert await life.until_refused() == {"MATTERMOST_NOTICE_TOKEN"}
        await life.until_connected()

        await world.answered(world.ask(world.companies[0], "@equabot who is on our team?"))


async def test_a_mattermost_that_is_away_at_the_start_is_waited_for(world: World, pool: Pool) -> None:
    """The bot comes to life when the server does."""
    await world.server.stop()
    async with living(world, pool, world.bot_token.token) as life:
        await world.until(lambda: "error" in life.metrics.render().decode())
        assert life.status.socket is None

        await world.server.start()
        await life.until_connected()
