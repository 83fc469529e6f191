"""People who address the account that posts notices: it says whom to ask, once a day."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from asyncpg import Pool

from bridge.db.teams import Teams
from bridge.models.chat import ChannelId
from bridge.sandbox.mattermost import Channel, Post, User, channels
from bridge.sandbox.mattermost.users import patch_user
from tests.support.daemon import running
from tests.support.hosts import Company, Hosts
from tests.support.sealed import entry

HINT = "I only post notices. Please ask @equabot in ~agent."


@dataclass
class Scene:
    hosts: Hosts
    notices: User

    def said(self, post: Post) -> list[str]:
        thread = self.hosts.store.thread(post.id)
        return [reply.message for reply in thread if reply.user_id == self.notices.id]

    async def hears(self, post: Post) -> None:
        await self.hosts.until(lambda: self.said(post) == [HINT])


@pytest.fixture
async def scene(hosts: Hosts, acme: Company, tmp_path: Path) -> AsyncIterator[Scene]:
    notices = hosts.store.create_bot("equa-admin-bot")
    hosts.store.join(acme.team, notices)
    environ = {
        **hosts.environ,
        "MATTERMOST_NOTICE_TOKEN": hosts.store.create_token(notices).token,
        "MATTERMOST_ADMIN_BOT_TOKEN": hosts.store.admin_token,
        "TOKEN_KEYS": entry("k1"),
    }
    async with running(environ, tmp_path / "daemon.log"):
        await hosts.until(lambda: hosts.server.open_sockets(notices) == 1)
        yield Scene(hosts, notices)


def square(hosts: Hosts, company: Company) -> Channel:
    return hosts.store.channel(company.team, "town-square")


async def test_a_mention_is_answered_once_a_day(scene: Scene, acme: Company) -> None:
    """Each person hears it once; who mentions everybody does not ask it."""
    store, channel = scene.hosts.store, square(scene.hosts, acme)
    everybody = store.post_as(acme.people[0], channel, "@all hello")
    first = store.post_as(acme.people[0], channel, "@equa-admin-bot who holds shares?")
    await scene.hears(first)
    again = store.post_as(acme.people[0], channel, "@equa-admin-bot hello?")
    other = store.post_as(acme.people[1], channel, "@equa-admin-bot hello?")
    await scene.hears(other)

    assert scene.said(again) == scene.said(everybody) == []


async def test_the_bot_says_it_where_only_the_bot_is(scene: Scene, acme: Company) -> None:
    """In `#agent` the notice account hears nothing."""
    hosts = scene.hosts
    assert not hosts.store.member_of_channel(acme.agent.id, scene.notices.id)
    asked = hosts.ask(acme, "@equa-admin-bot who holds shares?")

    await hosts.until(lambda: bool(hosts.replies(asked)))
    assert "Please mention me, @equabot" in hosts.replies(asked)[0].message


async def test_a_direct_message_is_answered(scene: Scene, acme: Company) -> None:
    """With a mention or without."""
    channel = scene.hosts.store.direct(acme.people[0], scene.notices)

    await scene.hears(scene.hosts.store.post_as(acme.people[0], channel, "who holds shares?"))


async def test_it_names_the_bot_as_it_is_called_now(scene: Scene, acme: Company) -> None:
    store, channel = scene.hosts.store, square(scene.hosts, acme)
    patch_user(store, scene.hosts.bot, {"username": "newbot"})
    await scene.hosts.answered(scene.hosts.ask(acme, "@newbot hello"))

    asked = store.post_as(acme.people[0], channel, "@equa-admin-bot who holds shares?")

    await scene.hosts.until(lambda: scene.said(asked) == [HINT.replace("equabot", "newbot")])


async def test_who_addressed_it_while_nobody_listened_hears_it(scene: Scene, acme: Company) -> None:
    """Directly or in a channel, also if it was renamed meanwhile; not who mentions everybody."""
    hosts, store = scene.hosts, scene.hosts.store
    await hosts.server.stop()
    patch_user(store, scene.notices, {"username": "news"})
    posts = [
        store.post_as(acme.people[0], square(hosts, acme), "@news who holds shares?"),
        store.post_as(acme.people[1], store.direct(acme.people[1], scene.notices), "who holds shares?"),
    ]
    other = store.post_as(acme.people[1], square(hosts, acme), "@all hello")
    await hosts.server.start(hosts.server.port)

    for post in posts:
        await scene.hears(post)
    assert scene.said(other) == []


@pytest.mark.parametrize("listening", [True, False])
async def test_a_notice_channel_that_is_renamed_gets_its_name_back(
    scene: Scene, acme: Company, pool: Pool, *, listening: bool
) -> None:
    """Only the notice account is in it, so nobody else hears of it."""
    hosts, faults = scene.hosts, scene.hosts.server.faults
    documents = hosts.store.create_channel(acme.team, "documents", "Documents", members=[scene.notices])
    await Teams(pool).record_channels(acme.id, {"documents": (ChannelId(documents.id), None)})
    faults.refuse_sockets = not listening
    if not listening:
        faults.cut_sockets()

    channels.patch_channel(hosts.store, documents, {"name": "holiday"})
    faults.refuse_sockets = False

    await hosts.until(lambda: documents.name == "documents")


async def test_nobody_hears_it_in_a_team_of_no_organization(scene: Scene, acme: Company) -> None:
    """And no bot does anywhere."""
    store = scene.hosts.store
    team = store.create_team("strangers", members=[acme.people[0], scene.notices])
    foreign = store.post_as(acme.people[0], store.channel(team, "town-square"), "@equa-admin-bot hello?")
    bot = store.post_as(scene.hosts.bot, square(scene.hosts, acme), "@equa-admin-bot hello?")
    person = store.post_as(acme.people[1], square(scene.hosts, acme), "@equa-admin-bot hello?")
    await scene.hears(person)

    assert scene.said(foreign) == scene.said(bot) == []
