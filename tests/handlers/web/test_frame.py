"""The frame: how it is signed in anew, what it may say, and what becomes of its ticket."""

import asyncio

import pytest
from aiohttp import web
from playwright.async_api import Page, expect

from tests.support.agent import serving
from tests.support.browser import stop_clock
from tests.support.messaging import (
    ACME,
    BOREALIS,
    EXPIRED,
    Bridge,
    Reply,
    comes_to,
    component,
    element,
    heard,
    host,
    refusal,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_expired_ticket_is_replaced(page: Page, bridge: Bridge) -> None:
    """The frame says that its ticket was no good, as after a computer's sleep: a new one is fetched."""
    bridge.chat.expire()
    await page.goto(bridge.page_of(ACME))
    await signed_in(page, bridge, 2)

    tickets = [login["token"] for login in bridge.chat.logins]
    assert tickets == ["ticket00000000000000000001", "ticket00000000000000000002"]
    await expect(component(page).locator("iframe")).to_have_count(1)


async def test_it_does_not_go_round_in_circles(page: Page, bridge: Bridge) -> None:
    """After three renewals it stops, and says what may be the matter."""
    bridge.chat.expire(9)
    await page.goto(bridge.page_of(ACME))
    await comes_to(page, "error")

    assert len(bridge.chat.logins) == 4
    assert [error["code"] for error in await heard(page, "error")] == ["login_expired"]
    await expect(page.get_by_role("heading", name="Signing in to the chat did not work")).to_be_visible()
    bridge.chat.pages.clear()
    await page.get_by_role("button", name="Try again").click()
    await comes_to(page, "ready")


async def test_a_login_may_expire_again_later(page: Page, bridge: Bridge) -> None:
    """Renewals of more than five minutes ago do not count."""
    await stop_clock(page)
    await page.goto(bridge.page_of(ACME))
    for times in range(1, 7):
        await signed_in(page, bridge, times)
        await page.clock.run_for(120_000)
        await says(page, "{ type: 'equabot:login-expired' }")
    await signed_in(page, bridge, 7)

    assert await heard(page, "error") == []


async def signed_in(page: Page, bridge: Bridge, times: int) -> None:
    """Wait until the chat is open, signed in for this time."""
    await bridge.until(lambda: len(bridge.chat.logins) == times)
    await comes_to(page, "ready")


async def says(page: Page, data: str, frame: str = "iframe") -> None:
    """Let what is in a frame send a message to the page."""
    await page.frame_locator(frame).locator("body").evaluate(f"() => parent.postMessage({data}, '*')")


@pytest.mark.parametrize("data", ["'equabot:login-expired'", "null", "{ type: 'something else' }", "{}"])
async def test_what_else_a_frame_says_means_nothing(page: Page, bridge: Bridge, data: str) -> None:
    """The chat may talk to its page about anything."""
    await page.goto(bridge.page_of(ACME))
    await comes_to(page, "ready")
    await page.evaluate("addEventListener('message', () => { window.arrived = true })")
    await says(page, data)
    await arrived(page)

    await comes_to(page, "ready")
    assert len(bridge.asked) == 1


async def arrived(page: Page) -> None:
    """Wait until the page has got a message; what the component does with it, it has done before."""
    async with asyncio.timeout(60):
        while not await page.evaluate("window.arrived"):
            await asyncio.sleep(0.01)


async def test_only_the_frame_itself_is_believed(page: Page, bridge: Bridge) -> None:
    """Neither the page nor another frame of the chat's own origin can say that the login has expired."""
    other = f'<iframe id="other" title="Other" src="{bridge.chat.url}/other"></iframe>'
    bridge.host = host(element(), other)
    await page.goto(f"{bridge.url}/host")
    await comes_to(page, "ready")
    await page.evaluate("addEventListener('message', () => { window.arrived = true })")
    lie = "{ type: 'equabot:login-expired' }"
    await page.evaluate(f"postMessage({lie}, '*')")
    await says(page, lie, "#other")
    await arrived(page)

    await comes_to(page, "ready")
    assert len(bridge.asked) == 1


async def test_only_the_chats_origin_is_believed(page: Page, bridge: Bridge) -> None:
    """The frame may have gone elsewhere."""

    async def elsewhere(_request: web.Request) -> web.Response:
        return web.Response(text=EXPIRED, content_type="text/html")

    app = web.Application()
    app.add_routes([web.get("/", elsewhere)])
    async with serving(app) as url:
        bridge.chat.pages = [web.Response(status=303, headers={"Location": url})]
        bridge.host = host(element(), "<script>onmessage = () => { window.arrived = true }</script>")
        await page.goto(f"{bridge.url}/host")
        await comes_to(page, "ready")
        await arrived(page)

    await comes_to(page, "ready")
    assert len(bridge.asked) == 1


async def test_a_slow_chat_is_waited_for_with_a_way_out(page: Page, bridge: Bridge) -> None:
    """After ten seconds there are buttons; the chat may come all the same."""
    bridge.chat.release = asyncio.Event()
    await stop_clock(page)
    await page.goto(bridge.page_of(ACME), wait_until="domcontentloaded")
    await bridge.until(lambda: len(bridge.chat.logins) == 1)
    await page.clock.run_for(9_000)
    hint = component(page).locator("[part=hint]")
    await expect(hint).to_have_count(0)
    await page.clock.run_for(2_000)
    await expect(hint).to_have_text("This takes longer than usual.")
    await expect(component(page).get_by_role("status")).to_have_text("This takes longer than usual.")
    await expect(component(page).get_by_role("button")).to_have_text(["Try again", "Open in a new tab"])
    bridge.chat.release.set()
    await comes_to(page, "ready")

    await expect(hint).to_have_count(0)
    assert len(bridge.asked) == 1


async def test_what_is_slow_no_more_is_not_called_so(page: Page, bridge: Bridge) -> None:
    """Another organization was chosen before the first one's chat came, and something is wrong with it."""
    bridge.chat.release = asyncio.Event()
    await stop_clock(page)
    await page.goto(bridge.page_of(ACME), wait_until="domcontentloaded")
    await bridge.until(lambda: len(bridge.chat.logins) == 1)
    bridge.replies = [refusal(403, "not_a_member")]
    await component(page).evaluate("(element, id) => { element.organization = id }", BOREALIS)
    await comes_to(page, "error")
    await page.clock.run_for(20_000)

    await expect(component(page).get_by_role("button")).to_have_text(["Try again"])
    await expect(component(page).locator("[part=hint]")).to_have_count(0)


async def test_a_page_that_forbids_the_frame_says_so(page: Page, bridge: Bridge) -> None:
    """The browser tells of the page's own policy."""
    bridge.host = host(element())
    bridge.host_headers = {"Content-Security-Policy": "frame-src 'none'"}
    await page.goto(f"{bridge.url}/host")
    await comes_to(page, "error")

    assert [error["code"] for error in await heard(page, "error")][-1] == "frame_blocked"
    await expect(component(page).get_by_role("button")).to_have_text(["Open in a new tab", "Try again"])


async def test_a_chat_that_forbids_the_frame_still_opens_in_a_tab(page: Page, bridge: Bridge) -> None:
    """Nothing tells a page that the other side's policy blocks its frame: its button is the way out."""
    bridge.chat.pages = [web.Response(text="no", headers={"X-Frame-Options": "DENY"})]
    await page.goto(bridge.page_of(ACME))
    await comes_to(page, "ready")
    async with page.context.expect_page() as opening:
        await page.get_by_role("button", name="Open in a new tab").click()
    tab = await opening.value

    await tab.wait_for_url(f"{bridge.chat.url}/acme-corp/channels/town-square")
    assert await tab.evaluate("[opener, history.length]") == [None, 1]
    assert len({login["token"] for login in bridge.chat.logins}) == 2


async def test_a_tab_that_cannot_be_signed_in_is_closed_again(page: Page, bridge: Bridge) -> None:
    """The page says so, and the chat in it stays."""
    await page.goto(bridge.page_of(ACME))
    await comes_to(page, "ready")
    bridge.replies = [Reply(500, {"error": "internal_error", "message": ""})]
    async with page.context.expect_page() as opening:
        await page.get_by_role("button", name="Open in a new tab").click()
    await expect(page.locator("#trouble")).to_have_text("No new tab could be signed in.")

    opened = await opening.value
    if not opened.is_closed():
        await opened.wait_for_event("close")
    await comes_to(page, "ready")


async def test_the_ticket_leaves_no_trace(page: Page, bridge: Bridge) -> None:
    """It is in no attribute, no event, no entry of the history nor of the performance timeline.

    Nor does the chat learn the page's address.
    """
    await page.goto(f"{bridge.chat.url}/before")
    before = await page.evaluate("history.length")
    bridge.chat.expire()
    await page.goto(bridge.page_of(ACME))
    await signed_in(page, bridge, 2)

    tree = await page.evaluate("document.documentElement.getHTML({ serializableShadowRoots: true })")
    shadow = await component(page).evaluate("(element) => element.shadowRoot.innerHTML")
    assert "<iframe" in shadow
    assert "ticket0" not in tree + shadow
    assert "ticket0" not in await page.evaluate("JSON.stringify([heard, performance.getEntries()])")
    assert await page.evaluate("history.length") == before + 1
    assert [frame.url for frame in page.frames[1:]] == [f"{bridge.chat.url}/acme-corp/channels/town-square"]
    assert bridge.chat.referrers == [None, None]
    await page.go_back()
    assert page.url == f"{bridge.chat.url}/before"
