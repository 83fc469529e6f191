"""A process that dies at any moment of a growing answer: another one makes the same posts exact."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, cast
from uuid import UUID

import pytest
from asyncpg import Pool

from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.ingest.post_acks import PostAcks
from bridge.mattermost.rest.client import RestMattermost
from bridge.mattermost.rest.transport import Transport, client_session
from bridge.models.agent import AnswerEvent, Began, Delta, Done
from bridge.models.chat import ChannelId, PostId, UserId
from bridge.models.equa import PersonId
from bridge.models.jobs import Entry, Job, Mention
from bridge.sandbox.mattermost import Channel, Post, RestFault, Server, Store, User
from handlers.answers.growth import Rhythm
from handlers.jobs.mention import Mentions
from handlers.posts.posting import Poster
from tests.support.crashes import Crash, Crashes, When
from tests.support.mattermost import eventually, running_mattermost
from tests.support.mentions import make_mentions
from tests.support.posting import ACME

LIMIT = 400
TIME_LIMIT = "api.post.update_post.permissions_time_limit.app_error"
PIECES = [f"Sentence number {number} of the answer, which takes its time. " for number in range(12)]
TEXT = "".join(PIECES).strip()
SHOWN_AT_ONCE = Rhythm(hold=0.01, first_pause=0.01, longer=1)


Holds = Mapping[int, Callable[[], bool]]
"""What has to be so before the agent says the piece with a number, from 0."""


@dataclass
class Agent:
    """Says its answer in pieces."""

    holds: Holds
    remembers = True

    async def answer(self, _question: object) -> AsyncGenerator[AnswerEvent, None]:
        yield Began("run")
        for number, piece in enumerate(PIECES):
            await eventually(self.holds.get(number, lambda: True))
            yield Delta(piece)
            await asyncio.sleep(0.01)
        yield Done(TEXT)


@dataclass
class Scene:
    """A channel with the bot, whose jobs processes take from one another."""

    pool: Pool
    server: Server
    bot: User
    ada: User
    channel: Channel
    api: RestMattermost

    def process(
        self, crashes: Crashes | None = None, holds: Holds = MappingProxyType({})
    ) -> tuple[Mentions, Inbox]:
        """Return a process; one with crashes dies at one of its calls."""
        inbox, api = Inbox(self.pool), cast(Any, self.api)
        if crashes:
            api = crashes.fragile(api)
        poster = Poster(api, UserId(self.bot.id), LIMIT, PostAcks())
        mentions = make_mentions(
            self.pool, api=api, agent=Agent(holds), inbox=inbox, poster=poster, rhythm=SHOWN_AT_ONCE
        )
        if crashes:
            asking = replace(mentions.asking, answers=crashes.fragile(mentions.asking.answers))
            mentions = replace(
                mentions, inbox=crashes.fragile(inbox), asking=asking, stops=crashes.fragile(mentions.stops)
            )
        return mentions, inbox

    async def asked(self) -> Post:
        post = self.server.store.post_as(self.ada, self.channel, "@equabot tell me")
        await self.asked_again(post)
        return post

    async def asked_again(self, post: Post) -> None:
        """Store the question of a post."""
        mention = Mention(
            PostId(post.id),
            ChannelId(self.channel.id),
            PostId(post.id),
            UserId(self.ada.id),
            PersonId(UUID(int=2)),
            post.message,
            post.create_at,
        )
        entry = Entry("mention", f"thread:{post.id}", ACME, f"post:{post.id}", mention.payload())
        await Inbox(self.pool).put_all([entry])

    def edits(self, post: Post) -> int:
        """Return how often the posts of an answer were edited."""
        made = [each for each in self.server.store.posts.values() if each.root_id == post.id]
        return sum(bool(each.original_id) for each in made)

    def answers(self, post: Post) -> list[str]:
        thread = self.server.store.thread(post.id)
        return [reply.message for reply in thread if reply.user_id == self.bot.id]


@pytest.fixture
async def scene(pool: Pool) -> AsyncIterator[Scene]:
    store = Store()
    async with running_mattermost(store) as server, client_session() as session:
        bot, ada = store.create_bot("equabot"), store.create_user("ada")
        team = store.create_team("acme", "Acme Corp", members=[bot, ada])
        channel = store.create_channel(team, "agent", members=[bot, ada])
        token = store.create_token(bot).token
        api = RestMattermost(Transport(session, server.url, token, lambda *_: None))
        yield Scene(pool, server, bot, ada, channel, api)


async def claimed(inbox: Inbox) -> Job:
    (job,) = await inbox.claim(Capacity(1))
    return job


@pytest.mark.parametrize("refused", [False, True], ids=["", "refused"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_at_any_call_leaves_one_exact_answer(
    scene: Scene, when: When, *, refused: bool
) -> None:
    """Whether the call was carried out or not, also where the server lets nobody edit."""
    whole = await _whole(scene)
    if refused:
        scene.server.faults.rest(RestFault(status=400, error_id=TIME_LIMIT, method="PUT", path="/patch"))
    ended_at = set[str]()
    for at in itertools.count(1):
        crashes = Crashes(at, when)
        await _made_good(scene, whole, crashes)
        if not crashes.happened:
            break
        ended_at.add(crashes.call)
    # How many edits there are depends on the time, and with them which call comes when.
    for name in {"create_post", "edit_post", "save_answer"} - ended_at:
        crashes = Crashes(1, when, name)
        await _made_good(scene, whole, crashes)
        assert crashes.happened


async def _made_good(scene: Scene, whole: list[str], crashes: Crashes) -> None:
    """Let one process die, and look at what another one makes of it."""
    post = await scene.asked()
    dying, inbox = scene.process(crashes)
    with suppress(Crash):
        await dying.answer(await claimed(inbox))

    await scene.pool.execute("update jobs set lease = now() - interval '1 s' where state = 'running'")
    other, inbox = scene.process()
    await inbox.release_expired()
    job = await claimed(inbox)
    await inbox.finish(job.id, await other.answer(job))

    assert scene.answers(post) == whole, crashes.call
    states = await scene.pool.fetch("select state from answer_posts where job_id = $1", job.id)
    assert {row["state"] for row in states} <= {"done", "failed"}, crashes.call


@pytest.mark.parametrize("refused", [False, True], ids=["", "edits refused"])
async def test_an_answer_that_the_database_has_lost_is_found_again(scene: Scene, *, refused: bool) -> None:
    """It has grown and is whole: nobody asks the agent once more, and no post changes."""
    if refused:
        scene.server.faults.rest(RestFault(status=400, error_id=TIME_LIMIT, method="PUT", path="/patch"))
    post = await scene.asked()
    mentions, inbox = scene.process()
    await mentions.answer(await claimed(inbox))
    shown = [(each.id, each.message, each.edit_at) for each in scene.server.store.thread(post.id)]
    await scene.pool.execute("delete from jobs")

    await scene.asked_again(post)
    restored, inbox = scene.process()
    later = replace(restored, answered_until=post.create_at + 1)
    result = await later.answer(await claimed(inbox))

    assert [(each.id, each.message, each.edit_at) for each in scene.server.store.thread(post.id)] == shown
    assert result["posts"] == [each for each, _, _ in shown[1:]]


async def test_a_half_answer_that_the_database_has_lost_is_completed(scene: Scene) -> None:
    whole = await _whole(scene)
    crashes = Crashes(2, "after", "edit_post")
    post = await scene.asked()
    shown = {
        1: lambda: bool(scene.answers(post)),
        2: lambda: scene.edits(post) == 1,
        3: lambda: scene.edits(post) == 2,
    }
    dying, inbox = scene.process(crashes, shown)
    with suppress(Crash):
        await dying.answer(await claimed(inbox))
    assert crashes.happened
    await scene.pool.execute("delete from jobs")

    await scene.asked_again(post)
    restored, inbox = scene.process()
    later = replace(restored, answered_until=post.create_at + 1)
    await later.answer(await claimed(inbox))

    assert scene.answers(post) == whole


@pytest.mark.parametrize(("status", "posts"), [(504, 3), (429, 2)])
async def test_no_edit_that_is_carried_out_late_ends_an_answer_in_its_middle(
    scene: Scene, status: int, posts: int
) -> None:
    """After an edit of unknown outcome its post is given up; one that was refused changes nothing."""
    whole = await _whole(scene)
    fault = scene.server.faults.rest(RestFault(status=status, method="PUT", path="/patch", times=1))
    post = await scene.asked()
    mentions, inbox = scene.process(holds={1: lambda: bool(scene.answers(post)), 2: lambda: not fault.times})

    await mentions.answer(await claimed(inbox))

    assert scene.answers(post) == whole
    made = [each for each in scene.server.store.posts.values() if each.root_id == post.id]
    assert len([each for each in made if not each.original_id]) == posts


async def _whole(scene: Scene) -> list[str]:
    """Return the posts of an answer to which nothing happens."""
    post = await scene.asked()
    mentions, inbox = scene.process()
    job = await claimed(inbox)
    await inbox.finish(job.id, await mentions.answer(job))
    assert len(scene.answers(post)) > 1
    return scene.answers(post)
