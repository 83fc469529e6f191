"""What the agent says by itself is posted once, by the bot, and only where its organization is."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from asyncpg import Pool

from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.db.teams import Teams
from bridge.errors import (
    BridgeError,
    ChannelNotUsable,
    ConversationUnknown,
    MattermostUnavailable,
    TeamNotMapped,
)
from bridge.ingest.post_acks import PostAcks
from bridge.mattermost.rest.client import RestMattermost
from bridge.mattermost.rest.retry_policy import RetryPolicy
from bridge.mattermost.rest.transport import Transport, client_session
from bridge.models.chat import ChannelId, FileId, PostId, TeamId, UserId
from bridge.models.conversations import Conversation
from bridge.models.equa import OrganizationId, PersonId
from bridge.models.jobs import Entry, Job, Mention, OutgoingMessage, message_entry
from bridge.runtime.conversations import conversation_check
from bridge.sandbox.mattermost import Channel, Post, RestFault, Server, Store, Team, User
from bridge.sandbox.mattermost.channels import archive_channel
from handlers.jobs.agent_message import AgentMessages
from handlers.posts.channel_posts import ChannelPosts
from handlers.posts.parts import MARK
from handlers.posts.posting import Poster
from tests.support.mappings import Mappings
from tests.support.mattermost import eventually, running_mattermost

ONCE = RetryPolicy(tries=1)
ACME, BOREALIS = OrganizationId(UUID(int=1)), OrganizationId(UUID(int=2))


@dataclass(frozen=True, slots=True)
class Chat:
    """Two organizations with their teams; in each somebody has asked the bot something."""

    server: Server
    bot: User
    teams: Mapping[OrganizationId, Team]
    channels: Mapping[OrganizationId, Channel]
    questions: Mapping[OrganizationId, Post]

    @property
    def store(self) -> Store:
        return self.server.store

    def conversation(self, organization: OrganizationId, **changes: Any) -> str:
        """The key of the conversation in which the organization has asked."""
        question = self.questions[organization]
        real = Conversation(organization, ChannelId(question.channel_id), PostId(question.id))
        return replace(real, **changes).key

    def said(self) -> list[Post]:
        """Everything that was posted for the agent anywhere, oldest first."""
        posts = (post for channel in self.store.channels.values() for post in self.store.posts_in(channel))
        return sorted((post for post in posts if MARK in post.props), key=lambda post: post.create_at)


@pytest.fixture
async def chat(pool: Pool, inbox: Inbox) -> AsyncIterator[Chat]:
    async with running_mattermost() as server:
        store = server.store
        bot, ada = store.create_bot("equabot"), store.create_user("ada")
        chat = Chat(server, bot, {}, {}, {})
        for organization, name in ((ACME, "acme"), (BOREALIS, "borealis")):
            team = store.create_team(name, name, members=[bot, ada])
            channel = store.create_channel(team, "agent", members=[bot, ada])
            question = store.post_as(ada, channel, "@equabot hello")
            await Mappings(pool).map_team(organization, TeamId(team.id), team.name)
            await inbox.put_all([asked(organization, question)])
            for part, value in ((chat.teams, team), (chat.channels, channel), (chat.questions, question)):
                part[organization] = value  # type: ignore[index]
        yield chat


@pytest.fixture
def inbox(pool: Pool) -> Inbox:
    return Inbox(pool)


@pytest.fixture
async def messages(chat: Chat, pool: Pool, inbox: Inbox) -> AsyncIterator[AgentMessages]:
    token = chat.store.create_token(chat.bot).token
    async with client_session() as session:
        transport = Transport(session, chat.server.url, token, lambda *_: None, ONCE)
        poster = Poster(RestMattermost(transport, creating=ONCE), UserId(chat.bot.id), 16_383, PostAcks())
        check = conversation_check(poster.api, pool, None)
        yield AgentMessages(ChannelPosts(Teams(pool), poster), check, inbox)


def asked(organization: OrganizationId, post: Post) -> Entry:
    """The job of a question."""
    root, person = PostId(post.root_id or post.id), PersonId(uuid4())
    channel, user = ChannelId(post.channel_id), UserId(post.user_id)
    mention = Mention(PostId(post.id), channel, root, user, person, post.message, post.create_at)
    return Entry("mention", f"thread:{root}", organization, f"post:{post.id}", mention.payload())


async def claimed(
    inbox: Inbox,
    text: str = "hello",
    organization: OrganizationId = ACME,
    *,
    place: Mapping[str, str],
    file: FileId | None = None,
) -> Job:
    message = OutgoingMessage(place.get("channel"), place.get("conversation"), text, file)
    entry = message_entry(organization, message, f"message:{uuid4()}")
    await inbox.put_all([replace(entry, lane=entry.dedupe)])
    (job,) = await inbox.claim(Capacity(1, kinds=["agent_message"]))
    return job


async def taken_over(messages: AgentMessages, pool: Pool) -> tuple[AgentMessages, Job]:
    """Another process with the same job, after the first has died with it."""
    await pool.execute("update jobs set lease = now() - interval '1 s' where state = 'running'")
    other = Inbox(pool)
    await other.release_expired()
    (job,) = await other.claim(Capacity(1, kinds=["agent_message"]))
    return replace(messages, inbox=other), job


async def test_it_stands_in_its_channel(chat: Chat, messages: AgentMessages, inbox: Inbox) -> None:
    """As Markdown, by the bot."""
    result = await messages.post(
        await claimed(inbox, "The **cap table** has changed.", place={"channel": "agent"})
    )

    (post,) = chat.said()
    assert result == {"posts": [post.id]}
    assert (post.message, post.root_id) == ("The **cap table** has changed.", "")
    assert post.channel_id == chat.channels[ACME].id


async def test_the_bot_joins_an_open_channel_for_it(
    chat: Chat, messages: AgentMessages, inbox: Inbox
) -> None:
    """A channel of the team that the bot is not in yet."""
    other = chat.store.create_channel(chat.teams[ACME], "finance")

    await messages.post(await claimed(inbox, place={"channel": "finance"}))

    assert [post.channel_id for post in chat.said()] == [other.id]


async def test_it_stands_in_the_thread_of_its_conversation(
    chat: Chat, messages: AgentMessages, inbox: Inbox
) -> None:
    """Also under the key that a gateway stores."""
    for key in (chat.conversation(ACME), f"agent:main:{chat.conversation(ACME)}"):
        await messages.post(await claimed(inbox, place={"conversation": key}))

    assert [post.root_id for post in chat.said()] == [chat.questions[ACME].id] * 2


async def test_it_has_the_protections_of_an_answer(chat: Chat, messages: AgentMessages, inbox: Inbox) -> None:
    """No mass mention, no foreign image, no hidden reasoning; what is silent is not posted."""
    text = "<think>secret</think>@all ![x](https://evil.example/x.png)"
    await messages.post(await claimed(inbox, text, place={"channel": "agent"}))
    result = await messages.post(await claimed(inbox, "NO_REPLY", place={"channel": "agent"}))

    (post,) = chat.said()
    assert post.message == "@\u200ball [x](https://evil.example/x.png)"
    assert result == {"skipped": "no_reply"}


async def test_no_organization_reaches_another(
    chat: Chat, messages: AgentMessages, inbox: Inbox, pool: Pool
) -> None:
    """Neither by a foreign key, nor by one made of parts of two, nor by a channel that only the other has."""
    foreign, own = chat.questions[BOREALIS], chat.questions[ACME]
    aside = chat.store.post_as(chat.store.users[own.user_id], chat.channels[ACME], "among us")
    chat.store.create_channel(chat.teams[BOREALIS], "secrets")
    chat.store.create_channel(chat.teams[ACME], "board", private=True, members=[chat.bot])
    attempts: list[tuple[dict[str, str], type[BridgeError]]] = [
        ({"conversation": chat.conversation(BOREALIS)}, ConversationUnknown),
        ({"conversation": chat.conversation(ACME, thread=foreign.id)}, ConversationUnknown),
        ({"conversation": chat.conversation(ACME, channel_id=foreign.channel_id)}, ConversationUnknown),
        ({"conversation": chat.conversation(BOREALIS, organization_id=ACME)}, ConversationUnknown),
        ({"conversation": chat.conversation(ACME, thread=aside.id)}, ConversationUnknown),
        ({"channel": "secrets"}, ChannelNotUsable),
        ({"channel": "board"}, ChannelNotUsable),
    ]
    for place, expected in attempts:
        job = await claimed(inbox, place=place)
        with pytest.raises(expected):
            await messages.post(job)
        await inbox.dead_letter(job.id, "refused")

    # Not even if the team has gone to another organization since.
    await pool.execute("delete from mattermost_org_mappings where organization_id = $1", ACME)
    await Mappings(pool).map_team(ACME, TeamId("z" * 26))
    with pytest.raises(ConversationUnknown):
        await messages.post(await claimed(inbox, place={"conversation": chat.conversation(ACME)}))
    assert chat.said() == []


async def test_it_waits_for_its_team_and_its_channel(
    chat: Chat, messages: AgentMessages, inbox: Inbox
) -> None:
    """The worker tries again later."""
    stranger = await claimed(inbox, "hello", OrganizationId(uuid4()), place={"channel": "agent"})
    with pytest.raises(TeamNotMapped):
        await messages.post(stranger)
    archive_channel(chat.store, chat.store.admin, chat.channels[ACME])
    for place in ({"channel": "agent"}, {"conversation": chat.conversation(ACME)}):
        with pytest.raises(ChannelNotUsable):
            await messages.post(await claimed(inbox, place=place))


@pytest.mark.parametrize("in_conversation", [True, False])
async def test_every_part_is_posted_once_whatever_is_lost(
    chat: Chat, messages: AgentMessages, inbox: Inbox, pool: Pool, *, in_conversation: bool
) -> None:
    """The second part is stored, its answer is cut, and the server forgets the pending id."""
    text = "\n\n".join(f"paragraph {number} " + "x" * 9000 for number in range(3))
    place = {"conversation": chat.conversation(ACME)} if in_conversation else {"channel": "agent"}
    file = chat.store.upload_as(chat.bot, chat.channels[ACME], "table.csv", b"1,2")
    job = await claimed(inbox, text, place=place, file=FileId(file.id))
    chat.server.faults.rest(RestFault(delay=0.2, method="POST", path="/posts"))
    cut = RestFault(when="after", cut=True, method="POST", path="/posts", times=1)
    posting = asyncio.create_task(messages.post(job))
    await eventually(lambda: len(chat.said()) == 1)
    chat.server.faults.clear()
    chat.server.faults.rest(cut)
    with pytest.raises(MattermostUnavailable):
        await posting
    await chat.server.restart()

    other, same = await taken_over(messages, pool)
    result = await other.post(same)

    posts = chat.said()
    root = chat.questions[ACME].id if in_conversation else posts[0].id
    assert result == {"posts": [post.id for post in posts]}
    assert [post.message[:11] for post in posts] == ["paragraph 0", "paragraph 1", "paragraph 2"]
    assert [post.root_id or post.id for post in posts] == [root] * 3
    assert [len(post.files) for post in posts] == [1, 0, 0]
