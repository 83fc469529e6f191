"""The demo's page in a browser."""

import pytest
from playwright.async_api import Page, ViewportSize, expect

from bridge.sandbox import demo_data
from tests.support.browser import LAPTOP, PHONE, violations
from tests.support.site import Demo

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def enters(page: Page, demo: Demo, name: str) -> None:
    await page.goto(demo.equa.url)
    await page.get_by_role("button", name=name).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(f"Hello, {name.split(maxsplit=1)[0]}")


@pytest.mark.parametrize("viewport", [LAPTOP, PHONE], ids=["laptop", "phone"])
@pytest.mark.parametrize("name", ["", "Ada Moreno", "Dmitri Novak", "Hana Weiss"])
async def test_everybody_can_use_it(page: Page, demo: Demo, name: str, viewport: ViewportSize) -> None:
    """Before and after a person is picked: nothing that axe-core finds wrong, by day and by night."""
    await page.set_viewport_size(viewport)
    await page.goto(demo.equa.url)
    if name:
        await enters(page, demo, name)
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        assert await violations(page) == []

    assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth")


async def test_messaging_is_one_click_away(page: Page, demo: Demo) -> None:
    """Of each organization of one's own; what one is no member of is there to be refused."""
    await enters(page, demo, "Elif Kaya")

    await expect(page.get_by_role("link", name="Open Messaging of Borealis Labs")).to_have_attribute(
        "href", f"{demo.bridge_url}/messaging/{demo_data.BOREALIS.id}?channel=agent"
    )
    await expect(page.get_by_role("link", name="Try to open Messaging of Acme Corp")).to_be_visible()


async def test_what_happened_is_said_and_the_focus_stays(page: Page, demo: Demo) -> None:
    """Though the page is drawn anew."""
    await enters(page, demo, "Ada Moreno")
    button = page.get_by_role("button", name="Issue shares")
    await button.press("Enter")

    await expect(page.get_by_text("#cap-table hears of it.")).to_be_visible()
    await expect(button).to_be_focused()
    assert len(demo.bridge.events) == 1


async def test_members_come_and_go(page: Page, demo: Demo) -> None:
    """Where the button is gone the focus goes to the top."""
    await enters(page, demo, "Ada Moreno")
    await page.get_by_role("button", name="Remove Ben Okafor").click()
    await expect(page.get_by_role("button", name="Add Ben Okafor")).to_be_visible()
    await expect(page.get_by_role("heading", level=1)).to_be_focused()
    await page.get_by_role("button", name="Add Ben Okafor").click()

    await expect(page.get_by_role("button", name="Remove Ben Okafor")).to_be_visible()


async def test_trouble_is_said_too(page: Page, demo: Demo) -> None:
    """What the bridge answers, and that the demo itself has gone."""
    demo.bridge.refuses = True
    await enters(page, demo, "Ada Moreno")
    await page.get_by_role("button", name="Announce").click()
    await expect(page.get_by_text("The bridge answered 401")).to_be_visible()
    await demo.equa.stop()
    await page.get_by_role("button", name="Announce").click()

    await expect(page.get_by_text("The demo does not answer.")).to_be_visible()


async def test_somebody_else_can_take_over(page: Page, demo: Demo) -> None:
    """And a page that comes back out of the browser's memory shows who it is now."""
    await enters(page, demo, "Ada Moreno")
    await page.get_by_role("button", name="Switch person").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Who would you like to be?")
    await page.get_by_role("button", name="Hana Weiss").click()

    await expect(page.get_by_role("heading", level=1)).to_have_text("Hello, Hana")
    await expect(page.get_by_text("You belong to no organization yet.")).to_be_visible()
