"""The chat in a tab of its own: its owner, and what becomes of it when that changes."""

import asyncio

import pytest
from playwright.async_api import Page, expect

from tests.support.browser import stop_clock
from tests.support.messaging import (
    ACME,
    BOREALIS,
    CAN_STORE,
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

BLOCK = "() => { window.open = () => null }"


async def fails_and_is_given_a_tab(page: Page, bridge: Bridge, reply: Reply) -> Page:
    """Come to the button of the error, click on it, and return the tab that waits for this reply."""
    bridge.chat.expire(4)
    bridge.host = host(element())
    await page.goto(f"{bridge.url}/host")
    await comes_to(page, "error")
    before = len(bridge.asked)
    bridge.replies = [reply]
    async with page.context.expect_page() as opening:
        await component(page).get_by_role("button", name="Open in a new tab").click()
    await bridge.until(lambda: len(bridge.asked) == before + 1)
    return await opening.value


async def is_closed(tab: Page) -> None:
    if not tab.is_closed():
        await tab.wait_for_event("close")


async def test_a_tab_ends_with_its_organization(page: Page, bridge: Bridge) -> None:
    """Another organization is shown meanwhile, and what the tab waited for is not waited for any more."""
    tab = await fails_and_is_given_a_tab(page, bridge, Reply(release=asyncio.Event()))
    await component(page).evaluate("(element, id) => { element.organization = id }", BOREALIS)
    await comes_to(page, "ready")
    await is_closed(tab)
    await bridge.until(lambda: bridge.ended == 1)

    await expect(component(page)).to_have_js_property("state", "ready")
    assert [error["code"] for error in await heard(page, "error")] == ["login_expired"]
    assert bridge.chat.logins[-1]["redirect_to"] == "/borealis-labs/channels/town-square"


async def test_a_tab_ends_with_its_element(page: Page, bridge: Bridge) -> None:
    """What is in no page counts down to nothing and asks for nothing."""
    await stop_clock(page)
    late = asyncio.Event()
    busy = refusal(503, "mattermost_unavailable")
    busy.release = late
    tab = await fails_and_is_given_a_tab(page, bridge, busy)
    asked = len(bridge.asked)
    await component(page).evaluate("(element) => { window.removed = element; element.remove() }")
    await is_closed(tab)
    late.set()
    await page.clock.run_for(300_000)

    assert await page.evaluate("removed.state") == "idle"
    assert len(bridge.asked) == asked


async def test_who_asked_for_the_tab_hears_that_it_ended(page: Page, bridge: Bridge) -> None:
    """Not as a failure: nothing went wrong."""
    await page.goto(bridge.page_of(ACME))
    await comes_to(page, "ready")
    bridge.replies = [Reply(release=asyncio.Event())]
    await component(page).evaluate(
        "(element) => { element.openInNewTab().catch((why) => { window.why = why.name }) }"
    )
    await bridge.until(lambda: len(bridge.asked) == 2)
    await component(page).evaluate("(element) => element.remove()")

    await page.wait_for_function("window.why === 'AbortError'")


async def test_a_tab_that_was_closed_is_left_alone(page: Page, bridge: Bridge) -> None:
    """Its ticket is used by nobody."""
    late = asyncio.Event()
    tab = await fails_and_is_given_a_tab(page, bridge, Reply(release=late))
    logins = len(bridge.chat.logins)
    await tab.close()
    async with page.expect_response("**/session"):
        late.set()
    await component(page).get_by_role("button", name="Try again").click()
    await comes_to(page, "ready")

    assert len(bridge.chat.logins) == logins + 1
    assert page.context.pages[-1] == page


@pytest.mark.parametrize("code", ["popup_blocked", "internal_error"])
async def test_a_chat_that_still_loads_goes_on(page: Page, bridge: Bridge, code: str) -> None:
    """That no tab could be opened is told beside it."""
    bridge.chat.release = asyncio.Event()
    await stop_clock(page)
    await page.goto(bridge.page_of(ACME), wait_until="domcontentloaded")
    await bridge.until(lambda: len(bridge.chat.logins) == 1)
    await page.clock.run_for(11_000)
    if code == "popup_blocked":
        await page.evaluate(BLOCK)
    bridge.replies = [refusal(500, code)]
    await component(page).get_by_role("button", name="Open in a new tab").click()
    expected = {"popup_blocked": "No tab could be opened", "internal_error": "Messaging could not be opened"}
    await expect(component(page).locator("[part=hint]")).to_contain_text(expected[code])
    await expect(component(page).get_by_role("status")).to_contain_text(expected[code])
    bridge.chat.release.set()
    await comes_to(page, "ready")

    assert await heard(page, "error") == []
    assert len(bridge.chat.logins) == 1


async def test_a_blocked_tab_can_be_tried_again(page: Page, bridge: Bridge) -> None:
    """Once the browser allows it."""
    bridge.host = host(element(), "<script>window.kept = window.open; window.open = () => null</script>")
    bridge.chat.expire(4)
    await page.goto(f"{bridge.url}/host")
    await comes_to(page, "error")
    again = component(page).get_by_role("button", name="Open in a new tab")
    await again.click()
    await expect(page.get_by_role("heading", name="No tab could be opened")).to_be_visible()
    await page.evaluate("() => { window.open = window.kept }")
    async with page.context.expect_page() as opening:
        await again.click()

    await (await opening.value).wait_for_url(f"{bridge.chat.url}/acme-corp/channels/town-square")


@pytest.mark.parametrize("policy", ["no-referrer", "same-origin", "unsafe-url"])
async def test_the_tab_says_which_site_opens_it_and_no_more(page: Page, bridge: Bridge, policy: str) -> None:
    """To the bridge that is the difference between the web app and anybody's link; "localhost" is a site."""
    app = bridge.url.replace("127.0.0.1", "localhost")
    bridge.chat.unchecked = CAN_STORE
    bridge.host = host(element(), head=f'<meta name="referrer" content="{policy}">')
    await page.goto(f"{app}/host?private")
    await comes_to(page, "ready")
    async with page.context.expect_page() as opening:
        await component(page).evaluate("(element) => element.openInNewTab()")
    tab = await opening.value
    await tab.wait_for_url(f"{bridge.chat.url}/acme-corp/channels/town-square")

    assert bridge.chat.sites[-1] == "cross-site"
    assert bridge.chat.referrers[-1] == f"{app}/"
    assert await tab.evaluate("[opener, history.length]") == [None, 1]
