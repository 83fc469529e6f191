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
from tests.support.sealed import entry
from tests.support.world import Company, World

HINT = "I only post notices. Please ask @equabot in ~agent."


@dataclass
class Scene:
    world: World
    notices: User

    def said(self, post: Post) -> list[str]:
        thread = self.world.store.thread(post.id)
        return [reply.message for reply in thread if reply.user_id == self.notices.id]

    async def hears(self, post: Post) -> None:
        await self.world.until(lambda: self.said(post) == [HINT])


@pytest.fixture
async def scene(world: World, acme: Company, tmp_path: Path) -> AsyncIterator[Scene]:
    notices = world.store.create_bot("equa-admin-bot")
    world.store.join(acme.team, notices)
    environ = {
        **world.environ,
        "MATTERMOST_NOTICE_TOKEN": world.store.create_token(notices).token,
        "MATTERMOST_ADMIN_BOT_TOKEN": world.store.admin_token,
        "TOKEN_KEYS": entry("k1"),
    }
    async with running(environ, tmp_path / "daemon.log"):
        await world.until(lambda: world.server.open_sockets(notices) == 1)
        yield Scene(world, notices)


def square(world: World, company: Company) -> Channel:
    return world.store.channel(company.team, "town-square")


async def test_a_mention_is_answered_once_a_day(scene: Scene, acme: Company) -> None:
    """Each person hears it once; who mentions everybody does not ask it."""
    store, channel = scene.world.store, square(scene.world, acme)
    everybody = store.post_as(acme.people[0], channel, "@all hello")
    first = store.post_as(acme.people[0], channel, "@equa-admin-bot who holds shares?")
    await scene.hears(first)
    again = store.post_as(acme.people[0], channel, "@equa-admin-bot hello?")
    other = store.post_as(acme.people[1], channel, "@equa-admin-bot hello?")
    await scene.hears(other)

    assert scene.said(again) == scene.said(everybody) == []


async def test_the_bot_says_it_where_only_the_bot_is(scene: Scene, acme: Company) -> None:
    """In `#agent` the notice account hears nothing."""
    world = scene.world
    assert not world.store.member_of_channel(acme.agent.id, scene.notices.id)
    asked = world.ask(acme, "@equa-admin-bot who holds shares?")

    await world.until(lambda: bool(world.replies(asked)))
    assert "Please mention me, @equabot" in world.replies(asked)[0].message


async def test_a_direct_message_is_answered(scene: Scene, acme: Company) -> None:
    """With a mention or without."""
    channel = scene.world.store.direct(acme.people[0], scene.notices)

    await scene.hears(scene.world.store.post_as(acme.people[0], channel, "who holds shares?"))


async def test_it_names_the_bot_as_it_is_called_now(scene: Scene, acme: Company) -> None:
    store, channel = scene.world.store, square(scene.world, acme)
    patch_user(store, scene.world.bot, {"username": "newbot"})
    await scene.world.answered(scene.world.ask(acme, "@newbot hello"))

    asked = store.post_as(acme.people[0], channel, "@equa-admin-bot who holds shares?")

    await scene.world.until(lambda: scene.said(asked) == [HINT.replace("equabot", "newbot")])


async def test_who_addressed_it_while_nobody_listened_hears_it(scene: Scene, acme: Company) -> None:
    """Directly or in a channel, also if it was renamed meanwhile; not who mentions everybody."""
    world, store = scene.world, scene.world.store
    await world.server.stop()
    patch_user(store, scene.notices, {"username": "news"})
    posts = [
        store.post_as(acme.people[0], square(world, acme), "@news who holds shares?"),
        store.post_as(acme.people[1], store.direct(acme.people[1], scene.notices), "who holds shares?"),
    ]
    other = store.post_as(acme.people[1], square(world, acme), "@all hello")
    await world.server.start(world.server.port)

    for post in posts:
        await scene.hears(post)
    assert scene.said(other) == []


@pytest.mark.parametrize("listening", [True, False])
async def test_a_notice_channel_that_is_renamed_gets_its_name_back(
    scene: Scene, acme: Company, pool: Pool, *, listening: bool
) -> None:
    """Only the notice account is in it, so nobody else hears of it."""
    world, faults = scene.world, scene.world.server.faults
    documents = world.store.create_channel(acme.team, "documents", "Documents", members=[scene.notices])
    await Teams(pool).record_channels(acme.id, {"documents": (ChannelId(documents.id), None)})
    faults.refuse_sockets = not listening
    if not listening:
        faults.cut_sockets()

    channels.patch_channel(world.store, documents, {"name": "holiday"})
    faults.refuse_sockets = False

    await world.until(lambda: documents.name == "documents")


async def test_nobody_hears_it_in_a_team_of_no_organization(scene: Scene, acme: Company) -> None:
    """And no bot does anywhere."""
    store = scene.world.store
    team = store.create_team("strangers", members=[acme.people[0], scene.notices])
    foreign = store.post_as(acme.people[0], store.channel(team, "town-square"), "@equa-admin-bot hello?")
    bot = store.post_as(scene.world.bot, square(scene.world, acme), "@equa-admin-bot hello?")
    person = store.post_as(acme.people[1], square(scene.world, acme), "@equa-admin-bot hello?")
    await scene.hears(person)

    assert scene.said(foreign) == scene.said(bot) == []
