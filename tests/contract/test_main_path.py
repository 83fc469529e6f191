"""The mention path through the real daemon, on the same server as the rest of the contract."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from asyncpg import Pool

from bridge.models.chat import TeamId, UserId
from bridge.models.equa import PersonId
from handlers.posts.parts import MARK
from tests.contract.server import Account, Mattermost
from tests.support.agent import ACME, TOKEN, agent_served
from tests.support.daemon import Daemon, running
from tests.support.mappings import Mappings

QUESTION = "who is on our team?"
ANSWER = "Ada Lovelace"


@dataclass(frozen=True, slots=True)
class Office:
    """A team whose `#agent` the bot listens in."""

    server: Mattermost
    bot: Account
    ada: Account
    channel_id: str
    environ: Mapping[str, str]

    async def ask(self, text: str, root_id: str = "") -> dict[str, Any]:
        post = {"channel_id": self.channel_id, "message": text, "root_id": root_id}
        created: dict[str, Any] = await self.ada.api.post("/posts", post)
        return created

    async def answers(self, post: Mapping[str, Any], seconds: float = 60) -> list[str]:
        """Wait for the bot's answer to this very post and return all of its answers to it."""
        async with asyncio.timeout(seconds):
            while not (found := await self._answers(post)):
                await asyncio.sleep(0.05)
            return found

    async def _answers(self, post: Mapping[str, Any]) -> list[str]:
        thread = await self.ada.api.get(f"/posts/{post['root_id'] or post['id']}/thread")
        ours = [each for each in thread["posts"].values() if each["user_id"] == self.bot.id]
        return [each["message"] for each in ours if each["props"][MARK]["answers"] == post["id"]]


@pytest.fixture
async def office(server: Mattermost, dsn: str, pool: Pool) -> AsyncIterator[Office]:
    ada, bot = await server.account(), await server.bot()
    team = await server.team(ada, bot)
    channel = await server.channel(team["id"], ada, bot, name="agent")
    await Mappings(pool).map_team(ACME, TeamId(team["id"]))
    await Mappings(pool).map_person(PersonId(uuid4()), UserId(ada.id))
    async with agent_served() as (_, agent_url):
        environ = {
            "DATABASE_URL": dsn,
            "MATTERMOST_URL": server.url,
            "MATTERMOST_BOT_TOKEN": bot.token,
            "AGENT_URL": agent_url,
            "AGENT_TOKEN": TOKEN,
            "ASK_LIMIT": "999,999",
        }
        yield Office(server, bot, ada, channel["id"], environ)


@pytest.fixture
async def daemon(office: Office, tmp_path: Path) -> AsyncIterator[Daemon]:
    async with running(office.environ, tmp_path / "daemon.log") as started:
        yield started


async def test_a_mention_and_its_follow_up_are_answered(office: Office, daemon: Daemon) -> None:
    """The answer stands in the thread, and the thread goes on without a mention."""
    asked = await office.ask(f"@{office.bot.name} {QUESTION}")
    assert ANSWER in (await office.answers(asked))[0]

    again = await office.ask("what did I say?", asked["id"])
    assert QUESTION in (await office.answers(again))[0]


async def test_what_was_asked_while_it_was_down_is_answered_once(office: Office, daemon: Daemon) -> None:
    """After a kill the missed posts are read over REST, and what was answered is not answered again."""
    before = await office.ask(f"@{office.bot.name} {QUESTION}")
    await office.answers(before)
    await daemon.kill()
    missed = [await office.ask(f"@{office.bot.name} {QUESTION}") for _ in range(3)]
    follow_up = await office.ask("what did I say?", missed[0]["id"])

    await daemon.start()

    for post in (*missed, follow_up):
        assert len(await office.answers(post)) == 1
    assert len(await office.answers(before)) == 1


async def test_a_burst_in_many_threads_is_answered_once_each(office: Office, daemon: Daemon) -> None:
    """Thirty questions at once: every one is answered, none twice."""
    posts = await asyncio.gather(*(office.ask(f"@{office.bot.name} {QUESTION}") for _ in range(30)))

    answers = [await office.answers(post) for post in posts]

    assert [len(each) for each in answers] == [1] * 30
