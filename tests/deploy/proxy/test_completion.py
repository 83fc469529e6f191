"""A sign-in that was changed on its way does not reach Mattermost."""

import asyncio

import pytest
from aiohttp import ClientSession

from tests.support.nginx import Nginx
from tests.support.upstream import Upstream

COMPLETE = "/signup/gitlab/complete?code=c&state=s%3D"


@pytest.mark.parametrize(
    "path",
    [COMPLETE, "/login/gitlab/complete?code=c", "/oauth/gitlab/complete//", "/api/v3/oauth/gitlab/complete"],
)
async def test_the_bridge_is_asked_first(
    proxy: Nginx, http: ClientSession, chat: Upstream, bridge: Upstream, path: str
) -> None:
    """With the address as the browser has sent it, and without the marks of a request from outside."""
    async with http.get(proxy.url + path, allow_redirects=False) as response:
        assert response.status == 200

    assert (bridge.only.target, chat.only.target) == ("/login/equa/completion", path)
    assert bridge.only.headers["X-Original-URI"] == path
    assert not {"X-Forwarded-For", "X-Real-IP"} & bridge.only.headers.keys()


@pytest.mark.parametrize("status", [403, 503])
async def test_what_the_bridge_does_not_confirm_goes_no_further(
    proxy: Nginx, http: ClientSession, chat: Upstream, bridge: Upstream, status: int
) -> None:
    """The browser gets a page with a way to begin again, and the page around it hears of it."""
    bridge.status = status

    async with http.get(proxy.url + COMPLETE) as response:
        text = await response.text()

    assert (response.status, response.content_type) == (403 if status == 403 else 500, "text/html")
    assert "equabot:login-failed" in text
    assert not chat.seen


@pytest.mark.parametrize(
    "target",
    [
        "/signup/gitlab/complete?error=#&code=c&state=s",
        "/oauth/gitlab/login?redirect_to=#&id=invite",
        "/x#/../signup/gitlab/complete?code=c&state=s",
    ],
)
async def test_no_address_has_a_fragment(proxy: Nginx, chat: Upstream, bridge: Upstream, target: str) -> None:
    """No browser sends one; what follows it would pass the rules by and be read by Mattermost."""
    reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: chat\r\nConnection: close\r\n\r\n".encode())

    answer = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert (chat.seen, bridge.seen) == ([], [])


async def test_nobody_asks_the_bridge_from_outside(
    proxy: Nginx, http: ClientSession, bridge: Upstream
) -> None:
    """Neither by the bridge's path nor by the proxy's."""
    for path in ("/login/equa/completion", "/-/completion"):
        async with http.get(proxy.url + path) as response:
            assert response.status == 404

    assert not bridge.seen


@pytest.mark.parametrize(
    ("location", "cookie", "place"),
    [
        (
            "https://chat.example.com",
            "a=b; __Host-equabot-place=/acme/channels/agent",
            "/acme/channels/agent",
        ),
        (
            "https://chat.example.com/",
            "equabot-place=/acme/channels/agent?x=1; a=b",
            "/acme/channels/agent?x=1",
        ),
        ("https://chat.example.com/acme/pl/x", "equabot-place=/other", "/acme/pl/x"),
        ("https://chat.example.com", "equabot-place=//evil.example", ""),
        ("https://chat.example.com", "equabot-place=.evil.example", ""),
        ("https://chat.example.com", "equabot-place=/a%0d%0ab", ""),
        ("https://chat.example.com", "x-equabot-place=/acme", ""),
        ("https://chat.example.com", "a=b", ""),
    ],
)
async def test_a_browser_goes_where_it_wanted(
    proxy: Nginx, chat: Upstream, location: str, cookie: str, place: str
) -> None:
    """Also from a Mattermost that sends everybody to the root."""
    chat.status = 307
    chat.reply["Location"] = location

    async with (
        ClientSession(headers={"Cookie": cookie}) as http,
        http.get(proxy.url + COMPLETE, allow_redirects=False) as response,
    ):
        assert response.status == 307
        assert response.headers["Location"] == f"https://chat.example.com{place}"
