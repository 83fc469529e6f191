"""A server that can be stopped and started again on the same store."""

import aiohttp
import pytest
from aiohttp import web

from bridge.sandbox.mattermost import Server, Store
from tests.bridge.sandbox.mattermost.conftest import Scene
from tests.contract.client import post_of
from tests.support.mattermost import running_mattermost


async def test_a_restart_keeps_the_store_and_the_port(scene: Scene) -> None:
    """Tokens, posts and memberships are as before."""
    post_id, url = scene.say("before"), scene.server.url
    await scene.server.restart()
    assert scene.server.url == url
    assert (await scene.as_bot.api.get(f"/posts/{post_id}"))["message"] == "before"


async def test_a_restart_cuts_sockets_without_a_close_frame(scene: Scene) -> None:
    """The client sees a bare end."""
    async with scene.client.greeted(scene.as_bot) as socket:
        await scene.server.restart()
        assert await socket.closed() in (None, 1006)


async def test_a_restart_forgets_connections(scene: Scene) -> None:
    """A resume gets a new id and a hello with seq 0, and what was posted meanwhile is not replayed."""
    async with scene.client.socket(scene.as_bot.token) as socket:
        hello = await socket.receive()
    await scene.server.stop()
    scene.say("unheard")
    await scene.server.start()
    query = f"?connection_id={hello['data']['connection_id']}&sequence_number=1"
    async with scene.client.socket(scene.as_bot.token, query=query) as socket:
        again = await socket.receive()
        heard = [post_of(event) for event in await socket.events() if event["event"] == "posted"]
    assert (again["event"], again["seq"]) == ("hello", 0)
    assert again["data"]["connection_id"] != hello["data"]["connection_id"]
    assert heard == []


async def test_a_restart_forgets_pending_post_ids(scene: Scene) -> None:
    """The same create makes a second post."""
    fields = {"channel_id": scene.channel.id, "message": "x", "pending_post_id": "p"}
    first = await scene.as_bot.api.post("/posts", fields)
    await scene.server.restart()
    second = await scene.as_bot.api.post("/posts", fields)
    assert first["id"] != second["id"]


async def test_a_stopped_server_refuses_connections(scene: Scene) -> None:
    """Stopping twice does no harm."""
    await scene.server.stop()
    await scene.server.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await scene.as_bot.api.call("GET", "/users/me")
    assert scene.server.open_sockets(scene.bot) == 0


async def test_two_servers_cannot_share_a_port() -> None:
    """The second one fails to start, and can be stopped."""
    async with running_mattermost() as server:
        other = Server(Store())
        with pytest.raises(OSError, match="address already in use"):
            await other.start(server.port)
        await other.stop()


async def test_pages_and_the_web_client_can_be_replaced(http: aiohttp.ClientSession) -> None:
    """Both get the framing headers; routes of the API stay what they are."""

    async def page(_request: web.Request) -> web.StreamResponse:
        return web.Response(text="a page")

    async def spa(request: web.Request) -> web.StreamResponse:
        return web.Response(text=f"client at {request.path}")

    async with Server(Store(), pages=[web.get("/my/page", page)], spa=spa) as server:
        for path, text in {
            "/my/page": "a page",
            "/": "client at /",
            "/acme/channels/agent": "client at /acme/channels/agent",
            "/login/token": "client at /login/token",
        }.items():
            async with http.get(server.url + path) as response:
                assert await response.text() == text
                assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
        async with http.get(server.url + "/api/v4/system/ping") as response:
            assert (await response.json())["status"] == "OK"


async def test_open_sockets_are_counted(scene: Scene) -> None:
    """One for each connection of a user."""
    assert scene.server.open_sockets(scene.bot) == 0
    async with scene.client.greeted(scene.as_bot), scene.client.greeted(scene.as_bot):
        assert scene.server.open_sockets(scene.bot) == 2
        assert scene.server.open_sockets(scene.ada) == 0
