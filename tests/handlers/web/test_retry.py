"""How the component waits for what will pass, and when it stops."""

from datetime import timedelta
from email.utils import format_datetime

import pytest
from playwright.async_api import Page, expect

from tests.support.browser import stop_clock
from tests.support.messaging import (
    ACME,
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


def away(times: int = 1, **headers: str) -> list[Reply]:
    return [refusal(503, "mattermost_unavailable", **headers) for _ in range(times)]


async def opened(page: Page, bridge: Bridge) -> None:
    """Open the page, with a clock that only the test moves."""
    await stop_clock(page)
    await page.goto(bridge.page_of(ACME))


async def waits(page: Page, bridge: Bridge, tries: int) -> None:
    """Wait until the component does, after so many tries."""
    await bridge.until(lambda: len(bridge.asked) == tries)
    await comes_to(page, "waiting")


async def backoff(page: Page) -> list[float | None]:
    return [error["retryIn"] for error in await heard(page, "error")]


async def test_it_waits_as_long_as_it_is_asked_to(page: Page, bridge: Bridge) -> None:
    """It counts down to the next try, and does not come early."""
    bridge.replies = away(Retry_After="20")
    await opened(page, bridge)
    await comes_to(page, "waiting")
    countdown = component(page).locator("[part=countdown]")
    await expect(countdown).to_contain_text("Trying again in 2")
    await page.clock.run_for(10_000)
    await expect(countdown).to_contain_text("Trying again in 1")
    assert len(bridge.asked) == 1
    await page.clock.run_for(12_000)
    await comes_to(page, "ready")

    [seconds] = await backoff(page)
    assert seconds is not None
    assert 20 <= seconds <= 21
    assert len(bridge.asked) == 2


async def test_a_date_is_understood_too(page: Page, bridge: Bridge) -> None:
    """`Retry-After` has two forms."""
    then = await stop_clock(page) + timedelta(seconds=100)
    bridge.replies = away(Retry_After=format_datetime(then, usegmt=True))
    await page.goto(bridge.page_of(ACME))
    await comes_to(page, "waiting")

    [seconds] = await backoff(page)
    assert seconds is not None
    assert 100 <= seconds <= 101


@pytest.mark.parametrize("nonsense", ["soon", "-5", "1e3"])
async def test_nonsense_is_taken_for_nothing(page: Page, bridge: Bridge, nonsense: str) -> None:
    """Then it waits as if it had not been asked to."""
    bridge.replies = away(Retry_After=nonsense)
    await opened(page, bridge)
    await comes_to(page, "waiting")

    [seconds] = await backoff(page)
    assert seconds is not None
    assert 1 <= seconds <= 2


async def test_pauses_grow_and_end(page: Page, bridge: Bridge) -> None:
    """After six tries only the button is left; each pause is jittered, so that not all come back at once."""
    bridge.replies = away(7)
    await opened(page, bridge)
    for tries in range(1, 7):
        await waits(page, bridge, tries)
        await page.clock.run_for(60_000)
    await comes_to(page, "error")
    await page.clock.run_for(600_000)

    *waited, last = await backoff(page)
    for seconds, longest in zip(waited, (2, 4, 8, 16, 32, 60), strict=True):
        assert seconds is not None
        assert longest / 2 <= seconds <= longest
    assert last is None
    assert len(bridge.asked) == 7
    await page.get_by_role("button", name="Try again").click()
    await comes_to(page, "ready")


async def test_who_asks_for_an_hour_is_asked_again_by_hand_only(page: Page, bridge: Bridge) -> None:
    """Nobody watches a countdown of an hour."""
    bridge.replies = away(Retry_After="3600")
    await opened(page, bridge)
    await comes_to(page, "error")

    await expect(page.get_by_role("button", name="Try again")).to_be_visible()
    assert await backoff(page) == [None]


async def test_success_forgets_the_failures_before(page: Page, bridge: Bridge) -> None:
    """The next trouble, such as when the chat asks to be signed in anew, begins with a short pause again."""
    bridge.replies = [*away(3), Reply(), *away()]
    await opened(page, bridge)
    for tries in range(1, 4):
        await waits(page, bridge, tries)
        await page.clock.run_for(9_000)
    await comes_to(page, "ready")
    chat = page.frame_locator("iframe").locator("body")
    await chat.evaluate("parent.postMessage({ type: 'equabot:login-expired' }, '*')")
    await waits(page, bridge, 5)

    seconds = (await backoff(page))[-1]
    assert seconds is not None
    assert seconds <= 2


async def test_being_online_again_ends_the_wait(page: Page, bridge: Bridge) -> None:
    """The browser knows before the countdown ends."""
    bridge.replies = away(Retry_After="200")
    await opened(page, bridge)
    await comes_to(page, "waiting")
    await page.evaluate("dispatchEvent(new Event('online'))")

    await comes_to(page, "ready")


@pytest.mark.parametrize("app", ["127.0.0.1", "localhost"])
async def test_a_login_that_failed_is_tried_again(page: Page, bridge: Bridge, app: str) -> None:
    """The frame says that it will pass; the page around it may be of another site, in another process."""
    bridge.chat.fail(retry_after="20")
    bridge.chat.unchecked = CAN_STORE
    bridge.host = host(element())
    await stop_clock(page)
    await page.goto(f"{bridge.url.replace('127.0.0.1', app)}/host")
    await comes_to(page, "waiting")
    await expect(page.get_by_role("heading", name="Messaging is not available right now")).to_be_visible()
    await page.clock.run_for(22_000)
    await comes_to(page, "ready")

    [error] = await heard(page, "error")
    assert (error["code"], error["status"]) == ("unavailable", 503)
    assert 20 <= error["retryIn"] <= 21
    states = [event["state"] for event in await heard(page, "state")]
    assert states == ["loading", "waiting", "loading", "ready"]
    assert len(bridge.asked) == len(bridge.chat.logins) == 2


async def test_pauses_of_failed_logins_grow_and_end_too(page: Page, bridge: Bridge) -> None:
    """The page of a failed login is no success, though it is a page."""
    bridge.chat.fail(7)
    await opened(page, bridge)
    for tries in range(1, 7):
        await waits(page, bridge, tries)
        await page.clock.run_for(60_000)
    await comes_to(page, "error")

    *waited, last = await backoff(page)
    for seconds, longest in zip(waited, (2, 4, 8, 16, 32, 60), strict=True):
        assert seconds is not None
        assert longest / 2 <= seconds <= longest
    assert last is None


@pytest.mark.parametrize("nonsense", ["'soon'", "-5", "NaN", "{}", "undefined"])
async def test_nonsense_of_a_frame_is_taken_for_nothing(page: Page, bridge: Bridge, nonsense: str) -> None:
    """Then it waits as if it had not been asked to."""
    bridge.chat.fail(retry_after=nonsense)
    await opened(page, bridge)
    await comes_to(page, "waiting")

    [seconds] = await backoff(page)
    assert seconds is not None
    assert 1 <= seconds <= 2


@pytest.mark.parametrize("reply", [away()[0], refusal(403, "not_a_member")])
async def test_what_is_gone_from_the_page_asks_no_more(page: Page, bridge: Bridge, reply: Reply) -> None:
    """Neither when its countdown would have ended nor when the browser is online again."""
    bridge.replies = [reply]
    await opened(page, bridge)
    await bridge.until(lambda: len(bridge.asked) == 1)
    await expect(component(page).locator("[part=error]")).to_be_visible()
    await component(page).evaluate("(element) => element.remove()")
    await page.clock.run_for(300_000)
    await page.evaluate("dispatchEvent(new Event('online'))")
    await page.goto("about:blank")

    assert len(bridge.asked) == 1


async def test_the_countdown_is_read_out_once(page: Page, bridge: Bridge) -> None:
    """Not every second: what counts is hidden from screen readers."""
    bridge.replies = away(Retry_After="20")
    await opened(page, bridge)
    await comes_to(page, "waiting")
    status = component(page).get_by_role("status")
    said = await status.text_content()
    await page.clock.run_for(5_000)

    assert said is not None
    assert said.endswith(("Trying again in 20 seconds.", "Trying again in 21 seconds."))
    await expect(status).to_have_text(said)
    await expect(component(page).locator("[part=countdown]")).to_have_attribute("aria-hidden", "true")
