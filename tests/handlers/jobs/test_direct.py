"""A direct message, when it is its turn: who is asked, and what a crash or an outage leaves."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal, cast
from uuid import UUID

import pytest
from asyncpg import Pool

from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.db.memberships import Memberships
from bridge.errors import EquaUnavailable
from bridge.ingest.post_acks import PostAcks
from bridge.mattermost.rest.client import RestMattermost
from bridge.mattermost.rest.retry_policy import RetryPolicy
from bridge.mattermost.rest.transport import Transport, client_session
from bridge.models.agent import AnswerEvent, Done, Question
from bridge.models.chat import ChannelId, PostId, TeamId, UserId
from bridge.models.conversation_starts import Candidate
from bridge.models.equa import OrganizationId, PersonId
from bridge.models.jobs import Entry, Job, Mention
from bridge.sandbox.mattermost import Channel, Post, Server, User
from handlers.jobs.choice_texts import TRY_LATER
from handlers.jobs.direct import DirectMessages
from handlers.posts.posting import Poster
from tests.contract.server import next_millisecond
from tests.support.crashes import Crash, Crashes
from tests.support.mappings import Mappings
from tests.support.mattermost import running_mattermost
from tests.support.mentions import make_mentions

ACME, BIRCH = OrganizationId(UUID(int=1)), OrganizationId(UUID(int=2))
ADA = PersonId(UUID(int=11))


@dataclass
class Agent:
    """Answers with the organization that it is asked for."""

    remembers: bool = True
    asked: list[Question] = field(default_factory=list)

    async def answer(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        self.asked.append(question)
        yield Done(f"I am {question.organization_id.int}.")


@dataclass
class Equa:
    """Says who is a member, or nothing."""

    members: set[OrganizationId] = field(default_factory=lambda: {ACME, BIRCH})
    failure: EquaUnavailable | None = None
    silent: set[OrganizationId] = field(default_factory=set)
    """Organizations that the service account cannot see."""

    async def among(self, candidates: Sequence[Candidate], *_: object) -> Sequence[Candidate]:
        if self.failure:
            raise self.failure
        if any(each.organization_id in self.silent for each in candidates):
            raise EquaUnavailable("Equa does not show it.")
        return [each for each in candidates if each.organization_id in self.members]


@dataclass
class Scene:
    """Ada, in two organizations, and her direct channel with the bot."""

    server: Server
    pool: Pool
    api: RestMattermost
    bot: User
    ada: User
    channel: Channel
    inbox: Inbox
    agent: Agent = field(default_factory=Agent)
    equa: Equa = field(default_factory=Equa)

    def handler(self, crashes: Crashes | None = None) -> DirectMessages:
        """Return the handler of a process, which may be going to crash."""
        api: Any = crashes.fragile(self.api) if crashes else self.api
        inbox: Any = crashes.fragile(self.inbox) if crashes else self.inbox
        poster = Poster(api, UserId(self.bot.id), 16_383, PostAcks())
        mentions = make_mentions(self.pool, api=api, agent=self.agent, inbox=self.inbox, poster=poster)
        commands = mentions.commands
        if crashes:
            commands = replace(commands, starts=cast(Any, crashes.fragile(commands.starts)))
        return DirectMessages(api, inbox, cast(Any, self.equa), mentions, commands)

    async def write(self, text: str, user: User | None = None) -> Post:
        """Write something and put it into the inbox."""
        author = user or self.ada
        post = self.server.store.post_as(author, self.channel, text)
        person = ADA if author is self.ada else None
        message = Mention(
            PostId(post.id), ChannelId(post.channel_id), "", UserId(author.id), person, text, post.create_at
        )
        lane = f"direct:{post.channel_id}"
        await self.inbox.put_all([Entry("direct", lane, None, f"post:{post.id}", message.payload())])
        return post

    async def job(self) -> Job | None:
        """Take the next job into hand, also one whose process has died."""
        await self.pool.execute("update jobs set lease = now() - interval '1 s' where state = 'running'")
        await self.inbox.release_expired()
        jobs = await self.inbox.claim(Capacity(1))
        return jobs[0] if jobs else None

    async def work(self) -> None:
        """Do all that waits."""
        while job := await self.job():
            await self.inbox.finish(job.id, await self.handler().answer(job))

    def said(self) -> list[str]:
        """Return what the bot has written, oldest first."""
        posts = self.server.store.posts_in(self.channel)
        return [post.message for post in posts if post.user_id == self.bot.id]


@pytest.fixture
async def scene(pool: Pool) -> AsyncIterator[Scene]:
    async with running_mattermost() as server, client_session() as session:
        store = server.store
        bot, ada = store.create_bot("equabot"), store.create_user("ada")
        mappings, memberships = Mappings(pool), Memberships(pool)
        await mappings.map_person(ADA, UserId(ada.id), "ada")
        for organization, team, name in ((ACME, "a", "acme"), (BIRCH, "b", "birch")):
            await mappings.map_team(organization, TeamId(team * 26), name)
            await memberships.join(organization, ADA, verdict_age=timedelta())
            await memberships.joined(organization, ADA)
        once = RetryPolicy(tries=1)
        transport = Transport(session, server.url, store.create_token(bot).token, lambda *_: None, once)
        api = RestMattermost(transport, creating=once)
        yield Scene(server, pool, api, bot, ada, store.direct(ada, bot), Inbox(pool))


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_choice_survives_crashes(scene: Scene, when: Literal["before", "after"]) -> None:
    """At whichever call the process dies: one list, one choice, and each waiting question answered once."""
    await scene.write("who are you?")
    await scene.write("and who else?")
    await scene.work()
    at = 1
    await scene.write("2")
    while job := await scene.job():
        crashes = Crashes(at, when)
        try:
            result = await scene.handler(crashes).answer(job)
        except Crash:
            at += 1
        else:
            await scene.inbox.finish(job.id, result)
            at = 1

    assert [text.partition(" ")[0] for text in scene.said()] == ["Which", "Which", "I", "I", "I"]
    assert scene.said()[-2:] == ["I am 2.", "I am 2."]
    assert {(each.organization_id, each.generation) for each in scene.agent.asked} == {(BIRCH, 1)}


async def test_a_late_question_goes_where_it_was_asked(scene: Scene) -> None:
    """What was written before a change, and is read after it, is still for the organization of then."""
    await scene.write("use acme")
    await scene.work()
    late = scene.server.store.post_as(scene.ada, scene.channel, "the secret of acme")
    await next_millisecond()
    await scene.write("use birch")
    await scene.work()
    message = Mention(
        PostId(late.id),
        ChannelId(late.channel_id),
        "",
        UserId(scene.ada.id),
        ADA,
        late.message,
        late.create_at,
    )
    lane = f"direct:{late.channel_id}"
    await scene.inbox.put_all([Entry("direct", lane, None, f"post:{late.id}", message.payload())])
    await scene.work()

    assert [(each.organization_id, each.text) for each in scene.agent.asked] == [(ACME, "the secret of acme")]


async def test_equa_is_away(scene: Scene) -> None:
    """The question waits for a while; then there is a sentence, and no agent is asked."""
    scene.equa.failure = EquaUnavailable("Equa is away.")
    await scene.write("who are you?")
    job = await scene.job()
    assert job
    with pytest.raises(EquaUnavailable):
        await scene.handler().answer(job)

    result = await scene.handler().answer(replace(job, created=job.created - timedelta(seconds=30)))

    assert result["skipped"] == "membership_unknown"
    assert scene.said() == [TRY_LATER]
    assert scene.agent.asked == []


async def test_an_organization_that_equa_does_not_show_holds_up_no_other(scene: Scene) -> None:
    """A choice is checked alone, and so is a question that goes on with one."""
    scene.equa.silent = {BIRCH}
    await scene.write("use acme")
    await scene.write("who are you?")
    await scene.work()

    assert scene.said()[-1] == "I am 1."


async def test_who_leaves_while_the_answer_waits_gets_none(scene: Scene) -> None:
    """An answer that an earlier attempt has stored is not posted any more."""
    await scene.write("use birch")
    await scene.work()
    await scene.write("who are you?")
    job = await scene.job()
    assert job
    scene.equa.members = {ACME}

    result = await scene.handler().answer(replace(job, answer="I am 2.", attempts=2))

    assert result["skipped"] == "left_organization"
    assert "I am 2." not in scene.said()


async def test_bots_and_deactivated_accounts_get_nothing(scene: Scene) -> None:
    """Whatever they look like to the websocket."""
    other = scene.server.store.create_bot("other")
    await scene.write("hello", other)
    scene.ada.delete_at = 1
    await scene.write("hello")
    await scene.work()

    assert scene.said() == []
    reasons = await scene.pool.fetch("select result ->> 'skipped' as why from jobs order by id")
    assert [row["why"] for row in reasons] == ["other_bot", "deactivated"]


async def test_a_deleted_question_is_not_answered(scene: Scene) -> None:
    """Outside of a thread Mattermost itself would take the answer."""
    await scene.write("use acme")
    await scene.work()
    post = await scene.write("who are you?")
    post.delete_at = 1
    await scene.work()

    assert len(scene.said()) == 1
