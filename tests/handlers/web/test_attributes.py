"""What the component does when its attributes change, also in the middle of something."""

import asyncio

import pytest
from playwright.async_api import Page, expect

from tests.support.messaging import (
    ACME,
    BOREALIS,
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


async def changes(page: Page, **properties: str) -> None:
    await component(page).evaluate("(element, all) => Object.assign(element, all)", properties)


async def shown(page: Page) -> str:
    """Return the path that the frame shows once it is ready."""
    await comes_to(page, "ready")
    return await page.frame_locator("iframe").locator("header").inner_text()


@pytest.mark.parametrize("status", [200, 403])
async def test_a_stale_answer_never_wins(page: Page, bridge: Bridge, status: int) -> None:
    """Somebody switches organizations while the first is still being prepared, and that answer comes last."""
    late = asyncio.Event()
    bridge.replies = [Reply(status, release=late)]
    await page.goto(bridge.page_of(ACME))
    await bridge.until(lambda: bridge.asked == [ACME])
    await changes(page, organization=BOREALIS)
    assert await shown(page) == "/borealis-labs/channels/town-square"
    late.set()

    assert await shown(page) == "/borealis-labs/channels/town-square"
    assert bridge.asked == [ACME, BOREALIS]
    assert await heard(page, "error") == []
    assert len(bridge.chat.logins) == 1


async def test_the_request_that_nobody_waits_for_is_ended(page: Page, bridge: Bridge) -> None:
    """So the bridge need not go on for it."""
    bridge.replies = [Reply(release=asyncio.Event())]
    await page.goto(bridge.page_of(ACME))
    await bridge.until(lambda: bridge.asked == [ACME])
    await component(page).evaluate("(element) => element.remove()")

    await bridge.until(lambda: bridge.ended == 1)


async def test_nothing_of_the_old_organization_stays_in_sight(page: Page, bridge: Bridge) -> None:
    """Its chat is gone at once, not only when the next one is there."""
    await page.goto(bridge.page_of(ACME))
    await comes_to(page, "ready")
    release = asyncio.Event()
    bridge.replies = [Reply(release=release)]
    await changes(page, organization=BOREALIS)
    await comes_to(page, "loading")
    await expect(component(page).locator("iframe")).to_have_count(0)
    release.set()

    assert await shown(page) == "/borealis-labs/channels/town-square"


async def test_changes_that_come_together_make_one_request(page: Page, bridge: Bridge) -> None:
    """A framework sets one attribute after the other; and setting what is set already changes nothing."""
    await page.goto(bridge.page_of(ACME))
    await comes_to(page, "ready")
    await changes(page, organization=BOREALIS, api="/elsewhere", channel="agent")
    await bridge.until(lambda: len(bridge.asked) == 2)
    assert await shown(page) == "/borealis-labs/channels/agent"
    await changes(page, organization=BOREALIS, api="/elsewhere", channel="agent")

    assert await shown(page) == "/borealis-labs/channels/agent"
    assert [request.path for request in bridge.requests] == [
        "/api/v1/mattermost/session",
        "/elsewhere/session",
    ]


async def test_a_change_ends_a_wait(page: Page, bridge: Bridge) -> None:
    """What one organization has to wait for is no matter of the next."""
    bridge.replies = [refusal(503, "mattermost_unavailable", Retry_After="200")]
    await page.goto(bridge.page_of(ACME))
    await comes_to(page, "waiting")
    await changes(page, organization=BOREALIS)

    assert await shown(page) == "/borealis-labs/channels/town-square"


async def test_without_its_organization_it_shows_nothing(page: Page, bridge: Bridge) -> None:
    """As when somebody leaves the organization's pages."""
    await page.goto(bridge.page_of(ACME))
    await comes_to(page, "ready")
    await changes(page, organization="")
    await comes_to(page, "idle")

    await expect(component(page).locator("iframe")).to_have_count(0)
    await expect(component(page).get_by_role("status")).to_be_empty()


async def test_what_is_gone_from_the_page_is_idle_and_says_so(page: Page, bridge: Bridge) -> None:
    """To who listens at the element itself; nor does a call make it ask from outside of every page."""
    await page.goto(bridge.page_of(ACME))
    await comes_to(page, "ready")
    states = await component(page).evaluate("""(element) => {
        const states = [];
        const note = ({ detail }) => states.push(detail.state, element.state);
        element.addEventListener("equa-messaging-state", note);
        element.remove();
        return element.reload().then(() => states);
    }""")

    assert states[:2] == ["idle", "idle"]
    assert len(bridge.asked) == 1


async def test_two_organizations_stand_side_by_side(page: Page, bridge: Bridge) -> None:
    """Each has its own frame; what one of them needs does not touch the other."""
    bridge.host = host(element(ACME), element(BOREALIS))
    await page.goto(f"{bridge.url}/host")
    for each in await component(page).all():
        await expect(each).to_have_js_property("state", "ready")
    second = component(page).nth(1).frame_locator("iframe")
    await second.locator("body").evaluate("parent.postMessage({ type: 'equabot:login-expired' }, '*')")
    await bridge.until(lambda: len(bridge.asked) == 3)
    for each in await component(page).all():
        await expect(each).to_have_js_property("state", "ready")

    assert sorted(bridge.asked) == [ACME, BOREALIS, BOREALIS]
    assert sorted(login["redirect_to"] for login in bridge.chat.logins) == [
        "/acme-corp/channels/town-square",
        *["/borealis-labs/channels/town-square"] * 2,
    ]


async def test_it_starts_anew_where_it_is_moved(page: Page, bridge: Bridge) -> None:
    """A frame that is moved in a page is loaded again, and its ticket is spent."""
    bridge.host = host(element(), '<div id="elsewhere"></div>')
    await page.goto(f"{bridge.url}/host")
    await comes_to(page, "ready")
    await component(page).evaluate("(element) => document.getElementById('elsewhere').append(element)")
    await bridge.until(lambda: len(bridge.chat.logins) == 2)

    assert await shown(page) == "/acme-corp/channels/town-square"
    assert len(bridge.asked) == 2


async def test_what_was_set_before_the_script_came_counts(page: Page, bridge: Bridge) -> None:
    """A framework sets properties of an element that is not known yet."""
    early = f"document.querySelector('equa-messaging').organization = '{ACME}'"
    bridge.host = host(element(""), f"<script>{early}</script>")
    await page.goto(f"{bridge.url}/host")

    assert await shown(page) == "/acme-corp/channels/town-square"
    await expect(component(page)).to_have_attribute("organization", ACME)


async def test_a_script_can_load_it_anew(page: Page, bridge: Bridge) -> None:
    """`reload` fetches a new ticket; who waits for it waits for the answer to the request."""
    await page.goto(bridge.page_of(ACME))
    await comes_to(page, "ready")
    await component(page).evaluate("(element) => element.reload()")
    await comes_to(page, "ready")

    assert [event["state"] for event in await heard(page, "state")] == ["loading", "ready"] * 2
    assert len(bridge.asked) == 2
