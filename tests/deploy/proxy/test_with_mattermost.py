"""A person signed in with a personal access token as cookie, before the sandbox's Mattermost."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from bridge.sandbox.mattermost import Server, Store
from tests.support.mattermost import running_mattermost
from tests.support.nginx import Nginx, StartProxy

BY_SCRIPT = {"X-Requested-With": "XMLHttpRequest"}


class Signed:
    """Ada, her channel, and the cookie that her browser sends with every request."""

    def __init__(self, store: Store) -> None:
        ada = store.create_user("ada")
        team = store.create_team("acme", "Acme", members=[ada])
        self.channel = store.create_channel(team, "agent", members=[ada])
        self.cookie = {"Cookie": f"MMUSERID={ada.id}; MMAUTHTOKEN={store.create_token(ada).token}"}
        self.post = {"channel_id": self.channel.id, "message": "hello"}


@pytest.fixture
async def mattermost() -> AsyncIterator[Server]:
    async with running_mattermost() as server:
        yield server


@pytest.fixture
async def front(mattermost: Server, start_proxy: StartProxy) -> AsyncIterator[Nginx]:
    async with start_proxy(MATTERMOST_UPSTREAM=mattermost.url) as nginx:
        yield nginx


@pytest.fixture
def ada(mattermost: Server) -> Signed:
    return Signed(mattermost.store)


async def test_the_proxy_closes_what_mattermost_leaves_open(
    mattermost: Server, front: Nginx, ada: Signed, http: ClientSession
) -> None:
    """The same forged request writes a post without the proxy, and none behind it."""
    for base, status in ((mattermost.url, 201), (front.url, 403)):
        async with http.post(f"{base}/api/v4/posts", headers=ada.cookie, json=ada.post) as response:
            assert response.status == status

    assert [post.message for post in mattermost.store.posts_in(ada.channel) if not post.type] == ["hello"]


async def test_the_web_app_works_behind_it(
    mattermost: Server, front: Nginx, ada: Signed, http: ClientSession
) -> None:
    """Its requests carry the header; what they do comes back over the websocket."""
    async with http.ws_connect(f"{front.url}/api/v4/websocket", headers=ada.cookie) as socket:
        assert (await socket.receive_json(timeout=60))["event"] == "hello"
        url = f"{front.url}/api/v4/posts"
        async with http.post(url, headers=ada.cookie | BY_SCRIPT, json=ada.post) as response:
            assert response.status == 201
        events = [(await socket.receive_json(timeout=60))["event"]]
        while events[-1] != "posted" and len(events) < 10:
            events.append((await socket.receive_json(timeout=60))["event"])

    assert events[-1] == "posted"
