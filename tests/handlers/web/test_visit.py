"""From the web app into the chat: the component with everything real behind it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from bridge.sandbox import demo_data
from tests.support.embedding import Embedding, embedding
from tests.support.messaging import comes_to, component

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def whole(dsn: str) -> AsyncIterator[Embedding]:
    async with embedding(dsn) as running:
        yield running


async def enters(page: Page, whole: Embedding, person: str) -> None:
    await page.goto(whole.equa.url)
    await page.get_by_role("button", name=person).click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Hello")


async def test_somebody_opens_messaging_and_is_in_the_chat(page: Page, whole: Embedding) -> None:
    """Signed in without an account of their own, in the organization's team; what they write is there."""
    await enters(page, whole, "Ada Moreno")
    await page.get_by_role("link", name="Open Messaging of Acme Corp").click()
    await comes_to(page, "ready")
    chat = page.frame_locator("iframe")
    await expect(chat.get_by_role("heading", level=1)).to_have_text("Agent")
    await expect(chat.locator("#team-name")).to_have_text("Acme Corp")
    await chat.locator("#message").fill("Good morning")
    await chat.locator("#message").press("Enter")
    await expect(chat.get_by_text("Good morning")).to_be_visible()

    assert page.url == f"{whole.bridge_url}/messaging/{demo_data.ACME.id}?channel=agent"
    [frame] = page.frames[1:]
    assert frame.url == f"{whole.chat.url}/acme-corp/channels/agent"


async def test_who_is_no_member_is_told_so(page: Page, whole: Embedding) -> None:
    """Nothing of the organization is made for them, and no frame."""
    await enters(page, whole, "Elif Kaya")
    await page.get_by_role("link", name="Try to open Messaging of Acme Corp").click()

    await expect(page.get_by_role("heading", name="Only members can open this chat")).to_be_visible()
    await expect(component(page).locator("iframe")).to_have_count(0)
    assert "acme-corp" not in whole.chat.store.team_by_name


async def test_who_is_not_signed_in_can_sign_in_and_try_again(page: Page, whole: Embedding) -> None:
    """In another tab, as people do."""
    await page.goto(f"{whole.bridge_url}/messaging/{demo_data.ACME.id}")
    await expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    tab = await page.context.new_page()
    await enters(tab, whole, "Ada Moreno")
    await page.get_by_role("button", name="Try again").click()

    await comes_to(page, "ready")


async def test_a_ticket_that_was_used_up_is_replaced(page: Page, whole: Embedding) -> None:
    """The real page of the real bridge tells the component, which asks for another."""
    await enters(page, whole, "Ada Moreno")
    await page.get_by_role("link", name="Open Messaging of Acme Corp").click()
    await comes_to(page, "ready")
    spent = f"{whole.chat.url}/login/token?token={'a' * 26}&redirect_to=/acme-corp"
    async with page.expect_response(lambda answer: answer.url == spent) as redeeming:
        await page.frames[1].evaluate("(url) => location.replace(url)", spent)
    assert (await redeeming.value).status == 401

    await expect(page.frame_locator("iframe").get_by_role("heading", level=1)).to_have_text("Agent")
    await comes_to(page, "ready")
