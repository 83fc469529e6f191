"""The organization's page with everything real behind it: what is on it is what the bridge's API says."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from asyncpg import Pool
from playwright.async_api import Locator, Page, expect

from bridge.db.approvals import Approvals
from bridge.db.pool import open_pool
from bridge.models.approvals import Approval, ApprovalId
from bridge.models.chat import ChannelId, PostId
from bridge.models.conversations import Conversation
from bridge.sandbox import demo_data, demo_history
from tests.support.agent import serving
from tests.support.agent_admin import comes_to, component
from tests.support.embedding import Embedding, embedding

pytestmark = pytest.mark.asyncio(loop_scope="session")

ACME = demo_data.ACME.id


@dataclass(frozen=True, slots=True)
class Whole:
    """What runs, and its database."""

    running: Embedding
    pool: Pool

    @property
    def page(self) -> str:
        return f"{self.running.bridge_url}/messaging/{ACME}/agent"


@pytest_asyncio.fixture(loop_scope="session")
async def whole(dsn: str) -> AsyncIterator[Whole]:
    async with embedding(dsn) as running, await open_pool(dsn, max_size=1) as pool:
        yield Whole(running, pool)


async def enters(page: Page, whole: Whole, person: str) -> None:
    await page.goto(whole.running.equa.url)
    await page.get_by_role("button", name=person).click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Hello")


async def answer(page: Page, whole: Whole, what: str) -> Any:
    """Return what the API says to the person whose page this is."""
    response = await page.request.get(f"{whole.running.bridge_url}/api/v1/mattermost/{what}")
    return await response.json()


async def column(table: Locator, number: int) -> list[str]:
    return await table.locator(f"tbody tr > :nth-child({number})").all_text_contents()


async def test_an_administrator_sees_and_decides(page: Page, whole: Whole) -> None:
    """From the web app to the numbers, a decision, a change of the settings, and both in the audit."""
    await demo_history.store(whole.pool)
    await _wants(whole.pool, "Issue 5,000 shares")
    await enters(page, whole, "Ada Moreno")
    await page.get_by_role("link", name="What the agent of Acme Corp does").click()
    await comes_to(page, "ready")
    by_day = await answer(page, whole, f"usage/{ACME}")
    by_person = await answer(page, whole, f"usage/{ACME}?by=person")
    tokens = page.get_by_role("table", name="Tokens", exact=True, include_hidden=True)

    assert by_day["total"]["questions"] > 100
    await expect(page.get_by_text(f"{by_day['total']['questions']} questions")).to_be_visible()
    assert await column(tokens, 3) == [f"{line['promptTokens']:,}" for line in by_day["lines"]]
    assert await column(tokens, 4) == [f"{line['completionTokens']:,}" for line in by_day["lines"]]
    people = page.get_by_role("table", name="By person")
    assert await column(people, 2) == [f"{line['questions']:,}" for line in by_person["lines"]]

    await page.get_by_role("tab", name="Approvals 1 waits").click()
    await page.get_by_role("button", name="Deny: Issue 5,000 shares").click()
    await page.get_by_role("dialog").get_by_role("button", name="Deny").click()
    await expect(page.get_by_text("You have denied it.").first).to_be_visible()
    await page.get_by_role("tab", name="Settings").click()
    await page.get_by_role("radio", name="Never").check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.").first).to_be_visible()
    await page.get_by_role("tab", name="Audit").click()
    await comes_to(page, "ready")

    entries = component(page).get_by_role("listitem")
    await expect(entries).to_have_count(2)
    await expect(entries.first).to_contain_text("Changed the settings on this page · follow ups: — → never")
    await expect(entries.last).to_contain_text("Denied what the agent wanted to do on this page")
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Download as CSV").click()
    assert len((await (await downloading.value).path()).read_text().splitlines()) == 3


async def test_nobody_else_sees_anything(page: Page, whole: Whole) -> None:
    """Neither a member without that role, nor an administrator of another organization."""
    await demo_history.store(whole.pool)
    for person in ("Chloe Tanaka", "Elif Kaya"):
        await page.context.clear_cookies()
        await enters(page, whole, person)
        await page.goto(whole.page)

        await expect(page.get_by_role("heading", name="Only administrators can see this")).to_be_visible()
        await expect(page.get_by_role("tab")).to_have_count(0)


async def test_a_page_of_another_origin_can_hold_it(page: Page, dsn: str) -> None:
    """It reads, and changes, as the bridge lets pages of `WEB_ORIGINS`."""
    bodies: list[str] = []

    async def page_of_somebody(_request: web.Request) -> web.Response:
        return web.Response(text=bodies[0], content_type="text/html")

    app = web.Application()
    app.add_routes([web.get("/", page_of_somebody)])
    async with (
        serving(app) as host,
        embedding(dsn, host) as running,
        await open_pool(dsn, max_size=1) as pool,
    ):
        whole = Whole(running, pool)
        bridge = running.bridge_url
        bodies.append(
            f"""<!doctype html><script type="module" src="{bridge}/static/agent-admin.js"></script>
            <equa-agent-admin organization="{ACME}" api="{bridge}/api/v1/mattermost" section="settings">"""
        )
        await enters(page, whole, "Ada Moreno")
        await page.goto(host)
        await comes_to(page, "ready")
        await page.get_by_role("radio", name="Never").check()
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Saved.").first).to_be_visible()

        assert (await answer(page, whole, f"settings/{ACME}"))["followUps"] == "never"


async def _wants(pool: Pool, title: str) -> None:
    """Let the agent want something that has to be approved."""
    now = round(time.time() * 1000)
    conversation = Conversation(ACME, ChannelId("c" * 26), PostId("p" * 26))
    approval = Approval(
        ApprovalId("plugin:1"),
        "plugin",
        conversation,
        run_id="",
        title=title,
        description="",
        tool="cap_table.issue",
        severity="warning",
        decisions=("allow-once", "deny"),
        created_at=now,
        expires_at=now + 600_000,
    )
    await Approvals(pool).add(approval)
