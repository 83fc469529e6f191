"""Channels in which something may be unread: over a sandbox Mattermost, PostgreSQL and a listener."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from asyncpg import Pool
from structlog.testing import capture_logs

from bridge.db.positions import Positions
from bridge.ingest.catch_up import CatchUp
from bridge.ingest.intake import Intake
from bridge.ingest.listener import Listener
from bridge.ingest.post_acks import PostAcks
from bridge.mattermost.rest.client import connect
from bridge.mattermost.websocket.socket import Connected, Seen, Socket
from bridge.metrics import Metrics
from bridge.models.chat import Channel, ChannelId, TeamId, User
from bridge.sandbox import mattermost
from bridge.sandbox.mattermost import RestFault
from tests.support.hosts import Company, Hosts
from tests.support.hosts import hosts as built_hosts
from tests.support.ingesting import Feed, figure, idle_intake, positions, posted, stored

AT_ONCE = 32
"""Channels that are read at the same time."""
MINUTE = 60_000
NO = "api.context.permissions.app_error"
GONE = "app.channel.get.existing.app_error"


def now() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Stepped:
    """A catch-up that stands still behind each reading of a channel whose barrier is closed."""

    catch_up: CatchUp
    barriers: dict[str, asyncio.Event] = field(default_factory=dict)
    been_read: list[str] = field(default_factory=list)

    @property
    def intake(self) -> Intake:
        return self.catch_up.intake

    async def channels(self) -> Sequence[Channel]:
        return await self.catch_up.channels()

    async def news(self, heard: Sequence[Channel], now: int, *, resumed: bool = False) -> Sequence[Channel]:
        return await self.catch_up.news(heard, now, resumed=resumed)

    async def account(self) -> User:
        return await self.catch_up.account()

    async def resolve(self, channel_id: ChannelId) -> Channel | None:
        return await self.catch_up.resolve(channel_id)

    async def of_team(self, team_id: TeamId) -> Sequence[Channel]:
        return await self.catch_up.of_team(team_id)

    async def read(self, channel: Channel) -> tuple[int, int]:
        found = await self.catch_up.read(channel)
        self.been_read.append(channel.id)
        if barrier := self.barriers.get(channel.id):
            await barrier.wait()
        return found


@dataclass
class Scene:
    """A listener that was there an hour ago and then was away, and what people write meanwhile."""

    hosts: Hosts
    pool: Pool
    stepped: Stepped
    feed: Feed
    metrics: Metrics
    at: int

    @property
    def acme(self) -> Company:
        return self.hosts.companies[0]

    @property
    def borealis(self) -> Company:
        return self.hosts.companies[1]

    def write(self, company: Company, text: str = "@equabot hello", root: str = "") -> mattermost.Post:
        self.at += MINUTE
        return self.hosts.store.post_as(company.people[0], company.agent, text, root, create_at=self.at)

    def hear(self, company: Company, text: str = "@equabot hello", root: str = "") -> mattermost.Post:
        post = self.write(company, text, root)
        self.feed.tell(Seen(posted(post, company.agent)))
        return post

    def fault(self, company: Company, **fields: Any) -> RestFault:
        path = f"/channels/{company.agent.id}/posts"
        return self.hosts.server.faults.rest(RestFault(path=path, **fields))

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(60):
            while not await condition():
                await asyncio.sleep(0.01)

    async def has_stored(self, *posts: mattermost.Post) -> None:
        async def done() -> bool:
            known = await stored(self.pool)
            return all(known.get(post.id) == "waiting" for post in posts)

        await self.until(done)

    async def has_tried(self, runs: int = 1) -> None:
        async def done() -> bool:
            return figure(self.metrics, "catch_up_runs_total") >= runs

        await self.until(done)

    async def has_read(self, company: Company) -> None:
        async def done() -> bool:
            return company.agent.id in self.stepped.been_read

        await self.until(done)

    async def is_at(self, post: mattermost.Post) -> None:
        async def done() -> bool:
            return (await positions(self.pool)).get(post.channel_id) == post.create_at

        await self.until(done)

    async def position(self, company: Company) -> int:
        return (await positions(self.pool))[company.agent.id]

    async def order(self) -> list[str]:
        rows = await self.pool.fetch(
            "select substr(dedupe, 6) as post from jobs where state = 'waiting' order by id"
        )
        return [row["post"] for row in rows]


@pytest.fixture
async def hosts(dsn: str, pool: Pool) -> AsyncIterator[Hosts]:
    async with built_hosts(dsn, pool, clock_offset=-48 * 3600) as built:
        yield built


@pytest.fixture
async def scene(hosts: Hosts, pool: Pool) -> AsyncIterator[Scene]:
    async with connect(hosts.server.url, hosts.bot_token.token, lambda *_: None) as api:
        intake = idle_intake(pool, hosts.bot)
        stepped = Stepped(CatchUp(api, Positions(pool), intake, "agent"))
        await stepped.catch_up.begin()
        feed, metrics = Feed(), Metrics()
        built = Scene(hosts, pool, stepped, feed, metrics, now() - 60 * MINUTE)
        for company in hosts.companies:
            await intake.store([posted(built.write(company, "chatter"), company.agent)])
        listener = Listener(cast(Socket, feed), intake, cast(Any, stepped), PostAcks(), metrics)
        listening = asyncio.create_task(listener.run())
        yield built
        listening.cancel()
        await asyncio.wait({listening})
        if not listening.cancelled():
            listening.result()


@pytest.mark.parametrize(
    ("status", "error_id"), [(401, ""), (403, ""), (404, ""), (404, "api.context.404.app_error")]
)
async def test_a_channel_that_a_proxy_refuses_for_a_moment_loses_nothing(
    scene: Scene, status: int, error_id: str
) -> None:
    """What is heard there is answered at once, what was missed as soon as it can be read."""
    missed, before = scene.write(scene.acme), await scene.position(scene.acme)
    fault = scene.fault(scene.acme, status=status, error_id=error_id)
    scene.feed.tell(Connected(lost=True))
    await scene.has_tried()

    delivered = scene.hear(scene.acme)
    await scene.has_stored(delivered)

    assert missed.id not in await stored(scene.pool)
    assert await scene.position(scene.acme) == before
    assert figure(scene.metrics, "catch_up_unread_channels") == 1

    fault.times = 0
    await scene.has_stored(missed)
    await scene.is_at(delivered)
    heard = scene.hear(scene.acme)
    await scene.is_at(heard)
    assert figure(scene.metrics, "catch_up_unread_channels") == 0


@pytest.mark.parametrize(("status", "error_id"), [(403, NO), (404, GONE)])
async def test_a_channel_that_mattermost_refuses_is_left_until_the_next_catch_up(
    scene: Scene, status: int, error_id: str
) -> None:
    """It is not asked for again soon; what is heard there all the same is answered, and nothing is passed."""
    missed, before = scene.write(scene.acme), await scene.position(scene.acme)
    fault = scene.fault(scene.acme, status=status, error_id=error_id)
    with capture_logs() as logged:
        scene.feed.tell(Connected(lost=True))
        await scene.has_tried()
        delivered = scene.hear(scene.acme)
        await scene.has_stored(delivered)

    assert [line["seconds"] for line in logged if line["event"] == "channel_refused"] == [600]
    assert await scene.position(scene.acme) == before
    assert figure(scene.metrics, "catch_up_unread_channels") == 0

    fault.times = 0
    scene.feed.tell(Connected(lost=True))
    await scene.has_stored(missed)
    await scene.is_at(delivered)


async def test_a_follow_up_is_not_refused_before_its_thread_was_read(scene: Scene) -> None:
    """Whether it is one can be told only then."""
    missed = scene.write(scene.acme)
    fault = scene.fault(scene.acme, status=404)
    scene.feed.tell(Connected(lost=True))
    await scene.has_tried()
    follow_up, delivered = scene.hear(scene.acme, "and then?", missed.id), scene.hear(scene.acme)
    await scene.has_stored(delivered)
    assert follow_up.id not in await stored(scene.pool)

    fault.times = 0

    await scene.has_stored(missed, follow_up)


async def test_a_channel_that_cannot_be_read_does_not_delay_another(scene: Scene) -> None:
    """Neither what the other missed nor what is heard there waits for it."""
    scene.fault(scene.acme, delay=600)
    scene.write(scene.acme)
    missed = scene.write(scene.borealis)
    scene.feed.tell(Connected(lost=True))
    delivered = scene.hear(scene.borealis)

    async with asyncio.timeout(60):
        await scene.has_stored(missed, delivered)
        await scene.is_at(delivered)


async def test_what_is_heard_while_a_channel_is_read_comes_behind_what_was_missed(scene: Scene) -> None:
    """In the order in which it was written."""
    barrier = scene.stepped.barriers[scene.acme.agent.id] = asyncio.Event()
    missed = scene.write(scene.acme)
    scene.feed.tell(Connected(lost=True))
    await scene.has_stored(missed)
    delivered, elsewhere = scene.hear(scene.acme), scene.hear(scene.borealis)
    await scene.has_stored(elsewhere)
    assert delivered.id not in await stored(scene.pool)

    barrier.set()

    await scene.is_at(delivered)
    assert [each for each in await scene.order() if each != elsewhere.id] == [missed.id, delivered.id]


async def test_a_loss_while_a_channel_is_read_is_read_too(scene: Scene) -> None:
    """What comes behind the second loss passes nothing before that was read as well."""
    barrier = scene.stepped.barriers[scene.acme.agent.id] = asyncio.Event()
    scene.write(scene.acme)
    scene.feed.tell(Connected(lost=True))
    before = scene.hear(scene.acme)
    await scene.has_read(scene.acme)
    missed = scene.write(scene.acme)
    scene.feed.tell(Connected(lost=True))
    delivered, elsewhere = scene.hear(scene.acme), scene.hear(scene.borealis)
    await scene.has_stored(elsewhere)

    barrier.set()

    await scene.is_at(delivered)
    assert [each for each in await scene.order() if each in {before.id, missed.id, delivered.id}] == [
        before.id,
        missed.id,
        delivered.id,
    ]


async def test_what_is_too_much_to_wait_is_read(scene: Scene) -> None:
    """However much is heard while a channel is read."""
    barrier = scene.stepped.barriers[scene.acme.agent.id] = asyncio.Event()
    scene.write(scene.acme)
    scene.feed.tell(Connected(lost=True))
    scene.at = now() - 30 * MINUTE
    await scene.has_read(scene.acme)
    heard = []
    for _ in range(600):
        scene.at -= MINUTE - 1
        heard.append(scene.hear(scene.acme))
    elsewhere = scene.hear(scene.borealis)
    await scene.has_stored(elsewhere)

    barrier.set()

    await scene.has_stored(*heard)
    await scene.is_at(heard[-1])


async def test_a_catch_up_without_news_is_told(scene: Scene) -> None:
    """A channel that was read need not be read again."""
    await scene.pool.execute("update positions set create_at = create_at + 1")
    scene.feed.tell(Connected(lost=True))

    await scene.has_tried()

    assert scene.stepped.been_read == []
    assert figure(scene.metrics, "catch_up_unread_channels") == 0


async def test_a_channel_in_which_somebody_writes_is_read_at_once(scene: Scene) -> None:
    """However many others are read or wait for it."""
    for number in range(AT_ONCE):
        await scene.hosts.found(scene.pool, f"company-{number}", people=1)
    for company in scene.hosts.companies:
        scene.write(company)
        scene.stepped.barriers[company.agent.id] = asyncio.Event()
    scene.feed.tell(Connected(lost=True))

    async def are_being_read() -> bool:
        return len(scene.stepped.been_read) == AT_ONCE

    await scene.until(are_being_read)
    waiting = [each for each in scene.hosts.companies if each.agent.id not in scene.stepped.been_read]
    scene.hear(waiting[-1])
    ahead = {task.get_name() for task in asyncio.all_tasks()}
    await scene.has_read(waiting[-1])

    assert scene.stepped.been_read[AT_ONCE:] == [waiting[-1].agent.id]
    assert f"read {waiting[-1].agent.id}" not in ahead
    for barrier in scene.stepped.barriers.values():
        barrier.set()
    await scene.has_read(waiting[0])


async def test_a_bug_ends_the_listener(scene: Scene) -> None:
    """Repeating it would hide it for ever."""

    class Broken:
        me = scene.stepped.catch_up.intake.me

    broken = CatchUp(
        scene.stepped.catch_up.api, scene.stepped.catch_up.positions, cast(Any, Broken()), "agent"
    )
    feed = Feed()
    listener = Listener(cast(Socket, feed), scene.stepped.catch_up.intake, broken, PostAcks(), Metrics())
    scene.write(scene.acme)
    feed.tell(Connected(lost=True))

    with pytest.raises(ExceptionGroup) as raised:
        async with asyncio.timeout(60):
            await listener.run()

    assert raised.group_contains(AttributeError)
