"""Whoever has lost their session comes back: the script that the proxy puts into Mattermost's pages."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession
from playwright.async_api import Page, Route, expect

from tests.support.browser import errors_of, launched
from tests.support.messaging import LISTEN, Bridge, comes_to, element, host, scene
from tests.support.nginx import Nginx, StartProxy
from tests.support.upstream import Upstream

PAGE = "<html><head><title>Mattermost</title></head><body></body></html>"
WITH_SCRIPT = '</title><script type="module" src="/login/equa/chat.js" async></script></head>'
GO = """
    const go = async () => {
        const answer = async (...request) => (await fetch(...request)).text();
        const path = await answer("/next");
        if (path === "/login") await answer("/api/v4/users/logout", { method: "POST" });
        history.pushState({}, "", path);
        await go();
    };
    if (location.pathname.includes("/channels/")) go();
"""
"""A script by which a chat goes on as it is answered: to the browser nobody has clicked there. To `/login`
alone it goes as after a sign-out."""

OUT = "/login?redirect_to=%2Facme-corp%2Fchannels%2Fagent"


@pytest.mark.parametrize("path", ["/", "/login", "/acme/channels/agent"])
async def test_pages_get_the_script(chat: Upstream, proxy: Nginx, http: ClientSession, path: str) -> None:
    """Mattermost is asked for them uncompressed."""
    chat.reply["Content-Type"] = "text/html"
    chat.body = PAGE.encode()
    headers = {"Accept": "text/html,*/*;q=0.8", "Accept-Encoding": "gzip, br"}
    async with http.get(proxy.url + path, headers=headers) as response:
        assert WITH_SCRIPT in await response.text()

    assert "Accept-Encoding" not in chat.only.headers


@pytest.mark.parametrize("kind", ["application/json", "text/javascript", "text/plain"])
async def test_nothing_else_is_changed(chat: Upstream, proxy: Nginx, http: ClientSession, kind: str) -> None:
    """Programs and the web app's files arrive as they are, compressed as they were asked for."""
    chat.reply["Content-Type"] = kind
    chat.body = PAGE.encode()
    async with http.get(f"{proxy.url}/x", headers={"Accept": "*/*", "Accept-Encoding": "br"}) as response:
        assert await response.text() == PAGE

    assert chat.only.headers["Accept-Encoding"] == "br"


async def test_the_script_is_the_bridges(
    chat: Upstream, bridge: Upstream, proxy: Nginx, http: ClientSession
) -> None:
    """The one file of the bridge that this host shows."""
    async with http.get(f"{proxy.url}/login/equa/chat.js") as response:
        assert response.status == 200

    assert bridge.only.target == "/static/chat-sign-in.js"
    assert chat.seen == []


@pytest.fixture
async def web_app() -> AsyncIterator[Bridge]:
    async with scene() as served:
        served.host = host(element())
        yield served


@dataclass
class Opened:
    """The page with the component; `next` has where its chat goes."""

    page: Page
    next: asyncio.Queue[str]

    async def answer(self, route: Route) -> None:
        await route.fulfill(body=await self.next.get())


@asynccontextmanager
async def opened(start_proxy: StartProxy, web_app: Bridge, *, has_button: bool) -> AsyncIterator[Opened]:
    """Open the page; the chat's sign-in page has a button or not."""
    chat = web_app.chat
    upstreams = {"MATTERMOST_UPSTREAM": chat.url, "BRIDGE_UPSTREAM": chat.url}
    async with start_proxy(**upstreams, FRAME_ANCESTORS=web_app.url) as proxy, launched() as browser:
        chat.url = proxy.url
        page = await browser.new_page()
        errors = errors_of(page)
        shown_page = Opened(page, asyncio.Queue())
        await page.add_init_script(LISTEN + GO)
        await page.route("**/next", shown_page.answer)
        shown = json.dumps({"EnableSignUpWithGitLab": str(has_button).lower()})
        await page.route("**/api/v4/config/client*", lambda route: route.fulfill(body=shown))
        away = {"Location": "/login/equa/authorize"}
        await page.route("**/oauth/gitlab/login", lambda route: route.fulfill(status=302, headers=away))
        await page.goto(f"{web_app.url}/host")
        await comes_to(page, "ready")
        yield shown_page
        assert errors == []


@pytest.mark.parametrize("busy", [False, True])
async def test_a_lost_session_brings_a_new_ticket(
    start_proxy: StartProxy, web_app: Bridge, *, busy: bool
) -> None:
    """Nobody has to do anything, also if they were about to write."""
    async with opened(start_proxy, web_app, has_button=True) as shown:
        if busy:
            await shown.page.frame_locator("iframe").locator("input").press_sequentially("Hello")
        shown.next.put_nowait(OUT)
        await web_app.until(lambda: len(web_app.chat.logins) == 2)
        await comes_to(shown.page, "ready")

    assert len(web_app.asked) == 2


async def test_whoever_signs_out_stays_out(start_proxy: StartProxy, web_app: Bridge) -> None:
    """A click went before, and the web app begins anew; where Mattermost shows no button there is one."""
    async with opened(start_proxy, web_app, has_button=False) as shown:
        frame = shown.page.frame_locator("iframe")
        await frame.locator("input").click()
        shown.next.put_nowait("/login")
        await expect(frame.get_by_role("link")).to_be_visible()
        chat = shown.page.frames[1]
        await chat.goto(web_app.chat.url + OUT)
        button = frame.get_by_role("link", name="Sign in with Equa")

        await expect(button).to_have_attribute(
            "href", "/oauth/gitlab/login?redirect_to=%2Facme-corp%2Fchannels%2Fagent"
        )
        await chat.evaluate("history.pushState({}, '', '/acme-corp')")
        await expect(button).to_have_count(0)

    assert len(web_app.asked) == len(web_app.chat.logins) == 1
