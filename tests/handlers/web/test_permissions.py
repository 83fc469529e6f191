"""What the chat may do inside its frame, which is navigated by a script and so has no `src`."""

from typing import Literal

import pytest
from aiohttp import web
from playwright.async_api import Page, expect

from tests.support.messaging import ACME, Bridge, comes_to, component, element, host

pytestmark = pytest.mark.asyncio(loop_scope="session")

TOOLS = """<!doctype html><html lang="en"><title>Chat</title>
<button id="copy">Copy</button> <button id="full">Full screen</button> <output></output>
<script>
const said = document.querySelector("output");
const say = (text) => said.textContent = text;
const show = (promise) => promise.then(() => say("done"), (error) => say(error.name));
copy.onclick = () => show(navigator.clipboard.writeText("from the chat"));
full.onclick = () => show(document.documentElement.requestFullscreen());
</script>"""


async def tools(page: Page, bridge: Bridge) -> None:
    bridge.chat.pages = [web.Response(text=TOOLS, content_type="text/html")]
    await page.goto(bridge.page_of(ACME))
    await comes_to(page, "ready")


async def test_a_link_can_be_copied(complete_page: Page, bridge: Bridge) -> None:
    """From the chat's menus."""
    page = complete_page
    await tools(page, bridge)
    frame = page.frame_locator("iframe")
    await frame.get_by_role("button", name="Copy").click()

    await expect(frame.locator("output")).to_have_text("done")
    await page.context.grant_permissions(["clipboard-read"])
    assert await page.evaluate("navigator.clipboard.readText()") == "from the chat"


async def test_an_image_can_fill_the_screen(page: Page, bridge: Bridge) -> None:
    """And the frame is what is shown then."""
    await tools(page, bridge)
    frame = page.frame_locator("iframe")
    await frame.get_by_role("button", name="Full screen").click()

    await expect(frame.locator("output")).to_have_text("done")
    assert await page.evaluate("document.fullscreenElement?.localName") == "equa-messaging"


async def test_only_the_chat_may(page: Page, bridge: Bridge) -> None:
    """Nothing else gets a permission that the page has."""
    await tools(page, bridge)

    allow = await component(page).locator("iframe").get_attribute("allow")
    assert allow == f"clipboard-write {bridge.chat.url}; fullscreen {bridge.chat.url}"


DARK = "<style>:root { color-scheme: dark }</style>"
SCHEMES: dict[str, tuple[str, dict[str, str], Literal["light", "dark"], str]] = {
    "nothing said": ("", {}, "dark", "light"),
    "dark by the page": (DARK, {}, "light", "dark"),
    "light by the page": ("<style>:root { color-scheme: light }</style>", {}, "dark", "light"),
    "as the system, dark": ('<meta name="color-scheme" content="light dark">', {}, "dark", "dark"),
    "as the system, light": ("<style>:root { color-scheme: dark light }</style>", {}, "light", "light"),
    "dark by the attribute": ("", {"theme": "dark"}, "light", "dark"),
    "light by the attribute": (DARK, {"theme": "light"}, "dark", "light"),
    "as the system by the attribute": ("", {"theme": "auto"}, "dark", "dark"),
    "only dark": ("<style>:root { color-scheme: only dark }</style>", {}, "light", "dark"),
}


@pytest.mark.parametrize("case", SCHEMES.values(), ids=SCHEMES)
async def test_the_chat_is_told_the_scheme_that_is_seen(
    page: Page, bridge: Bridge, case: tuple[str, dict[str, str], Literal["light", "dark"], str]
) -> None:
    """It follows the page's at the first visit."""
    head, attributes, system, scheme = case
    await page.emulate_media(color_scheme=system)
    bridge.host = host(element(**attributes), head=head)
    await page.goto(f"{bridge.url}/host")
    await comes_to(page, "ready")
    await page.emulate_media(color_scheme="null")

    assert await bridge.requests[0].json() == {"organizationId": ACME, "scheme": scheme}
