"""A browser that lets no frame of another site store anything: the chat cannot run in one."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page, expect

from tests.support.browser import COMPLETE, LAPTOP, launched, stop_clock
from tests.support.certificates import loopback_tls
from tests.support.messaging import (
    ACME,
    CAN_STORE,
    LISTEN,
    Bridge,
    Chat,
    comes_to,
    component,
    element,
    heard,
    host,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

TITLE = "Your browser does not let the chat run inside this page"


def elsewhere(bridge: Bridge) -> str:
    """Return an address of the page on another site than the chat: "localhost" is one of its own."""
    return f"{bridge.url.replace('127.0.0.1', 'localhost')}/host"


async def test_where_nothing_can_be_stored_a_tab_is_offered_at_once(
    complete_page: Page, bridge: Bridge
) -> None:
    """With the reason; no ticket is used up, and nothing is tried again by itself."""
    page = complete_page
    bridge.host = host(element())
    await stop_clock(page)
    await page.goto(elsewhere(bridge))
    await comes_to(page, "error")

    await expect(component(page).get_by_role("heading", name=TITLE)).to_be_visible()
    await expect(component(page).get_by_role("button")).to_have_text(["Open in a new tab", "Try again"])
    [error] = await heard(page, "error")
    assert (error["code"], error["retryIn"]) == ("storage_blocked", None)
    assert bridge.chat.logins == []
    async with page.context.expect_page() as opening:
        await component(page).get_by_role("button", name="Open in a new tab").click()
    await (await opening.value).wait_for_url(f"{bridge.chat.url}/acme-corp/channels/town-square")


async def test_on_the_chats_own_site_it_is_tried_once(page: Page, bridge: Bridge) -> None:
    """Later openings need no further proof."""
    await page.goto(bridge.page_of(ACME))
    await comes_to(page, "ready")
    await page.evaluate("document.querySelector('equa-messaging').reload()")
    await bridge.until(lambda: len(bridge.chat.logins) == 2)
    await comes_to(page, "ready")

    assert bridge.chat.checks == 1


@pytest.mark.parametrize(
    "answer",
    [
        "<!doctype html><title>Something else</title>",
        "<script>parent.postMessage({ type: 'equabot:login-expired' }, '*')</script>",
        "<script>parent.postMessage('nonsense', '*')</script>",
        "<script>parent.postMessage(null, '*')</script>",
    ],
)
async def test_a_bridge_that_knows_nothing_of_it_is_no_obstacle(
    page: Page, bridge: Bridge, answer: str
) -> None:
    """The chat is opened as before."""
    bridge.chat.unchecked = answer
    await page.goto(bridge.page_of(ACME))
    await comes_to(page, "ready")

    assert len(bridge.chat.logins) == len(bridge.asked) == 1


async def test_a_page_that_can_store_opens_the_chat(page: Page, bridge: Bridge) -> None:
    """On another site too."""
    bridge.chat.unchecked = CAN_STORE
    bridge.host = host(element())
    await page.goto(elsewhere(bridge))
    await comes_to(page, "ready")

    assert len(bridge.chat.logins) == 1


async def test_only_the_chats_own_frame_is_believed(page: Page, bridge: Bridge) -> None:
    """Neither the page nor another frame, of the chat's host though it be."""
    lie = "<script>parent.postMessage({ type: 'equabot:storage', works: false }, '*')</script>"
    bridge.host = host(element(), f'<iframe id="other" title="Other" src="{bridge.chat.url}/other"></iframe>')
    bridge.chat.unchecked = "<!doctype html><title>Slow</title>"
    await page.goto(f"{bridge.url}/host")
    await page.evaluate("postMessage({ type: 'equabot:storage', works: false }, '*')")
    other = page.frame_locator("#other").locator("body")
    await other.evaluate("(body, lie) => document.write(lie)", lie)
    await comes_to(page, "ready")


@asynccontextmanager
async def over_tls(app: web.Application, context: ssl.SSLContext) -> AsyncIterator[int]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        (address,) = runner.addresses
        yield address[1]
    finally:
        await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="session")
async def sites(tmp_path: Path) -> AsyncIterator[Bridge]:
    """The page at `https://localhost` and the chat at `https://127.0.0.1`, which are two sites."""
    context, _ = loopback_tls(tmp_path)
    chat = Chat()
    async with over_tls(chat.app(), context) as port:
        chat.url = f"https://127.0.0.1:{port}"
        bridge = Bridge(chat)
        bridge.host = host(element())
        async with over_tls(bridge.app(), context) as own_port:
            bridge.url = f"https://localhost:{own_port}"
            yield bridge


async def shown_in(browser: Browser, sites: Bridge, state: str) -> list[str]:
    """Open the page and return the codes of what went wrong."""
    context = await browser.new_context(ignore_https_errors=True, viewport=LAPTOP)
    page = await context.new_page()
    await page.add_init_script(LISTEN)
    await stop_clock(page)
    await page.goto(f"{sites.url}/host")
    await comes_to(page, state)
    codes = [error["code"] for error in await heard(page, "error")]
    await context.close()
    return codes


@pytest.mark.parametrize(
    ("arguments", "state", "codes"),
    [
        ([], "error", ["storage_blocked"]),
        (["--disable-features=TrackingProtection3pcd"], "ready", []),
    ],
    ids=["keeps sites apart", "does not"],
)
async def test_it_goes_by_what_the_browser_does(
    sites: Bridge, arguments: list[str], state: str, codes: list[str]
) -> None:
    """On two sites with https, as in production. Partitioned cookies are kept in both cases."""
    async with launched(COMPLETE, *arguments) as browser:
        assert await shown_in(browser, sites, state) == codes

    assert len(sites.chat.logins) == (state == "ready")
