"""A process that stood still for a while: whoever took its job over has answered, and it does not again."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Pool

from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.errors import LeaseLost, MattermostUnavailable
from bridge.ingest.post_acks import PostAcks
from bridge.mattermost.rest.client import RestMattermost
from bridge.mattermost.rest.retry_policy import RetryPolicy
from bridge.mattermost.rest.transport import Transport, client_session
from bridge.models.agent import AnswerEvent, Done
from bridge.models.chat import ChannelId, PostId, UserId
from bridge.models.equa import PersonId
from bridge.models.jobs import Entry, Job, Mention
from bridge.sandbox.mattermost import Channel, Post, RestFault, Server, Store, User
from handlers.jobs.mention import Mentions
from handlers.posts.parts import ReplyTarget, draft
from handlers.posts.posting import Poster
from tests.support.clock import Clock
from tests.support.mattermost import eventually, running_mattermost
from tests.support.mentions import make_mentions
from tests.support.posting import ACME

PATIENCE = RetryPolicy(timeout=60, first_delay=0.01, longest_delay=0.01, resend_for=25)


@dataclass
class Watch:
    """A clock that a test moves ahead."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Agent:
    meanwhile: Callable[[], Awaitable[object]] | None = None
    """What happens while it works."""
    remembers = True

    async def answer(self, _question: object) -> AsyncGenerator[AnswerEvent, None]:
        if self.meanwhile:
            await self.meanwhile()
        yield Done("forty-two")


@dataclass
class Process:
    """One of two bridges on a database, with a clock of its own."""

    mentions: Mentions
    inbox: Inbox
    clock: Watch

    async def claimed(self) -> Job:
        (job,) = await self.inbox.claim(Capacity(1))
        return job


@dataclass
class Chat:
    """A sandbox with the bot in a channel, and somebody's question there."""

    server: Server
    bot: User
    channel: Channel
    question: Post
    pool: Pool
    sessions: Any
    clock: Watch
    asked: list[str] = field(default_factory=list)

    def answers(self) -> list[str]:
        thread = self.server.store.thread(self.question.id)
        return [post.message for post in thread if post.user_id == self.bot.id]

    def process(self, agent: Agent | None = None) -> Process:
        clock, inbox = Watch(), Inbox(self.pool)
        token = self.server.store.create_token(self.bot).token
        transport = Transport(
            self.sessions,
            self.server.url,
            token,
            lambda name, *_: self.asked.append(name),
            RetryPolicy(timeout=60),
            clock=clock,
        )
        api = RestMattermost(transport, creating=PATIENCE)
        poster = Poster(api, UserId(self.bot.id), 16_383, PostAcks())
        mentions = make_mentions(
            self.pool, api=api, agent=agent or Agent(), inbox=inbox, poster=poster, clock=clock
        )
        return Process(mentions, inbox, clock)

    async def stored(self) -> None:
        post = self.question
        mention = Mention(
            PostId(post.id),
            ChannelId(self.channel.id),
            PostId(post.id),
            UserId(post.user_id),
            PersonId(UUID(int=2)),
            post.message,
            post.create_at,
        )
        entry = Entry("mention", f"thread:{post.id}", ACME, f"post:{post.id}", mention.payload())
        await Inbox(self.pool).put_all([entry])

    async def taken_over(self, by: Process) -> None:
        """Let the other process find the lease expired, and answer; then a minute passes."""
        await self.pool.execute("update jobs set lease = now() - interval '1 s'")
        await by.inbox.release_expired()
        await by.mentions.answer(await by.claimed())
        self.clock.seconds += 60


@pytest.fixture
async def chat(pool: Pool) -> AsyncIterator[Chat]:
    clock, began = Watch(), time.time()
    store = Store(clock=lambda: began + clock.seconds)
    async with running_mattermost(store) as server, client_session() as session:
        bot, ada = store.create_bot("equabot"), store.create_user("ada")
        team = store.create_team("acme", "Acme Corp", members=[bot, ada])
        channel = store.create_channel(team, "agent", members=[bot, ada])
        question = store.post_as(ada, channel, "@equabot what is six times seven?")
        chat = Chat(server, bot, channel, question, pool, session, clock)
        await chat.stored()
        yield chat


async def test_stopped_while_it_waits_to_send_its_create_again(chat: Chat) -> None:
    """Mattermost has forgotten the `pending_post_id` by which it would know the post."""
    late, other, time_passes = chat.process(), chat.process(), Clock()
    fault = chat.server.faults.rest(
        RestFault(status=503, retry_after=15, method="POST", path="/posts", times=1)
    )
    answering = asyncio.create_task(late.mentions.answer(await late.claimed()))
    await eventually(lambda: fault.times == 0)

    await chat.taken_over(other)
    late.clock.seconds += 60
    await time_passes.passes(16)
    with pytest.raises(MattermostUnavailable):
        await answering

    assert chat.answers() == ["forty-two"]


async def test_stopped_before_it_posts(chat: Chat) -> None:
    """The answer was kept when the job was still its own, and a minute has passed since."""
    late, other = chat.process(), chat.process()
    gate = late.mentions.poster.write_limit(ChannelId(chat.channel.id))
    for _ in range(4):
        await gate.acquire()
    answering = asyncio.create_task(late.mentions.answer(await late.claimed()))
    await _kept(chat.pool)

    await chat.taken_over(other)
    late.clock.seconds += 60
    gate.release()
    with pytest.raises(LeaseLost):
        await answering

    assert chat.answers() == ["forty-two"]


async def test_stopped_between_its_look_and_its_post(chat: Chat) -> None:
    """A second attempt has found nothing in the thread; when it goes on there is something."""
    late, other = chat.process(), chat.process()
    job = await late.claimed()
    await late.inbox.save_answer(job.id, "forty-two")
    await chat.pool.execute("update jobs set lease = now() - interval '1 s'")
    await late.inbox.release_expired()
    goes_on = asyncio.Event()
    fault = chat.server.faults.rest(RestFault(when="after", release=goes_on, path="/thread", times=1))
    answering = asyncio.create_task(late.mentions.answer(await late.claimed()))
    await eventually(lambda: fault.times == 0)

    await chat.taken_over(other)
    late.clock.seconds += 60
    goes_on.set()
    with pytest.raises(LeaseLost):
        await answering

    assert chat.answers() == ["forty-two"]


async def test_its_post_comes_while_another_process_asks_again(chat: Chat) -> None:
    """A crash of the database has taken the answer; the other has not found it in the thread yet."""
    late = chat.process()
    job = await late.claimed()
    target = ReplyTarget(ChannelId(chat.channel.id), PostId(chat.question.id), PostId(chat.question.id))

    async def comes() -> None:
        await late.mentions.poster.api.create_post(draft(job, target, "forty-two", 1, 1))
        chat.clock.seconds += 60

    await chat.taken_over(chat.process(Agent(comes)))

    assert chat.answers() == ["forty-two"]


async def _kept(pool: Pool) -> None:
    async with asyncio.timeout(60):
        while not await pool.fetchval("select answer from jobs"):
            await asyncio.sleep(0.005)
