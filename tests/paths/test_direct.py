"""Somebody writes to the bot alone, and the agent of one of their organizations answers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest
from asyncpg import Pool

from bridge.db.job_history import JobHistory
from bridge.db.memberships import Memberships
from bridge.models.chat import PostId
from bridge.models.equa import PersonId
from bridge.sandbox.agent.faults import Says
from bridge.sandbox.mattermost import Channel, Post, User
from bridge.sandbox.mattermost.posts import edit_post
from handlers.posts.parts import MARK
from handlers.posts.remarks import BEGUN_ANEW, HOW_TO_GET_IN
from tests.support.daemon import Daemon, running
from tests.support.hosts import Company, Hosts

_NO_AGE = timedelta()


@dataclass
class Chat:
    """The direct channel of a person and the bot."""

    hosts: Hosts
    pool: Pool
    user: User
    channel: Channel

    def ask(self, text: str, root_id: str = "", files: Sequence[tuple[str, bytes]] = ()) -> Post:
        store = self.hosts.store
        ids = [store.upload_as(self.user, self.channel, name, data).id for name, data in files]
        return store.post_as(self.user, self.channel, text, root_id=root_id, file_ids=ids)

    def heard(self) -> list[Post]:
        """Return what the bot wrote, oldest first."""
        return [post for post in self.hosts.store.posts_in(self.channel) if post.user_id == self.hosts.bot.id]

    async def said(self, number: int) -> Post:
        """Wait until the bot has written so many posts, and return the last."""
        await self.hosts.until(lambda: len(self.heard()) >= number)
        assert len(self.heard()) == number
        return self.heard()[-1]

    async def asked(self, text: str, root_id: str = "") -> Post:
        """Write something and return what the bot writes next."""
        before = len(self.heard())
        self.ask(text, root_id)
        return await self.said(before + 1)

    async def join(self, company: Company) -> None:
        """Become a member of a company."""
        if not self.hosts.store.member_of_team(company.team.id, self.user.id):
            self.hosts.store.join(company.team, self.user)
        person = await self.person()
        await Memberships(self.pool).join(company.id, person, verdict_age=_NO_AGE)
        await Memberships(self.pool).joined(company.id, person)

    async def leave(self, company: Company) -> None:
        await Memberships(self.pool).leave(company.id, await self.person())

    async def person(self) -> PersonId:
        found: UUID = await self.pool.fetchval(
            "select id from mattermost_user_mappings where mattermost_user_id = $1", self.user.id
        )
        return PersonId(found)

    async def why(self, post: Post) -> str:
        """Return the reason that is stored with a post, as soon as its job has ended."""
        async with asyncio.timeout(60):
            while (
                record := await JobHistory(self.pool).record(PostId(post.id))
            ) is None or not record.finished:
                await asyncio.sleep(0.02)
        return str((record.result or {}).get("skipped", ""))

    def session_keys(self) -> list[str]:
        """Return the session keys of the questions to the agent."""
        return [call.session_key for call in self.hosts.agent.calls]

    def organizations(self) -> list[str]:
        return [call.headers["x-equa-organization"] for call in self.hosts.agent.calls]


@pytest.fixture
def chat(hosts: Hosts, pool: Pool, acme: Company) -> Chat:
    """The direct channel of somebody in Acme's team, who is no member yet as far as the bridge knows."""
    user = acme.people[0]
    return Chat(hosts, pool, user, hosts.store.direct(user, hosts.bot))


@pytest.fixture
async def remembering_nothing(hosts: Hosts, tmp_path: Path) -> AsyncIterator[Daemon]:
    """A daemon whose agent is told the conversation with every question."""
    environ = {**hosts.environ, "AGENT_KIND": "openai", "AGENT_MODEL": "equabot"}
    async with running(environ, tmp_path / "daemon.log") as started:
        yield started


@pytest.mark.parametrize(
    ("edited", "heard"),
    [("new", BEGUN_ANEW), ("hilfe", "Hello! I am your"), ("use Borealis", "**borealis**")],
)
async def test_a_question_that_becomes_a_command_is_done(
    hosts: Hosts, acme: Company, borealis: Company, chat: Chat, daemon: Daemon, *, edited: str, heard: str
) -> None:
    """While the agent works on it; what was shown of an answer ends there."""
    await chat.join(acme)
    await chat.asked("hello")
    await chat.join(borealis)
    hosts.agent.fail(Says(" ".join(f"word{number}" for number in range(300)), pause=600))
    question = chat.ask("a long story")
    half = await chat.said(2)

    edit_post(hosts.store, question, {"message": edited})
    said = await chat.said(3)

    assert heard in said.message
    assert half.message.endswith("(interrupted)")
    assert len(hosts.agent.calls) == 2
    await hosts.agent.until(lambda: hosts.agent.cancelled == 1)


async def test_a_member_of_one_organization_is_simply_answered(
    hosts: Hosts, acme: Company, chat: Chat, daemon: Daemon
) -> None:
    """No mention is needed; the answer is flat, or in the thread, and both are one conversation."""
    await chat.join(acme)

    flat = await chat.asked("who is on our team?")
    thread = await chat.asked("and what documents do we have?", root_id=flat.id)

    assert (flat.root_id, thread.root_id) == ("", flat.id)
    assert "Acme Corp" in flat.message
    assert "attachments" not in flat.props
    key = f"mattermost:{acme.id}:{chat.channel.id}:{await chat.person()}:1"
    assert chat.session_keys() == [key, key]


async def test_a_member_of_several_chooses_once(
    hosts: Hosts, acme: Company, borealis: Company, chat: Chat, daemon: Daemon
) -> None:
    """The bot asks which, answers what waited, shows the organization and changes it on demand."""
    await chat.join(acme)
    await chat.join(borealis)
    waiting = chat.ask("who is on our team?")
    which = await chat.said(1)
    assert which.message.endswith("1. acme\n2. borealis")
    assert not hosts.agent.calls

    chat.ask("2")
    answer = await chat.said(3)
    assert "Borealis Labs" in answer.message
    assert answer.props[MARK]["answers"] == waiting.id
    assert answer.props["attachments"] == [{"footer": "borealis"}]
    assert await chat.why(waiting) == "organization_asked"

    again = await chat.asked("2")
    assert again.props[MARK]["answers"], "a number is a question again"
    switched = await chat.asked("@equabot use Acme!")
    assert "**acme**" in switched.message
    await chat.asked("who is on our team?")
    unknown = await chat.asked("@equabot use Zenith")
    assert "Zenith" in unknown.message
    await chat.asked("2")
    await chat.asked("who is on our team?")
    assert (await chat.asked("@equabot new")).message == BEGUN_ANEW
    await chat.asked("hello")

    assert chat.organizations() == [str(borealis.id)] * 2 + [str(acme.id)] + [str(borealis.id)] * 2
    numbers = [key.rpartition(":")[2] for key in chat.session_keys()]
    assert numbers == ["1", "1", "2", "3", "4"]


async def test_nothing_of_one_organization_reaches_the_other(
    hosts: Hosts, acme: Company, borealis: Company, chat: Chat, remembering_nothing: Daemon
) -> None:
    """The agent is told the present conversation alone, in threads too, also after a change back."""
    await chat.join(acme)
    await chat.join(borealis)
    await chat.asked("@equabot use acme")
    first = await chat.asked("hello, the secret is amber")
    await chat.asked("@equabot use borealis")
    await chat.asked("hello, the secret is blue")
    in_thread = await chat.asked("what did I say in this thread?", root_id=first.id)
    await chat.asked("use acme")
    last = await chat.asked("what did I say?")

    assert in_thread.root_id == first.id
    reported = [
        (call.headers["x-equa-organization"], [message["content"] for message in call.messages])
        for call in hosts.agent.calls
    ]
    for organization, texts in reported:
        foreign = "blue" if organization == str(acme.id) else "amber"
        assert not any(foreign in text for text in texts), texts
        other = "Borealis" if organization == str(acme.id) else "Acme"
        assert not any(other in text for text in texts), texts
    assert reported[1][1] == ["hello, the secret is blue"]
    assert reported[2][1][0] == "hello, the secret is blue"
    assert reported[3][1] == ["what did I say?"]
    assert "first message" in last.message


async def test_who_leaves_gets_nothing(
    hosts: Hosts, acme: Company, borealis: Company, chat: Chat, daemon: Daemon
) -> None:
    """A question for an organization that was left goes to no other one."""
    await chat.join(acme)
    await chat.join(borealis)
    await chat.asked("@equabot use borealis")
    await chat.asked("who is on our team?")

    await chat.leave(borealis)
    asked = chat.ask("what documents do we have?")
    reported = await chat.said(3)
    assert "no longer a member" in reported.message
    assert await chat.why(asked) == "left_organization"
    await chat.asked("hello")
    await chat.leave(acme)
    assert (await chat.asked("hello")).message == HOW_TO_GET_IN

    assert chat.organizations() == [str(borealis.id), str(acme.id)]


async def test_the_teams_members_count_where_equa_cannot_be_asked(
    hosts: Hosts, acme: Company, chat: Chat, daemon: Daemon
) -> None:
    """Without a service account somebody who is out of the team is no member."""
    await chat.join(acme)
    await chat.asked("hello")
    hosts.store.leave(acme.team, chat.user)
    assert (await chat.asked("hello")).message.startswith("I answer members")
    assert len(hosts.agent.calls) == 1


async def test_strangers_groups_and_bots(hosts: Hosts, acme: Company, chat: Chat, daemon: Daemon) -> None:
    """Somebody without a mapping hears how to get in, a group one sentence once, and bots nothing."""
    stranger, other = hosts.store.create_user("stranger"), hosts.store.create_bot("other")
    direct = hosts.store.direct(stranger, hosts.bot)
    hosts.store.post_as(other, hosts.store.direct(other, hosts.bot), "hello")
    hosts.store.post_as(stranger, direct, "hello")
    await hosts.until(lambda: len(hosts.store.posts_in(direct)) == 2)
    assert hosts.store.posts_in(direct)[-1].message == HOW_TO_GET_IN

    group = hosts.store.group(chat.user, stranger, hosts.bot)
    for _ in range(2):
        hosts.store.post_as(chat.user, group, "@equabot hello")
    await chat.join(acme)
    await chat.asked("hello")
    answers = [post for post in hosts.store.posts_in(group) if post.user_id == hosts.bot.id]
    assert [post.message.partition(" I cannot")[0] for post in answers] == ["In a group message"]
    assert len(hosts.agent.calls) == 1


async def test_what_is_asked_while_nobody_listens_is_answered(
    hosts: Hosts, acme: Company, chat: Chat, daemon: Daemon
) -> None:
    """A direct channel that appears meanwhile is found at the next start."""
    await chat.join(acme)
    await daemon.kill()
    chat.ask("who is on our team?")
    await daemon.start()
    assert "Acme Corp" in (await chat.said(1)).message


async def test_the_agent_speaks_into_the_conversation_that_there_is(
    hosts: Hosts, acme: Company, borealis: Company, chat: Chat, daemon: Daemon
) -> None:
    """Files and messages reach direct messages while they are its organization's, and its member's."""
    await chat.join(acme)
    chat.ask("", files=[("table.csv", b"Ada,100")])
    assert "Ada,100" in (await chat.said(1)).message
    key = chat.session_keys()[0]

    assert [await speak(daemon, key, "a report"), await send_file(daemon, key)] == [202, 202]
    message, file = sorted([await chat.said(3), chat.heard()[1]], key=lambda post: len(post.files))
    assert (message.root_id, file.root_id, file.files[0].name) == ("", "", "report.csv")
    other, again = key.replace(str(acme.id), str(borealis.id)), f"{key}0"
    assert [(await send_file(daemon, each)) for each in (other, again)] == [404, 404]

    await chat.join(borealis)
    await chat.asked("@equabot use Borealis")
    assert await send_file(daemon, key) == 404
    await chat.asked("@equabot use Acme")
    chat.ask("hello")
    await hosts.until(lambda: len(chat.session_keys()) == 2)
    key = chat.session_keys()[1]
    assert await send_file(daemon, key) == 202
    await chat.leave(acme)
    assert await send_file(daemon, key) == 404


async def send_file(daemon: Daemon, key: str) -> int:
    """Send a file of the agent, another one each time; returns the status."""
    form = aiohttp.FormData()
    form.add_field("conversation", key)
    form.add_field("file", b"a,b", filename="report.csv")
    return await _sent(daemon, "files", {"Idempotency-Key": uuid4().hex}, data=form)


async def speak(daemon: Daemon, key: str, text: str) -> int:
    """Let the agent say something; returns the status."""
    organization = key.split(":")[1]
    event = {"specversion": "1.0", "id": uuid4().hex, "source": "a-peer", "subject": organization}
    said = {"type": "cc.equa.agent.message", "data": {"conversation": key, "text": text}}
    return await _sent(daemon, "events", {}, json={**event, **said})


async def _sent(daemon: Daemon, route: str, headers: dict[str, str], **body: Any) -> int:
    headers = {"Authorization": "Bearer the-first-peers-token", **headers}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{daemon.url}/api/v1/mattermost/{route}", headers=headers, **body) as response,
    ):
        return response.status


async def test_of_somebody_who_left_meanwhile_the_half_answer_is_closed(
    hosts: Hosts, acme: Company, chat: Chat, pool: Pool, tmp_path: Path
) -> None:
    """The process that answered has died, and the next one asks the agent nothing."""
    await chat.join(acme)
    hosts.agent.fail(Says(" ".join(f"word{number}" for number in range(300)), pause=600))
    async with running(hosts.environ, tmp_path / "first.log") as first:
        half = await chat.asked("a long story")
        await first.kill()
    await chat.leave(acme)
    await pool.execute("update jobs set lease = now()")

    async with running(hosts.environ, tmp_path / "second.log"):
        await chat.said(2)

    assert half.message.startswith("word0 word1")
    assert half.message.endswith("\n\n(interrupted)")
    assert len(hosts.agent.calls) == 1


async def test_two_processes_keep_one_order(hosts: Hosts, chat: Chat, daemon: Daemon, tmp_path: Path) -> None:
    """Choices and questions that come at once are taken in their order, each once, whoever takes them."""
    acme, borealis = hosts.companies
    await chat.join(acme)
    await chat.join(borealis)
    async with running(hosts.environ, tmp_path / "second.log"):
        for name in ("acme", "borealis", "acme"):
            chat.ask(f"@equabot use {name}")
            chat.ask("who is on our team?")
        await hosts.until(lambda: len(chat.heard()) >= 6)

    assert chat.organizations() == [str(each.id) for each in (acme, borealis, acme)]
    assert [post.message.startswith("I answer for") for post in chat.heard()] == [True, False] * 3
    assert [key.rpartition(":")[2] for key in chat.session_keys()] == ["1", "2", "3"]
