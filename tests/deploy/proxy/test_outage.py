"""What a browser gets at /login/token while the bridge is away, and how it comes back by itself."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from hashlib import sha256

import pytest
from aiohttp import ClientResponse, ClientSession

from tests.support.agent import serving
from tests.support.browser import errors_of, launched, stop_clock
from tests.support.messaging import LISTEN, Bridge, comes_to, element, heard, host, scene
from tests.support.nginx import Nginx, StartProxy
from tests.support.ports import reserved_port
from tests.support.upstream import Upstream

APP = "https://app.example.com"
AWAY = "http://127.0.0.1:1"
LOGIN = "/login/token?token=abcdefghijklmnopqrstuvwxyz"
COMPLETE = "/signup/gitlab/complete?code=c&state=s"


async def asked(http: ClientSession, url: str) -> tuple[ClientResponse, str]:
    async with http.get(url) as response:
        return response, await response.text()


def is_own_page(response: ClientResponse, page: str) -> str:
    """Check that only those may frame it who may frame the chat; return the one script that runs in it."""
    (script,) = re.findall(r"<script>(.*)</script>", page, re.DOTALL)
    digest = base64.b64encode(sha256(script.encode()).digest()).decode()
    assert response.content_type == "text/html"
    assert response.headers.getall("Content-Security-Policy") == [
        f"frame-ancestors 'self' {APP}; default-src 'none'; script-src 'sha256-{digest}'"
    ]
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    return str(script)


@pytest.mark.parametrize("path", [LOGIN, "/login/equa/authorize?state=s"])
async def test_a_bridge_that_is_away_has_a_page(
    start_proxy: StartProxy, http: ClientSession, path: str
) -> None:
    """The page around it hears of it; a tab tries again by itself, with what it asked for."""
    async with start_proxy(BRIDGE_UPSTREAM=AWAY, FRAME_ANCESTORS=APP) as proxy:
        response, page = await asked(http, proxy.url + path)

    script = is_own_page(response, page)
    assert (response.status, response.headers["Retry-After"]) == (502, "5")
    assert "equabot:login-failed" in script
    assert "location.reload()" in script


@pytest.mark.parametrize(
    "path", [COMPLETE, COMPLETE.replace("signup", "login"), COMPLETE.replace("signup", "oauth")]
)
@pytest.mark.parametrize("status", [400, 500])
async def test_a_sign_in_that_mattermost_could_not_finish_can_begin_again(
    start_proxy: StartProxy, chat: Upstream, http: ClientSession, path: str, status: int
) -> None:
    """As when the bridge went away just then, or the state was used already."""
    chat.status = status
    async with start_proxy(FRAME_ANCESTORS=APP) as proxy:
        response, page = await asked(http, proxy.url + path)

    script = is_own_page(response, page)
    assert response.status == status
    assert "equabot:login-failed" in script
    assert "location" not in script
    assert '<a href="/oauth/gitlab/login">' in page


@pytest.mark.parametrize("status", [200, 307, 501])
async def test_other_endings_of_a_sign_in_are_mattermosts(
    proxy: Nginx, chat: Upstream, http: ClientSession, status: int
) -> None:
    """A sign-in that worked, the page for a mobile app, a provider that is switched off."""
    chat.status = status
    chat.reply["Location"] = "/acme"
    async with http.get(proxy.url + COMPLETE, allow_redirects=False) as response:
        assert (response.status, await response.text()) == (status, "{}")


async def test_a_connection_that_ends_without_an_answer_is_an_outage(
    start_proxy: StartProxy, http: ClientSession
) -> None:
    """As when the bridge is stopped in the middle of it."""

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with start_proxy(BRIDGE_UPSTREAM=f"http://127.0.0.1:{port}") as proxy:
            response, page = await asked(http, proxy.url + LOGIN)

    assert response.status == 502
    assert "equabot:login-failed" in page


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_the_bridges_own_pages_pass(
    start_proxy: StartProxy, bridge: Upstream, http: ClientSession, status: int
) -> None:
    """Only it knows what is wrong, and when to come back."""
    bridge.status = status
    bridge.reply["Retry-After"] = "77"
    async with start_proxy() as proxy:
        response, page = await asked(http, proxy.url + LOGIN)

    assert (response.status, response.headers.getall("Retry-After"), page) == (status, ["77"], "{}")


async def test_a_mattermost_that_is_away_is_another_matter(
    start_proxy: StartProxy, http: ClientSession
) -> None:
    """Clients of its API read no pages of ours."""
    async with start_proxy(MATTERMOST_UPSTREAM=AWAY) as proxy:
        response, page = await asked(http, f"{proxy.url}/api/v4/users/me")

    assert response.status == 502
    assert "equabot" not in page


@pytest.fixture
async def web_app() -> AsyncIterator[Bridge]:
    """The page with the component, and what it asks for sessions."""
    async with scene() as served:
        served.host = host(element())
        yield served


async def test_the_component_comes_back_with_the_bridge(start_proxy: StartProxy, web_app: Bridge) -> None:
    """Nobody has to do anything."""
    chat, port = web_app.chat, reserved_port()
    upstreams = {"MATTERMOST_UPSTREAM": chat.url, "BRIDGE_UPSTREAM": f"http://127.0.0.1:{port}"}
    async with start_proxy(**upstreams, FRAME_ANCESTORS=web_app.url) as proxy, launched() as browser:
        chat.url = proxy.url
        page = await browser.new_page()
        errors = errors_of(page)
        await page.add_init_script(LISTEN)
        await stop_clock(page)
        await page.goto(f"{web_app.url}/host")
        await comes_to(page, "waiting")
        await page.clock.run_for(7_000)
        await web_app.until(lambda: len(web_app.asked) == 2)
        await comes_to(page, "waiting")
        async with serving(chat.app(), port):
            await page.clock.run_for(9_000)
            await comes_to(page, "ready")

        failures = [(error["code"], error["status"]) for error in await heard(page, "error")]
        assert failures == [("unavailable", 503)] * 2
        assert [event["state"] for event in await heard(page, "state")].count("ready") == 1
        assert len(chat.logins) == 1
        assert errors == []
