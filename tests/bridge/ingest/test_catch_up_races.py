"""Two processes that listen and catch up at once, over any history: afterwards every question is stored.

A process stands still before everything that it does with Mattermost, its socket or the tables, until it
is told to take one step: so any order of their steps can be tried, and tried again.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from asyncpg import Pool
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.db.pool import unchecked_pool
from bridge.db.positions import Positions
from bridge.ingest.catch_up import OVERLAP, CatchUp
from bridge.ingest.listener import Listener
from bridge.ingest.post_acks import PostAcks
from bridge.mattermost.rest.client import connect
from bridge.mattermost.websocket.socket import Connected, Event, Seen, Socket
from bridge.metrics import Metrics
from bridge.ports import MattermostApi
from bridge.sandbox.mattermost import Post, RestFault
from tests.support.hosts import Company, Hosts
from tests.support.hosts import hosts as built_hosts
from tests.support.ingesting import idle_intake, positions, posted, stored
from tests.support.postgres import fresh_database

LATEST = 35_000
"""Milliseconds after its time at which a post becomes visible at the latest."""


class Barrier:
    """Where the tasks of a process stand still until they are let through, one at a time."""

    def __init__(self) -> None:
        self._here: deque[tuple[asyncio.Task[Any], asyncio.Event]] = deque()
        self._came = asyncio.Event()

    async def passed(self) -> None:
        task, go = asyncio.current_task(), asyncio.Event()
        assert task
        self._here.append((task, go))
        self._came.set()
        await go.wait()

    async def step(self) -> None:
        """Let the first task through, and wait until it is here again or at its end.

        A channel that was refused several times in a row is read again after up to 30 s.
        """
        async with asyncio.timeout(60):
            await self._until(lambda: bool(self._here))
            task, go = self._here.popleft()
            go.set()
            task.add_done_callback(lambda _: self._came.set())
            await self._until(lambda: task.done() or any(task is other for other, _ in self._here))

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._came.clear()
            await self._came.wait()


@dataclass
class Stepped:
    """Something whose methods are each behind the barrier."""

    target: Any
    barrier: Barrier

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            await self.barrier.passed()
            return await getattr(self.target, name)(*args, **kwargs)

        return call


@dataclass
class SteppedIntake:
    intake: Any
    barrier: Barrier

    @property
    def me(self) -> Any:
        return self.intake.me

    async def store(self, *args: Any, **kwargs: Any) -> int:
        await self.barrier.passed()
        return cast(int, await self.intake.store(*args, **kwargs))

    async def store_read(self, *args: Any) -> int:
        await self.barrier.passed()
        return cast(int, await self.intake.store_read(*args))


@dataclass
class Feed:
    """A socket that gives what was put into it, some events at a time, behind the barrier."""

    barrier: Barrier
    events: deque[Event] = field(default_factory=deque)
    idle: bool = True
    waiting: int = 0
    last_frame: float = 0

    async def batches(self) -> AsyncIterator[Sequence[Event]]:
        while True:
            self.idle = True
            await self.barrier.passed()
            if batch := [self.events.popleft() for _ in range(min(3, len(self.events)))]:
                self.idle = False
                yield batch


class Figures(Metrics):
    """What is told of, and how many channels may be unread."""

    channels = 0

    def unread(self, channels: int) -> None:
        super().unread(channels)
        self.channels = channels


class Process:
    """A bridge that reads; it dies with whatever it had not stored."""

    def __init__(self, hosts: Hosts, pool: Pool, api: MattermostApi) -> None:
        self._world = hosts
        self._pool = pool
        self._api = api
        self._born()

    def _born(self) -> None:
        barrier = Barrier()
        self.barrier, self.feed, self.connected = barrier, Feed(barrier), False
        self.metrics = Figures()
        intake = SteppedIntake(idle_intake(self._pool, self._world.bot), barrier)
        catch_up = CatchUp(
            cast(Any, Stepped(self._api, barrier)), Positions(self._pool), cast(Any, intake), "agent"
        )
        socket = cast(Socket, self.feed)
        self._life = asyncio.create_task(
            Listener(socket, cast(Any, intake), catch_up, PostAcks(), self.metrics).run()
        )

    def connect(self) -> None:
        if not self.connected:
            self.connected = True
            self.feed.events.append(Connected(lost=True))

    async def step(self) -> None:
        if self._life.done():
            self._life.result()
        await self.barrier.step()

    async def drained(self, *, readable: bool = True) -> None:
        """Connect, and let it do all that there is to do; an unreadable channel stays unread."""
        self.connect()
        for _ in range(10_000):
            if self.feed.idle and not self.feed.events and not (readable and self.metrics.channels):
                return
            await self.step()
        raise AssertionError("it never comes to an end")

    async def die(self) -> None:
        self._life.cancel()
        await asyncio.wait({self._life})

    async def reborn(self) -> None:
        await self.die()
        self._born()


class History:
    """What people post, by a clock of its own, and what of it is to be answered."""

    def __init__(self, hosts: Hosts, company: Company) -> None:
        self._world = hosts
        self._company = company
        self.now = time.time_ns() // 1_000_000
        self.questions: list[Post] = []
        self._roots: list[Post] = []

    def question(self, late: int = 0) -> Post:
        post = self._post("@equabot hello", self.now - late)
        self.questions.append(post)
        self._roots.append(post)
        return post

    def follow_up(self) -> Post:
        if not self._roots:
            return self.question()
        root = self._roots[self.now % len(self._roots)]
        post = self._post("and then?", max(self.now, root.create_at), root.id)
        self.questions.append(post)
        return post

    def chatter(self) -> Post:
        return self._post("hello everybody", self.now)

    def _post(self, text: str, create_at: int, root_id: str = "") -> Post:
        person, channel = self._company.people[0], self._company.agent
        return self._world.store.post_as(person, channel, text, root_id, create_at=create_at)


@dataclass
class Scene:
    """One run: two processes over one history."""

    hosts: Hosts
    pool: Pool
    company: Company
    processes: list[Process]
    history: History
    fault: RestFault
    """Of a proxy in front of Mattermost, that scripted for it at times."""

    async def do(self, what: str, number: int) -> None:
        await getattr(self, what)(number)

    async def wait(self, milliseconds: int) -> None:
        self.history.now += milliseconds

    async def question(self, late: int) -> None:
        self._seen(self.history.question(late))

    async def follow_up(self, _: int) -> None:
        self._seen(self.history.follow_up())

    async def chatter(self, _: int) -> None:
        self._seen(self.history.chatter())

    async def burst(self, posts: int) -> None:
        """Post some in each millisecond, with a question here and there."""
        for number in range(posts):
            self.history.now += number % 7 == 0
            self._seen(self.history.question() if number % 3 == 0 else self.history.chatter())

    async def step(self, number: int) -> None:
        for _ in range(number // 2 + 1):
            await self._process(number).step()

    async def work(self, number: int) -> None:
        """Let a process do all that there is to do."""
        await self._process(number).drained(readable=self.fault.times == 0)

    async def refuse(self, times: int) -> None:
        """Let the next reads of the channel be answered by somebody else."""
        self.fault.times = times or None

    async def allow(self, _: int) -> None:
        self.fault.times = 0

    async def missed(self, late: int) -> None:
        """Let nobody listen while something is asked."""
        for process in self.processes:
            process.connected = False
        await self.question(late)

    async def all_missed(self, posts: int) -> None:
        await self.missed(0)
        await self.burst(posts)

    async def cut(self, number: int) -> None:
        self._process(number).connected = False

    async def connect(self, number: int) -> None:
        self._process(number).connect()

    async def kill(self, number: int) -> None:
        await self._process(number).reborn()

    def _process(self, number: int) -> Process:
        return self.processes[number % 2]

    def _seen(self, post: Post) -> None:
        event = Seen(posted(post, self.company.agent))
        for process in self.processes:
            if process.connected:
                process.feed.events.append(event)

    async def check_position(self) -> None:
        """A position has passed nothing that is not stored, but for what is read again anyway."""
        read = (await positions(self.pool)).get(self.company.agent.id, 0)
        known = await stored(self.pool)
        passed = [post for post in self.history.questions if post.create_at < read - OVERLAP]
        assert [post for post in passed if post.id not in known] == []


@asynccontextmanager
async def scene(dsn: str, pool: Pool) -> AsyncIterator[Scene]:
    await pool.execute("truncate jobs, positions, bridge_state cascade")
    await pool.execute("truncate mattermost_org_mappings, mattermost_user_mappings cascade")
    async with (
        built_hosts(dsn, pool, clock_offset=-3600) as hosts,
        connect(hosts.server.url, hosts.bot_token.token, lambda *_: None) as api,
    ):
        await CatchUp(api, Positions(pool), idle_intake(pool, hosts.bot), "agent").begin()
        company = hosts.companies[0]
        processes = [Process(hosts, pool, api) for _ in range(2)]
        path = f"/channels/{company.agent.id}/posts"
        fault = hosts.server.faults.rest(RestFault(status=404, path=path, times=0))
        try:
            yield Scene(hosts, pool, company, processes, History(hosts, company), fault)
        finally:
            for process in processes:
                await process.die()


steps = st.one_of(
    st.tuples(st.just("step"), st.integers(0, 9)),
    st.tuples(st.sampled_from(["work", "connect", "cut", "kill"]), st.integers(0, 1)),
    st.tuples(st.sampled_from(["question", "missed"]), st.sampled_from([0, 1, 20_000, LATEST])),
    st.tuples(st.sampled_from(["follow_up", "chatter"]), st.just(0)),
    st.tuples(st.just("refuse"), st.integers(0, 3)),
    st.tuples(st.just("allow"), st.just(0)),
    st.tuples(st.just("wait"), st.sampled_from([1, 10_000, 61_000, 120_000])),
    st.tuples(st.sampled_from(["burst", "all_missed"]), st.sampled_from([70, 210])),
)


async def happens(dsn: str, pool: Pool, story: Sequence[tuple[str, int]]) -> None:
    async with scene(dsn, pool) as run:
        for step in story:
            await run.do(*step)
            await run.check_position()
        await run.allow(0)
        for process in run.processes:
            process.connected = False
            await process.drained()
        outcomes = await stored(pool)
        assert {post.id: outcomes.get(post.id) for post in run.history.questions} == {
            post.id: "waiting" for post in run.history.questions
        }


async def opened(stack: AsyncExitStack, postgres: str) -> tuple[str, Pool]:
    """Open a database that all stories share."""
    dsn = await stack.enter_async_context(fresh_database(postgres))
    return dsn, await stack.enter_async_context(await unchecked_pool(dsn))


def test_whatever_the_order_every_question_is_stored(postgres: str) -> None:
    """Cuts, kills, refusals, late posts and bursts, in two processes whose steps interleave in any way."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        dsn, pool = runner.run(opened(stack, postgres))

        @settings(max_examples=20, deadline=None)
        @given(story=st.lists(steps, min_size=10, max_size=50))
        def any_story(story: list[tuple[str, int]]) -> None:
            runner.run(happens(dsn, pool, story))

        try:
            any_story()
        finally:
            runner.run(stack.aclose())
