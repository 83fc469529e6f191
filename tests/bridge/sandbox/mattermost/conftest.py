"""A running sandbox, the store behind it, and a scene in it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from bridge.sandbox.mattermost import Channel, Server, Store, Team, User
from tests.contract.client import Api
from tests.contract.server import Account, Mattermost
from tests.support.mattermost import running_mattermost


@dataclass(frozen=True, slots=True)
class Scene:
    """A server, and one channel with a person and a bot in it, each also as a client."""

    server: Server
    store: Store
    client: Mattermost
    team: Team
    channel: Channel
    ada: User
    bot: User
    as_ada: Account
    as_bot: Account

    def say(self, message: str, root_id: str = "") -> str:
        """Post as ada and return the post's id."""
        return self.store.post_as(self.ada, self.channel, message, root_id).id


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


@pytest.fixture
async def scene(http: aiohttp.ClientSession) -> AsyncIterator[Scene]:
    async with running_mattermost() as server:
        store = server.store
        ada, bot = store.create_user("ada"), store.create_bot("equabot")
        team = store.create_team("acme", "Acme Corp", members=[ada, bot])
        channel = store.create_channel(team, "agent", members=[ada, bot])
        yield Scene(
            server=server,
            store=store,
            client=Mattermost("sandbox", http, server.url, store.admin_token),
            team=team,
            channel=channel,
            ada=ada,
            bot=bot,
            as_ada=Account(ada.id, "ada", Api(http, server.url, store.create_token(ada).token)),
            as_bot=Account(bot.id, "equabot", Api(http, server.url, store.create_token(bot).token)),
        )
