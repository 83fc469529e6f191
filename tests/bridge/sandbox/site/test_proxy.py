"""What stands between the demo's browsers and its chat."""

import pytest
from aiohttp import ClientSession, web
from yarl import URL

from bridge.sandbox.mattermost import Server, Store
from bridge.sandbox.site import proxy
from tests.support.agent import serving


async def page(_request: web.Request) -> web.StreamResponse:
    return web.Response(text="chat")


async def redeemed(request: web.Request) -> web.Response:
    """Answer as the bridge does, and tell what arrived."""
    response = web.Response(status=303, text=f"{request.raw_path} {request.headers.get('Cookie')}")
    response.headers["Location"] = "/acme-corp"
    response.headers.add("Set-Cookie", "MMAUTHTOKEN=t; Path=/")
    response.headers.add("Set-Cookie", "MMUSERID=u; Path=/")
    return response


async def test_a_ticket_is_redeemed_by_the_bridge() -> None:
    """The query arrives as it was sent, and all cookies come back."""
    app = web.Application()
    app.add_routes([web.get("/login/token", redeemed)])
    async with serving(app) as url, Server(Store(), pages=[proxy.login(url)], spa=page) as chat:
        path = "/login/token?token=t%2Bt&redirect_to=%2Facme-corp"
        async with (
            ClientSession() as http,
            http.get(
                URL(chat.url + path, encoded=True), headers={"Cookie": "a=b"}, allow_redirects=False
            ) as answer,
        ):
            text = await answer.text()

    assert (answer.status, text) == (303, f"{path} a=b")
    assert answer.headers["Location"] == "/acme-corp"
    assert answer.headers.getall("Set-Cookie") == ["MMAUTHTOKEN=t; Path=/", "MMUSERID=u; Path=/"]


async def test_a_bridge_that_is_away_is_said_to_be() -> None:
    """By the proxy, not by an error of the chat."""
    async with (
        Server(Store(), pages=[proxy.login("http://127.0.0.1:1")], spa=page) as chat,
        ClientSession() as http,
        http.get(f"{chat.url}/login/token?token=t") as answer,
    ):
        assert (answer.status, await answer.text()) == (502, "The bridge does not answer.")


@pytest.mark.parametrize("path", ["/", "/acme-corp/channels/agent"])
async def test_only_those_origins_may_frame_the_chat(path: str) -> None:
    """A browser that reads this does not look at X-Frame-Options."""
    spa = proxy.framed(page, "http://127.0.0.1:8090")
    async with Server(Store(), spa=spa) as chat, ClientSession() as http, http.get(chat.url + path) as answer:
        assert await answer.text() == "chat"
        assert answer.headers.getall("Content-Security-Policy") == [
            "frame-ancestors 'self' http://127.0.0.1:8090"
        ]
