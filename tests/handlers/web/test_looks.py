"""How the component and its page look, and whether everybody can use them."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
from playwright.async_api import Page, ViewportSize, expect

from tests.support.browser import LAPTOP, PHONE, violations
from tests.support.messaging import ACME, Bridge, Reply, comes_to, component, element, host, refusal

pytestmark = pytest.mark.asyncio(loop_scope="session")

STATES: Mapping[str, Callable[[], Reply]] = {
    "loading": lambda: Reply(release=asyncio.Event()),
    "ready": Reply,
    "waiting": lambda: refusal(503, "mattermost_unavailable", Retry_After="30"),
    "error": lambda: refusal(409, "account_conflict", "The account with your e-mail address is a bot."),
}

LIGHT, DARK = "rgb(255, 255, 255)", "rgb(22, 29, 31)"


async def background(page: Page) -> str:
    color: str = await component(page).evaluate("(element) => getComputedStyle(element).backgroundColor")
    return color


async def is_too_wide(page: Page) -> bool:
    wider: bool = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return wider


@pytest.mark.parametrize("viewport", [LAPTOP, PHONE], ids=["laptop", "phone"])
@pytest.mark.parametrize("state", STATES)
async def test_everybody_can_use_it(page: Page, bridge: Bridge, state: str, viewport: ViewportSize) -> None:
    """Nothing that axe-core finds wrong, nothing that needs scrolling sideways, in light and in dark."""
    bridge.replies = [STATES[state]()]
    await page.set_viewport_size(viewport)
    await page.goto(bridge.page_of(ACME))
    await comes_to(page, state)

    assert await violations(page) == []
    assert not await is_too_wide(page)
    assert await background(page) == LIGHT
    await page.emulate_media(color_scheme="dark")
    assert await violations(page) == []
    assert await background(page) == DARK


@pytest.mark.parametrize("path", ["nonsense", f"{ACME}?channel=A B"])
@pytest.mark.parametrize("viewport", [LAPTOP, PHONE], ids=["laptop", "phone"])
async def test_everybody_can_read_what_is_wrong_with_an_address(
    page: Page, bridge: Bridge, path: str, viewport: ViewportSize
) -> None:
    """The page for a wrong address is a page too."""
    await page.set_viewport_size(viewport)
    await page.goto(bridge.page_of(path))

    assert await violations(page) == []
    assert not await is_too_wide(page)


@pytest.mark.parametrize(
    ("theme", "page_scheme", "seen"),
    [
        ("", "normal", (LIGHT, LIGHT)),
        ("", "dark", (DARK, DARK)),
        ("", "light dark", (LIGHT, DARK)),
        ("light", "light dark", (LIGHT, LIGHT)),
        ("dark", "normal", (DARK, DARK)),
        ("auto", "normal", (LIGHT, DARK)),
    ],
)
async def test_it_looks_as_its_page_does_or_as_it_is_told(
    page: Page, bridge: Bridge, theme: str, page_scheme: str, seen: tuple[str, str]
) -> None:
    """By day and by night the page's `color-scheme` counts, unless the attribute says otherwise."""
    style = f"<style>:root {{ color-scheme: {page_scheme} }}</style>"
    bridge.host = host(element(theme=theme), head=style)
    await page.goto(f"{bridge.url}/host")
    await comes_to(page, "ready")
    by_day = await background(page)
    await page.emulate_media(color_scheme="dark")

    assert (by_day, await background(page)) == seen


async def test_a_page_can_style_it(page: Page, bridge: Bridge) -> None:
    """By custom properties and by parts."""
    style = """<style>
        equa-messaging { --equa-messaging-background: rgb(1, 2, 3) }
        equa-messaging::part(retry) { border-radius: 3px }
    </style>"""
    bridge.replies = [refusal(403, "not_a_member")]
    bridge.host = host(element(), head=style)
    await page.goto(f"{bridge.url}/host")
    retry = page.get_by_role("button", name="Try again")

    assert await background(page) == "rgb(1, 2, 3)"
    assert await retry.evaluate("(button) => getComputedStyle(button).borderRadius") == "3px"


async def test_the_strictest_policy_lets_it_work(page: Page, bridge: Bridge) -> None:
    """No style, no string that becomes a script, nothing but its own file, its API and the frame."""
    policy = f"default-src 'none'; script-src 'self'; connect-src 'self'; frame-src {bridge.chat.url}"
    bridge.host = host(element())
    bridge.host_headers = {
        "Content-Security-Policy": f"{policy}; require-trusted-types-for 'script'; trusted-types 'none'"
    }
    violated: list[str] = []
    page.on("console", lambda message: violated.append(message.text) if message.type == "error" else None)
    await page.goto(f"{bridge.url}/host")
    await comes_to(page, "ready")

    assert await background(page) == LIGHT
    assert [text for text in violated if "Content Security Policy" in text] == []


async def test_the_keyboard_is_enough(page: Page, bridge: Bridge) -> None:
    """Who presses the button is taken along: to what comes next, and into the chat."""
    release = asyncio.Event()
    bridge.replies = [refusal(403, "not_a_member"), refusal(403, "not_a_member"), Reply(release=release)]
    await page.goto(bridge.page_of(ACME))
    await comes_to(page, "error")
    retry = page.get_by_role("button", name="Try again")
    for _ in range(3):
        await page.keyboard.press("Tab")
    await expect(retry).to_be_focused()
    await page.keyboard.press("Enter")
    await bridge.until(lambda: len(bridge.asked) == 2)
    await comes_to(page, "error")
    await expect(retry).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(component(page).locator(".panel")).to_be_focused()
    release.set()
    await comes_to(page, "ready")

    await expect(component(page).locator("iframe")).to_be_focused()


async def test_the_focus_is_not_taken_from_elsewhere(page: Page, bridge: Bridge) -> None:
    """Somebody may be writing in another part of the page while the chat comes or fails."""
    bridge.replies = [refusal(403, "not_a_member")]
    bridge.host = host('<label>Name <input id="name" autofocus></label>', element())
    await page.goto(f"{bridge.url}/host")
    await comes_to(page, "error")
    await expect(page.locator("#name")).to_be_focused()
    await component(page).evaluate("(element) => { element.reload() }")
    await comes_to(page, "ready")

    await expect(page.locator("#name")).to_be_focused()


async def test_what_happens_is_announced(page: Page, bridge: Bridge) -> None:
    """One live region tells each state in words."""
    release = asyncio.Event()
    bridge.replies = [Reply(release=release), refusal(401, "not_signed_in")]
    await page.goto(bridge.page_of(ACME))
    status = component(page).get_by_role("status")
    await expect(status).to_have_text("Opening Messaging…")
    release.set()
    await expect(status).to_have_text("Messaging is open.")
    await component(page).evaluate("(element) => { element.reload() }")

    await expect(status).to_have_text(
        "You are not signed in. Your Equa session has ended. Sign in to Equa, then try again."
    )
