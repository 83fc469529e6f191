"""Whether files of the chat can be downloaded in its frame."""

import asyncio

import pytest
from playwright.async_api import Page, expect

from tests.support.messaging import ACME, SANDBOX, Bridge, comes_to, component, element, heard, host

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def asks_for_a_file(page: Page) -> None:
    """Click on a link to a file in the chat."""
    await (
        page.frame_locator("iframe")
        .locator("body")
        .evaluate(
            "(body) => { body.innerHTML = '<a href=/file download>Report</a>'; body.firstChild.click(); }"
        )
    )


async def test_files_of_the_chat_can_be_downloaded(page: Page, bridge: Bridge) -> None:
    """Our own page wants that."""
    await page.goto(bridge.page_of(ACME))
    await comes_to(page, "ready")
    async with page.expect_download() as downloading:
        await asks_for_a_file(page)
    download = await downloading.value

    assert download.suggested_filename == "report.txt"
    assert await asyncio.to_thread((await download.path()).read_text) == "Figures"


async def test_unless_the_page_wants_it_the_browser_refuses(complete_page: Page, bridge: Bridge) -> None:
    """A frame may do no more than the page around it says."""
    page = complete_page
    bridge.host = host(element())
    await page.goto(f"{bridge.url}/host")
    await comes_to(page, "ready")
    await expect(component(page).locator("iframe")).to_have_attribute("sandbox", SANDBOX)
    async with page.expect_console_message(lambda said: "allow-downloads" in said.text) as saying:
        await asks_for_a_file(page)

    assert "Download is disallowed" in (await saying.value).text


@pytest.mark.parametrize(("value", "allowed"), [("", True), ("true", True), ("false", False)])
async def test_as_an_attribute_it_is_there_or_not(
    page: Page, bridge: Bridge, value: str, *, allowed: bool
) -> None:
    """Older frameworks write "false" where others leave it out."""
    bridge.host = host(element(downloads=value))
    await page.goto(f"{bridge.url}/host")
    await comes_to(page, "ready")

    await expect(component(page)).to_have_js_property("downloads", allowed)
    sandbox = await component(page).locator("iframe").get_attribute("sandbox")
    assert sandbox == (f"{SANDBOX} allow-downloads" if allowed else SANDBOX)


async def test_a_change_begins_anew(page: Page, bridge: Bridge) -> None:
    """What a frame may do counts from its next page on."""
    bridge.host = host(element(downloads="false"))
    await page.goto(f"{bridge.url}/host")
    await comes_to(page, "ready")
    for allowed, sandbox in ((True, f"{SANDBOX} allow-downloads"), (False, SANDBOX)):
        await component(page).evaluate("(element, value) => { element.downloads = value }", allowed)
        await expect(component(page).locator("iframe")).to_have_attribute("sandbox", sandbox)
        await comes_to(page, "ready")

    assert len(await heard(page, "ready")) == 3
