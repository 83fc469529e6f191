"""The first visit as a person has it: a real browser, a real nginx, the real daemon."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Frame, Page, expect

from bridge.sandbox import chat, equa, site
from bridge.sandbox import demo_data as sandbox
from bridge.sandbox.agent import SandboxAgent, create_app
from bridge.sandbox.mattermost import Server, Store
from tests.support.agent import TOKEN, serving
from tests.support.browser import launched
from tests.support.daemon import Daemon
from tests.support.nginx import serving as proxied
from tests.support.ports import reserved_port
from tests.support.programs import required_program
from tests.support.sealed import entry

PATIENCE = 20_000
"""Milliseconds."""


@dataclass(frozen=True, slots=True)
class Town:
    """Everything that a visitor meets; nothing in the chat exists before the first visit."""

    platform: equa.Server
    store: Store
    chat_url: str


@pytest.fixture
async def town(dsn: str, tmp_path: Path) -> AsyncIterator[Town]:
    nginx_program = required_program("nginx")
    store, port = Store(), reserved_port()
    bot = store.create_bot("equabot")
    bridge_url = f"http://127.0.0.1:{port}"
    pages = site.pages(sandbox.COMPANIES, bridge_url=bridge_url, token="token-of-the-platform")
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(Server(store, pages=chat.pages([]), spa=chat.spa))
        platform = await stack.enter_async_context(equa.Server(pages=pages))
        agent = SandboxAgent(sandbox.agent_directory(), token=TOKEN)
        agent_url = await stack.enter_async_context(serving(create_app(agent)))
        upstreams = {
            "MATTERMOST_UPSTREAM": server.url,
            "BRIDGE_UPSTREAM": bridge_url,
            "FRAME_ANCESTORS": bridge_url,
        }
        nginx = await stack.enter_async_context(proxied(nginx_program, tmp_path, upstreams))
        environ = {
            "DATABASE_URL": dsn,
            "TOKEN_KEYS": entry("k1"),
            "MATTERMOST_URL": server.url,
            "MATTERMOST_PUBLIC_URL": nginx.url,
            "MATTERMOST_ADMIN_BOT_TOKEN": store.admin_token,
            "MATTERMOST_BOT_TOKEN": store.create_token(bot).token,
            "EQUA_API_URL": platform.api_url,
            "AGENT_URL": agent_url,
            "AGENT_TOKEN": TOKEN,
            "PLATFORM_TOKENS": "token-of-the-platform",
            "WEB_ORIGINS": f"{platform.url},{bridge_url}",
        }
        await stack.enter_async_context(_served(Daemon(environ, tmp_path / "daemon.log", port)))
        yield Town(platform, store, nginx.url)


@asynccontextmanager
async def _served(daemon: Daemon) -> AsyncIterator[None]:
    await daemon.start()
    try:
        await daemon.ready()
        yield
    finally:
        await daemon.kill()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with launched() as running:
        yield running


async def open_messaging(town: Town, context: BrowserContext, name: str) -> tuple[Page, Frame]:
    """Pick a person on Equa's page and open Messaging; returns the page and the chat in it."""
    page = await context.new_page()
    page.set_default_timeout(PATIENCE)
    await page.goto(town.platform.url)
    await page.get_by_text(name).first.click()
    await page.get_by_role("link", name=re.compile("Messaging")).first.click()
    composer = page.frame_locator("iframe").get_by_role("textbox").first
    await expect(composer).to_be_visible(timeout=PATIENCE)
    frame = next(each for each in page.frames if each.url.startswith(town.chat_url))
    return page, frame


async def test_a_browser_ends_signed_in_and_sees_its_own_organization_only(
    town: Town, browser: Browser
) -> None:
    """From Equa's page into the own team, to an answer; another team stays closed; what was written stays."""
    elif_context, ada_context = await browser.new_context(), await browser.new_context()
    await open_messaging(town, elif_context, "Elif Kaya")
    page, frame = await open_messaging(town, ada_context, "Ada Moreno")

    await frame.get_by_role("textbox").first.fill("@equabot who is on our team?")
    await frame.get_by_role("textbox").first.press("Enter")
    answer = frame.get_by_text("The team of")
    await expect(answer).to_be_visible(timeout=PATIENCE)
    reported = await answer.inner_text()
    assert "Acme Corp" in reported
    assert "Borealis" not in reported

    other = await frame.evaluate("async () => (await fetch('/api/v4/teams/name/borealis-labs')).status")
    mine = await frame.evaluate(
        "async () => (await (await fetch('/api/v4/users/me/teams')).json()).map(t => t.name)"
    )
    assert other in {403, 404}
    assert mine == ["acme-corp"]

    await page.goto(town.platform.url)
    await page.get_by_text("Switch person").click()
    _, again = await open_messaging(town, ada_context, "Ada Moreno")
    await expect(again.get_by_text("@equabot who is on our team?").first).to_be_visible(timeout=PATIENCE)
    for context in (elif_context, ada_context):
        await context.close()
